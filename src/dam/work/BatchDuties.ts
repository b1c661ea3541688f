/** What is done for batches that nobody waits for: a slice at a time, so that no batch holds up another. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { rerunOf } from "../job/NewJob.ts"
import type { StoredBatch } from "../store/BatchRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Overloaded } from "./Admission.ts"
import type { BatchParts } from "./BatchParts.ts"
import * as BatchEnds from "./BatchEnds.ts"
import * as BatchLines from "./BatchLines.ts"

/** How many batches are looked at before it is looked again. */
const lookSize = 20

/** A portion is a part of a commit that others wait for. */
const showSize = 100
const rerunSize = 100
const cancelSize = 50

/** Jobs that end in the meantime are looked at together. */
const gather = 20

/** It is looked at least as often, in milliseconds. */
const lookAgain = 60_000

/** When one that could not be done is tried again, in milliseconds. */
const againAfter = 1000

/** Does what is to be done; `done` hears of a batch that was told. */
export const work = (parts: BatchParts, done: (batch: number) => void): Effect.Effect<never> =>
  Effect.gen(function* () {
    const { signal } = parts
    // the sweep closes what nobody has gone on with, and tells nobody
    const asked = Effect.timeoutOrElse(signal.await, { duration: lookAgain, orElse: () => Effect.void })
    const aside: Aside = new Map()
    while (true) {
      yield* asked
      signal.closeUnsafe()
      if (parts.leaving()) {
        yield* signal.await
        continue
      }
      const pause = yield* pass(parts, done, aside).pipe(
        Effect.catch((error) => Effect.as(Effect.logWarning(`batches: ${error.message}`), againAfter))
      )
      if (pause !== undefined) signal.openUnsafe()
      yield* Effect.sleep(Math.max(gather, pause ?? 0))
    }
  })

/** Batches that could not be done, and when they are tried again: nobody waits for them meanwhile. */
type Aside = Map<number, number>

/** Looks once; answers after how many milliseconds it is looked again without being asked. */
const pass = Effect.fnUntraced(function* (
  parts: BatchParts,
  done: (batch: number) => void,
  aside: Aside
): Effect.fn.Return<number | undefined, StoreError> {
  const due = yield* parts.store.dueBatches(lookSize + aside.size)
  const numbers = new Set(due.map(({ number }) => number))
  for (const number of aside.keys()) if (!numbers.has(number)) aside.delete(number)
  const now = yield* Clock.currentTimeMillis
  let hasDone = false
  for (const batch of due) {
    if ((aside.get(batch.number) ?? 0) > now) continue
    const did = yield* Effect.result(one(parts, batch))
    done(batch.number)
    if (Result.isSuccess(did)) {
      aside.delete(batch.number)
      hasDone = true
    } else {
      aside.set(batch.number, now + againAfter)
      yield* Effect.logWarning(`batch ${batch.id}: ${did.failure.message}`)
    }
  }
  return hasDone ? 0 : aside.size > 0 ? againAfter : undefined
})

const one = Effect.fnUntraced(function* (
  parts: BatchParts,
  batch: StoredBatch
): Effect.fn.Return<void, StoreError | Overloaded> {
  if (batch.failedAt !== undefined && batch.failureJob === undefined && batch.onAnyFailure !== undefined) {
    yield* BatchEnds.failure(parts, batch, batch.onAnyFailure)
  }
  if (batch.state === "ended") return yield* BatchEnds.end(parts, batch)
  if (batch.state === "showing") return yield* show(parts, batch)
  if (batch.cancelledAt !== undefined) return yield* callOff(parts, batch)
  if (batch.state === "open" && batch.rerunOf !== undefined) return yield* rerun(parts, batch, batch.rerunOf)
})

const show = Effect.fnUntraced(function* ({ ends, store }: BatchParts, { number }: StoredBatch) {
  const { lanes, lookAround, told } = ends
  yield* Effect.uninterruptible(
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const shown = yield* store.showLines(number, now, showSize)
      for (const job of shown) yield* told({ ...job, createdAt: now, notBefore: undefined }, job.state, true)
      const queues = new Map(shown.map(({ lane, queue }) => [`${lane} ${queue}`, [lane, queue] as const]))
      for (const [lane, queue] of queues.values()) yield* lanes.wake(lane, queue)
      if (shown.length > 0) lookAround()
    })
  )
})

const callOff = Effect.fnUntraced(function* ({ cancelJob, store }: BatchParts, { number }: StoredBatch) {
  const ids = yield* store.liveInBatch(number, cancelSize)
  for (const id of ids) {
    const job = yield* store.get(id)
    // it may end by itself meanwhile
    if (job !== undefined) yield* Effect.catchTag(cancelJob(job), "WrongState", () => Effect.void)
  }
  if (ids.length === 0) yield* store.batchCalledOff(number, yield* Clock.currentTimeMillis)
})

/** Runs the next jobs again that failed in another batch; how far it is, is known as with lines. */
const rerun = Effect.fnUntraced(function* (parts: BatchParts, batch: StoredBatch, of: string) {
  const { newId, store } = parts
  const first = yield* store.batch(batch.customer, of)
  // a group is taken as a whole, so it is one that has room
  const size = Math.max(1, Math.min(rerunSize, Math.floor((parts.maxCustomerJobs ?? Infinity) / 10)))
  const failed = first === undefined ? [] : yield* store.failedInBatch(first.number, batch.through, size)
  const at = yield* Clock.currentTimeMillis
  const last = failed.at(-1)
  if (last === undefined) return yield* Effect.asVoid(store.closeBatch(batch.number, at))
  const lines: Array<BatchLines.Line> = []
  for (const { id } of failed) {
    const job = yield* store.get(id)
    // of one that was erased nobody knows what it was to do
    if (job === undefined || job.unreadable !== undefined || job.erasedAt !== undefined) continue
    lines.push({ line: job.batch?.line ?? 0, job: rerunOf(job, { id: yield* newId, at }) })
  }
  yield* BatchLines.take(parts, batch, { lines, through: last.place, isAgain: false, isWhole: true })
})
