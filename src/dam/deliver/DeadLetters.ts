/**
 * What may be done with results that could not be told, and with the endpoints they could not be told to.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Endpoint, DeadLetter } from "../job/Delivery.ts"
import type { DeliveryPort, DeadLetterFilter } from "../store/DeliveryRecords.ts"
import type { StoreError } from "../store/StoreError.ts"

/**
 * Dead letters and endpoints. Every filter names a customer; nothing of another is seen or touched.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeadLetters {
  /** A page of dead letters with their attempts, the newest job first. */
  readonly list: (
    filter: DeadLetterFilter & { readonly cursor?: string | undefined; readonly limit: number }
  ) => Effect.Effect<
    { readonly deadLetters: ReadonlyArray<DeadLetter>; readonly cursor: string | undefined },
    StoreError
  >
  /**
   * Delivers stored results once more, with the same event ids and a schedule that begins anew; answers how many. `rps`
   * spreads their first attempts, which the pace of each receiver may slow down further.
   */
  readonly replay: (filter: DeadLetterFilter, rps?: number) => Effect.Effect<number, StoreError>
  /** Deletes dead letters; answers how many. Their jobs stay `undelivered`. */
  readonly purge: (filter: DeadLetterFilter) => Effect.Effect<number, StoreError>
  /** Endpoints that fail or are disabled. */
  readonly endpoints: (customer: string) => Effect.Effect<ReadonlyArray<Endpoint>, StoreError>
  /** Takes up an endpoint again; what waits for it is told at once. `undefined` when it had not failed. */
  readonly enable: (customer: string, url: string) => Effect.Effect<Endpoint | undefined, StoreError>
}

/** How many are changed in one transaction. */
const portion = 1000

/**
 * Makes them over a store; `wake` is told the lanes in which deliveries became due.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (store: DeliveryPort, wake: (lanes: Iterable<string>) => void): DeadLetters => ({
  list: store.deadLetters,
  replay: Effect.fnUntraced(function* (filter, rps) {
    const now = yield* Clock.currentTimeMillis
    const spacing = rps === undefined ? 0 : 1000 / rps
    let replayed = 0
    let cursor: string | undefined
    do {
      // whoever asked may go away; what has become due is looked after
      const done: Effect.Success<ReturnType<typeof store.replay>> = yield* Effect.uninterruptible(
        Effect.tap(
          store.replay({ ...filter, cursor, limit: portion }, now + replayed * spacing, spacing),
          ({ lanes }) => Effect.sync(() => wake(lanes))
        )
      )
      replayed += done.replayed
      cursor = done.cursor
    } while (cursor !== undefined)
    return replayed
  }),
  purge: Effect.fnUntraced(function* (filter) {
    let purged = 0
    let last = portion
    while (last === portion) {
      last = yield* store.purge(filter, portion)
      purged += last
    }
    return purged
  }),
  endpoints: store.endpoints,
  enable: Effect.fnUntraced(function* (customer, url) {
    const now = yield* Clock.currentTimeMillis
    const known = yield* store.enableEndpoint(customer, url, now)
    if (known !== undefined) wake([known.lane])
    return known
  })
})
