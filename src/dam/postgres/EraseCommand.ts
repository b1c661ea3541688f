/** Takes what a job has sent and received out of the database, as statements. */
import * as Effect from "effect/Effect"
import { isTerminal } from "../../engine/JobState.ts"
import { hostIn } from "../job/LaneName.ts"
import type { JobCommands } from "../rows/Commands.ts"
import { erasedResult } from "../rows/Looking.ts"
import { stateOf, type Tally } from "../rows/Tally.ts"
import type { Over, Session } from "./Session.ts"

/** The command. */
export const eraseCommand = (on: Session, tally: Tally): Pick<Over<JobCommands>, "erase"> => ({
  erase: Effect.fnUntraced(function* (id, at) {
    const job = yield* on.one(
      "SELECT seq, lane, state, delivery_state, erased_at, result FROM jobs LEFT JOIN results USING (seq) WHERE id = $1",
      id
    )
    if (job === undefined) return undefined
    if (!isTerminal(stateOf(job["state"]))) return "unended"
    if (job["delivery_state"] === "pending") return "untold"
    if (job["erased_at"] !== null) return "erased"
    const seq = Number(job["seq"])
    yield* on.run("UPDATE jobs SET erased_at = $1, traceparent = NULL, limits = NULL WHERE seq = $2", at, seq)
    const step = JSON.stringify({ url: `https://${hostIn(String(job["lane"]))}/` })
    yield* on.run("UPDATE payloads SET step = $1 WHERE seq = $2", step, seq)
    yield* on.run("DELETE FROM metadata WHERE seq = $1", seq)
    yield* on.run("DELETE FROM attempts WHERE seq = $1", seq)
    yield* on.run(
      "UPDATE results SET bodies = ''::bytea, result = $1 WHERE seq = $2",
      erasedResult(job["result"] ?? null),
      seq
    )
    yield* on.run("DELETE FROM delivery_bodies WHERE n IN (SELECT n FROM deliveries WHERE seq = $1)", seq)
    const removed = yield* on.all("DELETE FROM deliveries WHERE seq = $1 RETURNING state", seq)
    tally.dead -= removed.filter(({ state }) => state === "dead").length
    return "erased"
  })
})
