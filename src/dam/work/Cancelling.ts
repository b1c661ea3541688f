/** Jobs that are called off, whatever they are doing at the moment. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import { isTerminal } from "../../engine/JobState.ts"
import type { StoredJob } from "../job/Job.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as Ends from "./Ends.ts"
import { WrongState } from "./WrongState.ts"
import * as Results from "./Results.ts"

/** What calling off needs. */
export interface Cancelling {
  readonly ends: Ends.Ends
  /** The fibers of jobs that run, by their ids. */
  readonly running: FiberMap.FiberMap<string>
  /** Goes on without whoever asked, in the place of the job's own fiber. */
  readonly fork: (jobId: string, effect: Effect.Effect<void>) => unknown
}

/** Stops a job that is not final: what runs is interrupted, the job ends `cancelled` and its webhooks are told. */
export const cancel = (self: Cancelling, job: StoredJob): Effect.Effect<StoredJob, StoreError | WrongState> =>
  Effect.gen(function* () {
    while (true) {
      const wasRunning = FiberMap.hasUnsafe(self.running, job.id)
      yield* FiberMap.remove(self.running, job.id)
      const ended = yield* Effect.onError(once(self, job), () =>
        wasRunning ? Effect.sync(() => void self.fork(job.id, Ends.requeue(self.ends, job.id))) : Effect.void
      )
      if (ended !== undefined) return ended
      // it was started, parked or released in the same moment
      yield* Effect.yieldNow
    }
  }).pipe(Effect.uninterruptible)

const once = Effect.fnUntraced(function* ({ ends, running }: Cancelling, { id }: StoredJob) {
  const { runner, store } = ends
  const job = yield* store.get(id)
  if (job === undefined || isTerminal(job.state)) {
    const wanted = job === undefined ? "it is not known any more" : "it has ended already"
    return yield* new WrongState({ jobId: id, state: job?.state ?? "unknown", wanted })
  }
  const at = yield* Clock.currentTimeMillis
  const attempt = job.state === "running" ? Ends.unrecorded(ends, job) : undefined
  const finish = Results.finish(job, "cancelled", { at, attempt, result: Results.cancelled }, runner.laneOf)
  const write =
    job.state === "running"
      ? Effect.as(store.finish(id, job.epoch, finish), true).pipe(
          Effect.catchTag("StaleEpoch", () => Effect.succeed(false))
        )
      : store.finishIdle(id, finish)
  const ended = yield* write.pipe(Effect.catchTag("OutcomeUnknown", Ends.orFound(ends, id, finish)))
  if (!ended) return undefined
  yield* FiberMap.remove(running, id)
  ends.unwritten.delete(id)
  yield* Ends.finished(ends, job, finish)
  return (yield* store.get(id)) ?? job
})
