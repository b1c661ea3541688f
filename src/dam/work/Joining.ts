/** Jobs that become one, since a newer one has come soon after, and jobs that share the answer of an identical one. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Debounce } from "../../step/StepModel.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import type { Crowded, Enqueued, Finish, JobPort } from "../store/JobRecords.ts"
import type { JoinPort } from "../store/JoinRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as Results from "./Results.ts"

/** What it needs. */
export interface Joining {
  readonly store: JoinPort & Pick<JobPort, "finishIdle" | "get">
  /** The lane of a host, as receivers of results have it. */
  readonly laneOf: (url: string) => string
  /** Says what follows from an end that was written. */
  readonly finished: (job: StoredJob, finish: Finish) => Effect.Effect<void>
}

/** Files a job in the place of the one of its key that still waits, which ends and names it. */
export const debounced = Effect.fnUntraced(function* (
  { finished, laneOf, store }: Joining,
  job: NewJob,
  debounce: Debounce,
  most: number | undefined
): Effect.fn.Return<Enqueued | Crowded, StoreError> {
  while (true) {
    const found = yield* store.debounced(job.customer, debounce.key)
    const before = found && (yield* store.get(found.id))
    const at = yield* Clock.currentTimeMillis
    const since = found?.since ?? job.createdAt
    const finish = before && Results.finish(before, "cancelled", { at, result: Results.replaced(job.id) }, laneOf)
    const over = before && finish && { id: before.id, finish }
    const put = { ...job, notBefore: putOffUntil(job, debounce, since), debouncedSince: since }
    const enqueued = yield* store.enqueueOver(put, over, most)
    // another one was faster, or that one has begun
    if (enqueued._tag === "Moved") continue
    if (enqueued._tag === "Stored" && before !== undefined && finish !== undefined) yield* finished(before, finish)
    return enqueued
  }
})

const putOffUntil = ({ createdAt, notBefore = 0 }: NewJob, { atMost, wait }: Debounce, since: number): number => {
  const latest = atMost === undefined ? Number.POSITIVE_INFINITY : since + Duration.toMillis(atMost)
  return Math.max(notBefore, Math.min(createdAt + Duration.toMillis(wait), latest))
}

/** Ends those that share the answer of a job which has ended. */
export const shared = Effect.fnUntraced(function* (
  { finished, laneOf, store }: Joining,
  leader: Pick<StoredJob, "id">,
  { at, result, state }: Finish
): Effect.fn.Return<void, StoreError> {
  while (true) {
    const ids = yield* store.following(leader.id, portion)
    for (const id of ids) {
      const job = yield* store.get(id)
      if (job === undefined) continue
      const finish = Results.finish(job, state, { at, result }, laneOf)
      if (yield* store.finishIdle(id, finish)) yield* finished(job, finish)
    }
    if (ids.length < portion) return
  }
})

const portion = 100
