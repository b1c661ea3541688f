/** What the end and the removal of jobs need of their batches, and how old batches are removed, as statements. */
import * as Effect from "effect/Effect"
import type { Fault } from "../rows/Commands.ts"
import type { Session } from "./Session.ts"

const ended = `UPDATE batches SET state = 'ended', ended_at = $1 WHERE n = $2 AND state = 'running'
  AND NOT EXISTS (SELECT 1 FROM jobs WHERE batch = $2 AND state IN ('scheduled', 'queued', 'running', 'parked'))`

/** What the end of jobs needs. */
export const batchEnds = (on: Session) => {
  /** Ends a batch that nothing is left of. */
  const end = (batch: number, at: number) => Effect.asVoid(on.run(ended, at, batch))
  return {
    end,
    /** Notes that a job of a batch has ended, whose row says so already. */
    jobEnded: Effect.fnUntraced(function* (batch: number, state: string, at: number): Effect.fn.Return<void, Fault> {
      if (state === "failed") {
        yield* on.run("UPDATE batches SET failed_at = $1 WHERE n = $2 AND failed_at IS NULL", at, batch)
      }
      yield* end(batch, at)
    })
  }
}

/** What removing needs. */
export const batchSweeps = (on: Session) => {
  const { end } = batchEnds(on)
  return {
    /** Its batch goes on counting a job that is removed. */
    swept: (batch: number, state: string) =>
      on.run(
        `UPDATE batches SET swept_succeeded = swept_succeeded + ($1 = 'succeeded')::integer,
           swept_failed = swept_failed + ($1 = 'failed')::integer,
           swept_cancelled = swept_cancelled + ($1 = 'cancelled')::integer WHERE n = $2`,
        state,
        batch
      ),
    sweep: Effect.fnUntraced(function* (before: number, limit: number): Effect.fn.Return<void, Fault> {
      // nobody has gone on with it for as long as ended jobs are kept: what it has is all there is
      const abandoned = yield* on.all(
        `UPDATE batches SET closed_at = touched_at, state = CASE together WHEN 1 THEN 'showing' ELSE 'running' END,
           cancelled_at = CASE together WHEN 1 THEN touched_at END WHERE state = 'open' AND touched_at < $1 RETURNING n`,
        before
      )
      for (const { n } of abandoned) yield* end(Number(n), before)
      const over = yield* on.all(
        `SELECT n FROM batches WHERE told = 1 AND ended_at < $1
         AND NOT EXISTS (SELECT 1 FROM jobs WHERE batch = batches.n) ORDER BY ended_at LIMIT $2`,
        before,
        Math.ceil(limit / 10)
      )
      for (const { n = null } of over) {
        yield* on.run("DELETE FROM batch_lines WHERE batch = $1", n)
        yield* on.run("DELETE FROM batch_staged WHERE batch = $1", n)
        yield* on.run("DELETE FROM batches WHERE n = $1", n)
      }
    })
  }
}
