/** Takes what a job has sent and received out of the file, as statements. Runs in the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import { isTerminal } from "../../engine/JobState.ts"
import { hostIn } from "../job/LaneName.ts"
import type { JobCommands } from "../rows/Commands.ts"
import { withoutTrace } from "./SecretCommands.ts"
import { stateOf, type Tally } from "../rows/Tally.ts"
import type { TextIndex } from "./TextIndex.ts"

const prepare = (db: DatabaseSync) => ({
  job: db.prepare("SELECT seq, lane, state, delivery_state, erased_at FROM jobs WHERE id = ?"),
  mark: db.prepare("UPDATE jobs SET erased_at = ?, traceparent = NULL, limits = NULL WHERE seq = ?"),
  step: db.prepare("UPDATE payloads SET step = ? WHERE seq = ?"),
  metadata: db.prepare("DELETE FROM metadata WHERE seq = ?"),
  attempts: db.prepare("DELETE FROM attempts WHERE seq = ?"),
  // of an error its name is left, by which failures are counted
  result: db.prepare(
    `UPDATE results SET bodies = zeroblob(0), result = json_object(
       'response', NULL, 'responses', json_array(), 'region', NULL, 'path', 0,
       'error', iif(json_valid(result) AND json_extract(result, '$.error.tag') IS NOT NULL,
         json_object('tag', json_extract(result, '$.error.tag'), 'message', 'erased'), NULL))
     WHERE seq = ?`
  ),
  deadOf: db.prepare("SELECT count(*) AS dead FROM deliveries WHERE state = 'dead' AND seq = ?"),
  deliveries: db.prepare("DELETE FROM deliveries WHERE seq = ?")
})

/** What the command works with. */
interface Parts {
  readonly db: DatabaseSync
  readonly tally: Tally
  readonly texts: TextIndex | undefined
}

/** Prepares the statements once and makes the command over them. */
export const eraseCommand = ({ db, tally, texts }: Parts) => {
  const on = prepare(db)
  return {
    erase: (id, at) => {
      const job = on.job.get(id)
      if (job === undefined) return undefined
      if (!isTerminal(stateOf(job["state"]))) return "unended"
      if (job["delivery_state"] === "pending") return "untold"
      if (job["erased_at"] !== null) return "erased"
      const seq = Number(job["seq"])
      withoutTrace(db, () => {
        on.mark.run(at, seq)
        on.step.run(JSON.stringify({ url: `https://${hostIn(String(job["lane"]))}/` }), seq)
        for (const statement of [on.metadata, on.attempts, on.result]) statement.run(seq)
        tally.dead -= Number(on.deadOf.get(seq)?.["dead"])
        on.deliveries.run(seq)
        texts?.remove(seq)
        texts?.tidy()
      })
      return "erased"
    }
  } satisfies Pick<JobCommands, "erase">
}
