/** Waiting until a dam has nothing left to do. */
import * as Effect from "effect/Effect"
import type { JobState } from "../engine/JobState.ts"
import * as Client from "../run/ClientService.ts"

const open: ReadonlyArray<JobState> = ["scheduled", "queued", "running", "parked"]

/** Waits for the jobs of a page that have not ended; `false` when there are none, or nobody tells. */
export const awaitOpen = Effect.flatMap(Client.list({ status: open, limit: 100 }), ({ jobs }) =>
  Effect.as(
    Effect.forEach(
      jobs,
      ({ jobId }) =>
        // one that is gone by now has ended
        Effect.catchReason(
          Client.awaitJob(jobId, { timeout: Number.POSITIVE_INFINITY }),
          "ServiceError",
          "JobNotFound",
          () => Effect.void
        ),
      { concurrency: 16, discard: true }
    ),
    jobs.length > 0
  )
).pipe(Effect.catchReason("ServiceError", "NotOffered", () => Effect.succeed(false)))
