/**
 * The first ids of a lane's queues, read from the store in pages: as many as are needed soon, and the next ones before
 * the last are used up, so that nobody waits for a store that is slow just now.
 */
import * as Effect from "effect/Effect"
import type { Ticket } from "../store/JobRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Account, Queue } from "./Accounts.ts"
import * as Classes from "./Classes.ts"
import type { Fork } from "./Signal.ts"

/** What pages need of their lane. */
export interface Paged {
  readonly options: {
    readonly page: (queue: string, limit: number) => Effect.Effect<ReadonlyArray<Ticket>, StoreError>
    readonly fork: Fork
  }
  /** Jobs that are on their way out of the queue: the store may still name them. */
  readonly starting: ReadonlySet<string> | undefined
  /** Accounts share the memory for ids. */
  readonly accounts: { readonly size: () => number }
  readonly meter: { readonly gate: { readonly pace: { readonly rps: number } } }
  readonly signal: { readonly openUnsafe: () => void }
}

/** How many ids of one queue are in memory at once, and of all queues of a lane together. */
const pageSize = 32
const pageMost = 256
const pagesSize = 4096

/** When a store that failed is asked again, in milliseconds. */
export const askAgainAfter = 1000

/** What passes within a second: a fast lane would be reading all the time, in a slow one a page grows stale. */
const size = ({ accounts, meter }: Paged): number => {
  const wanted = Math.min(pageMost, Math.max(pageSize, meter.gate.pace.rps))
  return Math.max(1, Math.min(Math.ceil(wanted), Math.floor(pagesSize / accounts.size())))
}

const read = Effect.fnUntraced(function* (self: Paged, queue: Queue, now: number) {
  // cleared first: a wake that comes during the read sets it again
  queue.more = false
  queue.isReading = true
  const limit = size(self) + (self.starting?.size ?? 0)
  const tickets = yield* Effect.result(self.options.page(queue.name, limit))
  queue.isReading = false
  if (tickets._tag === "Failure") {
    queue.more = true
    queue.restsUntil = now + askAgainAfter
    return yield* Effect.logWarning(`a lane cannot read its queue: ${tickets.failure.message}`)
  }
  queue.tickets = tickets.success.filter(({ id }) => self.starting?.has(id) !== true)
  queue.isLong = tickets.success.length === limit
  if (queue.isLong) queue.more = true
})

const readAhead = (self: Paged, queue: Queue, now: number): void => {
  queue.isReading = true
  self.options.fork(
    Effect.ensuring(
      read(self, queue, now),
      Effect.sync(() => {
        queue.isReading = false
        self.signal.openUnsafe()
      })
    )
  )
}

/**
 * The queue of an account that has a job which may pass, as far as can be told without a store at rest; and when to
 * look again for those that may not yet, or that a store has failed. `opensAt` says when the first job of a queue may
 * pass what it draws on beside the pace of the lane.
 */
export const next = Effect.fnUntraced(function* (
  self: Paged,
  account: Account,
  now: number,
  opensAt: (queue: Queue) => number
) {
  let askAgainAt = Number.POSITIVE_INFINITY
  for (const queue of Classes.inTurn(account.queues, account.passed)) {
    const isDry = queue.tickets.length === 0
    if (queue.more && !queue.isReading && queue.restsUntil <= now) {
      if (isDry) yield* read(self, queue, now)
      else if (queue.isLong && queue.tickets.length <= size(self) / 2) readAhead(self, queue, now)
    }
    if (queue.tickets.length > 0) {
      const at = opensAt(queue)
      if (at <= now) return { queue, askAgainAt }
      askAgainAt = Math.min(askAgainAt, at)
    } else if (queue.restsUntil > now) askAgainAt = Math.min(askAgainAt, queue.restsUntil)
  }
  return { queue: undefined, askAgainAt }
})
