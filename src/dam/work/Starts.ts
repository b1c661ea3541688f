/** Jobs that start: one whose lane lets it is marked as running in the store and gets a fiber of its own. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import type { StoredJob } from "../job/Job.ts"
import type { LaneOptions } from "../lane/LaneState.ts"
import type { Permit } from "../lane/Permit.ts"
import * as DamTracing from "../observe/Tracing.ts"
import type { JobPort } from "../store/JobRecords.ts"
import { type StoreError, untilWritten } from "../store/StoreError.ts"
import type { Told } from "./Telling.ts"

/** What starting needs. */
export interface Starts {
  readonly store: Pick<JobPort, "get" | "start">
  /** The fibers of jobs that run, by their ids. */
  readonly running: FiberMap.FiberMap<string>
  readonly told: Told
  /** Runs a job with its first permit and writes what came of it. */
  readonly execute: (job: StoredJob, permit: Permit) => Effect.Effect<void>
}

/** Starts jobs with their first permit, in a place that was taken for each. Answers once the job is no longer queued. */
export const make =
  (self: Starts): LaneOptions["start"] =>
  (ticket, permit, giveBack) =>
    Effect.onError(
      Effect.gen(function* () {
        const job = yield* started(self, ticket.id)
        // called off, or out of time, since its id was read
        if (job === undefined) return yield* Effect.andThen(permit.release, giveBack)
        yield* self.told(job, "running", job.epoch === 1)
        const run = Effect.ensuring(DamTracing.started(job, self.execute(job, permit)), giveBack)
        yield* FiberMap.run(self.running, job.id, run)
      }),
      () => giveBack
    )

/** Where nobody knows whether a start was written, a job that runs without a fiber is one that was. */
const started = ({ running, store }: Starts, id: string): Effect.Effect<StoredJob | undefined, StoreError> =>
  Effect.flatMap(Clock.currentTimeMillis, (at) => store.start(id, at)).pipe(
    Effect.catchTag("OutcomeUnknown", (error) =>
      Effect.flatMap(untilWritten(id, store.get(id)), (job) =>
        job?.state === "running" && !FiberMap.hasUnsafe(running, id) ? Effect.succeed(job) : Effect.fail(error)
      )
    )
  )
