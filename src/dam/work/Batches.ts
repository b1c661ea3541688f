/**
 * Batches: jobs handed in by the thousand, as one thing that is counted, waited for, called off and run again.
 *
 * Whatever is to be done for a batch later (lines to be shown, jobs to be called off or run again, its end to be told)
 * stands in its row, so a dam that died in between goes on with it. What its end starts is a job under a key of a space
 * that no customer has, and is filed once, whatever crashes.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { BatchCounts, BatchPort, LineNote, NewBatch, StoredBatch } from "../store/BatchRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Overloaded } from "./Admission.ts"
import * as BatchDuties from "./BatchDuties.ts"
import * as BatchLines from "./BatchLines.ts"
import type { BatchParts } from "./BatchParts.ts"
import { WrongState } from "./WrongState.ts"

/**
 * What a customer does with batches.
 *
 * @category models
 * @since 0.1.0
 */
export interface Batches {
  /** Stores a batch to which lines can come; one of this id that the customer has already is answered as it is. */
  readonly open: (
    batch: Omit<NewBatch, "createdAt" | "rerunOf">
  ) => Effect.Effect<{ readonly batch: StoredBatch; readonly isNew: boolean }, StoreError | Overloaded>
  readonly get: (customer: string, id: string) => Effect.Effect<StoredBatch | undefined, StoreError>
  readonly list: BatchPort["batches"]
  readonly counts: (batch: StoredBatch) => Effect.Effect<BatchCounts, StoreError>
  readonly notes: (
    batch: StoredBatch,
    kind: LineNote["_tag"],
    behind: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<LineNote>, StoreError>
  /** Takes some lines, in one commit. */
  readonly take: (
    batch: StoredBatch,
    group: BatchLines.Group
  ) => Effect.Effect<BatchLines.Taken, StoreError | Overloaded>
  /** Says that no line is to come. */
  readonly close: (batch: StoredBatch) => Effect.Effect<void, StoreError>
  /** Takes no line any more, and has jobs called off that have not ended. */
  readonly cancel: (batch: StoredBatch) => Effect.Effect<void, StoreError | WrongState>
  /** Has the jobs run again that failed, as a batch of their own. */
  readonly rerun: (batch: StoredBatch) => Effect.Effect<StoredBatch, StoreError | Overloaded | WrongState>
  /** Waits until a batch may have ended, from now on. */
  readonly changed: (batch: StoredBatch) => Effect.Effect<void>
}

/**
 * Makes the batches; what is to be done for them is done in the scope until it closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (parts: BatchParts): Effect.fn.Return<Batches, never, Scope.Scope> {
  const { signal, store } = parts
  const look = () => void signal.openUnsafe()
  const waiting = new Map<number, Set<Latch.Latch>>()
  const wake = (batch: number) => {
    for (const latch of waiting.get(batch) ?? []) latch.openUnsafe()
  }
  yield* Effect.forkScoped(BatchDuties.work(parts, wake))
  const changing = <A, E>(change: Effect.Effect<A, E>) => Effect.tap(change, () => Effect.sync(look))

  return {
    open: (batch) =>
      Effect.flatMap(Clock.currentTimeMillis, (createdAt) =>
        parts.admit(store.openBatch({ ...batch, rerunOf: undefined, createdAt }), 0)
      ),
    get: store.batch,
    list: store.batches,
    counts: ({ number }) => store.batchCounts(number),
    notes: ({ number }, kind, behind, limit) => store.lineNotes(number, kind, behind, limit),
    take: (batch, group) => BatchLines.take(parts, batch, group),
    close: ({ number }) =>
      changing(Effect.flatMap(Clock.currentTimeMillis, (at) => Effect.asVoid(store.closeBatch(number, at)))),
    cancel: (batch) =>
      changing(
        Effect.gen(function* () {
          const was = yield* store.callOffBatch(batch.number, yield* Clock.currentTimeMillis)
          if (!was) return yield* wrong(batch, "it has ended already")
        })
      ),
    rerun: (batch) =>
      changing(
        Effect.gen(function* () {
          if (batch.state !== "ended") return yield* wrong(batch, "only a batch that has ended can be run again")
          const createdAt = yield* Clock.currentTimeMillis
          const again = { ...batch, id: againOf(batch.id), rerunOf: batch.id, together: false, createdAt }
          const made = yield* parts.admit(store.openBatch(again), 0)
          if (!made.isNew) return yield* wrong(batch, `what failed was run again as ${again.id}`)
          return made.batch
        })
      ),
    changed: ({ number }) =>
      Effect.suspend(() => {
        const latch = Latch.makeUnsafe(false)
        const all = waiting.get(number) ?? new Set()
        waiting.set(number, all.add(latch))
        return Effect.ensuring(
          latch.await,
          Effect.sync(() => {
            all.delete(latch)
            if (all.size === 0) waiting.delete(number)
          })
        )
      })
  }
})

const wrong = ({ id, state }: StoredBatch, wanted: string) =>
  new WrongState({ jobId: id, kind: "batch", state, wanted })

/** What runs `nightly` again is `nightly.rerun1`, and what runs that again is `nightly.rerun2`. */
const againOf = (id: string): string => {
  const [, first = id, times = "0"] = /^(.*)\.rerun(\d{1,9})$/.exec(id) ?? []
  return `${first}.rerun${Number(times) + 1}`
}
