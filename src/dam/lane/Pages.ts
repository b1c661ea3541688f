/**
 * The first ids of a lane's queues, read from the store in pages: as many as are needed soon, and the next ones before
 * the last are used up, so that nobody waits for a store that is slow just now.
 */
import * as Effect from "effect/Effect"
import type { Ticket } from "../store/JobRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Account, Queue } from "./Accounts.ts"
import * as Classes from "./Classes.ts"

/** What the pages need to know of their lane. */
export interface PagesOptions {
  /** Jobs that are on their way out of the queue: the store may still name them. */
  readonly starting: ReadonlySet<string>
  /** Calls per second that the lane lets through. */
  readonly rps: () => number
  /** How many accounts share the memory for ids. */
  readonly queues: () => number
  /** Says that a page was read ahead. */
  readonly read: () => void
}

/** The pages of one lane. */
export interface Pages {
  /**
   * The queue of an account that has a job which may pass, as far as can be told without a store at rest; and when to
   * look again for those that may not yet, or that a store has failed. `opensAt` says when the first job of a queue may
   * pass what it draws on beside the pace of the lane.
   */
  readonly next: (
    self: Account,
    now: number,
    opensAt: (queue: Queue) => number
  ) => Effect.Effect<{ readonly queue: Queue | undefined; readonly askAgainAt: number }>
}

/** How many ids of one queue are in memory at once, and of all queues of a lane together. */
const pageSize = 32
const pageMost = 256
const pagesSize = 4096

/** When a store that failed is asked again, in milliseconds. */
export const askAgainAfter = 1000

/** Makes the pages of a lane. */
export const make = (page: Page, options: PagesOptions): Pages => {
  const self = { page, options }
  return { next: (account, now, opensAt) => next(self, account, now, opensAt) }
}

type Page = (queue: string, limit: number) => Effect.Effect<ReadonlyArray<Ticket>, StoreError>

// its functions stand outside: there may be ten thousand lanes, and each would have its own
interface Reading {
  readonly page: Page
  readonly options: PagesOptions
}

/** What passes within a second: a fast lane would be reading all the time, in a slow one a page grows stale. */
const size = ({ options: { queues, rps } }: Reading): number => {
  const wanted = Math.min(pageMost, Math.max(pageSize, rps()))
  return Math.max(1, Math.min(Math.ceil(wanted), Math.floor(pagesSize / queues())))
}

const read = Effect.fnUntraced(function* (self: Reading, queue: Queue, now: number) {
  const { starting } = self.options
  // cleared first: a wake that comes during the read sets it again
  queue.more = false
  queue.isReading = true
  const limit = size(self) + starting.size
  const tickets = yield* Effect.result(self.page(queue.name, limit))
  queue.isReading = false
  if (tickets._tag === "Failure") {
    queue.more = true
    queue.restsUntil = now + askAgainAfter
    return yield* Effect.logWarning(`a lane cannot read its queue: ${tickets.failure.message}`)
  }
  queue.tickets = tickets.success.filter(({ id }) => !starting.has(id))
  queue.isLong = tickets.success.length === limit
  if (queue.isLong) queue.more = true
})

const readAhead = (self: Reading, queue: Queue, now: number) => {
  queue.isReading = true
  return Effect.forkChild(
    Effect.ensuring(
      read(self, queue, now),
      Effect.sync(() => {
        queue.isReading = false
        self.options.read()
      })
    )
  )
}

const next = Effect.fnUntraced(function* (
  self: Reading,
  account: Account,
  now: number,
  opensAt: (queue: Queue) => number
) {
  let askAgainAt = Number.POSITIVE_INFINITY
  for (const queue of Classes.inTurn(account.queues, account.passed)) {
    const isDry = queue.tickets.length === 0
    if (queue.more && !queue.isReading && queue.restsUntil <= now) {
      if (isDry) yield* read(self, queue, now)
      else if (queue.isLong && queue.tickets.length <= size(self) / 2) yield* readAhead(self, queue, now)
    }
    if (queue.tickets.length > 0) {
      const at = opensAt(queue)
      if (at <= now) return { queue, askAgainAt }
      askAgainAt = Math.min(askAgainAt, at)
    } else if (queue.restsUntil > now) askAgainAt = Math.min(askAgainAt, queue.restsUntil)
  }
  return { queue: undefined, askAgainAt }
})
