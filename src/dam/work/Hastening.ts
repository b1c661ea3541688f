/** Jobs that wait for a moment and need not any more: one that somebody wants now, and those whose lane was let go. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { StoredJob } from "../job/Job.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import type { Steering } from "../lane/Steering.ts"
import type { JobPort } from "../store/JobRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import { WrongState } from "./WrongState.ts"
import type { Told } from "./Telling.ts"

/** What it needs. */
export interface Hastening {
  readonly store: Pick<JobPort, "get" | "hasten" | "lift">
  readonly lanes: Pick<LaneRouter, "steering" | "wake">
  readonly told: Told
  /** Says that parked jobs may be due. */
  readonly lookAround: () => void
}

/**
 * Queues a job that is scheduled or parked, whatever it waits for; its lane's pace and holds it keeps to like any other.
 * One that is queued is as it should be.
 */
export const runNow = (self: Hastening, { id }: StoredJob): Effect.Effect<StoredJob, StoreError | WrongState> =>
  Effect.gen(function* () {
    const hastened = yield* self.store.hasten(id, yield* Clock.currentTimeMillis)
    const job = yield* self.store.get(id)
    if (hastened === undefined) {
      if (job?.state === "queued") return job
      const wanted =
        job === undefined
          ? "it is not known any more"
          : job.state === "scheduled"
            ? "it waits for others of its order, or for the answer of an identical call"
            : "only a job that waits can be run now"
      return yield* new WrongState({ jobId: id, state: job?.state ?? "unknown", wanted })
    }
    yield* self.lanes.wake(hastened.lane, hastened.queue)
    if (job === undefined) return yield* new WrongState({ jobId: id, state: "unknown", wanted: "it is gone" })
    yield* self.told(job, "queued")
    return job
  }).pipe(Effect.uninterruptible)

/** What operators do with lanes: a reset, and a breaker that is closed, let the jobs go that sit out a hold. */
export const steering = (self: Hastening): Steering => ({
  ...self.lanes.steering,
  change: (lane, by, action) =>
    Effect.uninterruptible(
      Effect.tap(self.lanes.steering.change(lane, by, action), () =>
        action._tag === "Reset" || (action._tag === "Breaker" && action.to === "closed")
          ? Effect.flatMap(Clock.currentTimeMillis, (now) =>
              Effect.andThen(self.store.lift(lane, now), Effect.sync(self.lookAround))
            )
          : Effect.void
      )
    )
})
