/**
 * Jobs that become one, or share an answer, as statements.
 *
 * Whoever shares the answer of another job is `scheduled` without a moment and names it. Should that one be called off, the
 * first of those takes its place; should the process end before all have got the answer, it does so at the next start.
 */
import * as Effect from "effect/Effect"
import type { Fault } from "../rows/Commands.ts"
import type { JoinCommands } from "../rows/JoinCommands.ts"
import type { Over, Session } from "./Session.ts"

/** What filing, ending and recovering jobs needs of it. */
export interface Joins {
  /** The job whose answer an identical one would share, by its id. */
  readonly leaderOf: (coalesce: string) => Effect.Effect<string | undefined, Fault>
  /** Has the first of those that wait for a job take its place. */
  readonly orphan: (leaderId: string) => Effect.Effect<void, Fault>
  /** The same for all whose leader has ended. */
  readonly recover: Effect.Effect<void, Fault>
}

const following = "SELECT id, seq FROM jobs WHERE leader_id = $1 AND state = 'scheduled' ORDER BY seq LIMIT $2"

/** The commands, and what others need. */
export const joinsOver = (on: Session): { readonly joins: Joins; readonly commands: Over<JoinCommands> } => {
  const orphan = Effect.fnUntraced(function* (leaderId: string): Effect.fn.Return<void, Fault> {
    const first = yield* on.one(following, leaderId, 1)
    if (first === undefined) return
    yield* on.run(
      "UPDATE jobs SET leader_id = NULL, due_at = coalesce(not_before, 0) WHERE seq = $1",
      first["seq"] ?? null
    )
    yield* on.run(
      "UPDATE jobs SET leader_id = $2 WHERE leader_id = $1 AND state = 'scheduled'",
      leaderId,
      first["id"] ?? null
    )
  })
  return {
    joins: {
      leaderOf: (coalesce) =>
        Effect.map(
          on.one(
            `SELECT id FROM jobs WHERE coalesce_key = $1 AND leader_id IS NULL AND state IN ('queued', 'parked', 'running')
             ORDER BY seq LIMIT 1`,
            coalesce
          ),
          (row) => row && String(row["id"])
        ),
      orphan,
      recover: Effect.gen(function* () {
        const orphans = yield* on.all(
          `SELECT DISTINCT follower.leader_id AS leader FROM jobs AS follower
           LEFT JOIN jobs AS leader ON leader.id = follower.leader_id
           WHERE follower.leader_id IS NOT NULL AND follower.state = 'scheduled'
           AND coalesce(leader.state, 'gone') NOT IN ('scheduled', 'queued', 'parked', 'running')`
        )
        for (const { leader } of orphans) yield* orphan(String(leader))
      })
    },
    commands: {
      debounced: (customer, key) =>
        Effect.map(
          on.one(
            `SELECT id, debounce_since FROM jobs WHERE customer = $1 AND debounce_key = $2 AND state = 'scheduled' LIMIT 1`,
            customer,
            key
          ),
          (found) => found && { id: String(found["id"]), since: Number(found["debounce_since"]) }
        ),
      following: (leaderId, limit) =>
        Effect.map(on.all(following, leaderId, limit), (rows) => rows.map(({ id }) => String(id)))
    }
  }
}
