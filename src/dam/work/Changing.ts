/** Jobs that are changed while they wait: another priority, time, body or headers. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { StoredJob } from "../job/Job.ts"
import type { LaneNames } from "../lane/LaneNames.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import type { JobPort } from "../store/JobRecords.ts"
import type { Engine } from "./Engine.ts"
import { laned } from "./Run.ts"
import type { Told } from "./Telling.ts"
import { Outdated, WrongState } from "./WrongState.ts"

/** What it needs. */
export interface Changing {
  readonly store: Pick<JobPort, "change" | "get">
  readonly lanes: Pick<LaneRouter, "reread">
  readonly told: Told
  /** Says that a job may be due. */
  readonly lookAround: () => void
}

/** Makes the verb. */
export const make = (self: Changing, names: LaneNames): Engine["Service"]["change"] =>
  Effect.fnUntraced(function* (job, { isRetimed, revision }) {
    const { store } = self
    const { lane } = laned(names, job)
    const now = yield* Clock.currentTimeMillis
    const done = yield* store.change({ job: { ...job, lane }, isRetimed, revision, now })
    if (done === "Stale") return yield* new Outdated({ jobId: job.id })
    const after = yield* store.get(job.id)
    if (done === "Settled" || after === undefined) {
      const wanted = after === undefined ? "it is not known any more" : "only a job that waits can be changed"
      return yield* new WrongState({ jobId: job.id, state: after?.state ?? "unknown", wanted })
    }
    return yield* followed(self, job, after)
  }, Effect.uninterruptible)

const followed = Effect.fnUntraced(function* ({ lanes, lookAround, told }: Changing, job: StoredJob, after: StoredJob) {
  if (after.state !== job.state) yield* told(after, after.state)
  // where it stood it is not any more
  if (job.state === "queued") yield* lanes.reread(job.lane)
  if (after.state === "queued") yield* lanes.reread(after.lane)
  // it, or another that shared its answer, may have its moment now
  if (after.state !== "queued" || job.step.coalesce) lookAround()
  return after
})
