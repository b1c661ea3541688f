/**
 * Sees to one receiver's host: what a job has just ended with is begun at once, and as long as the outbox holds more than
 * that, it is looked at again and again.
 *
 * Whatever is pending stands in the outbox, which is the truth. A receiver that has all of it in memory looks for nothing;
 * one that has not, because there is too much or because it is due later, has a fiber of its own that does.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as ClockWatch from "../observe/ClockWatch.ts"
import type { DeliveryPort, DueDelivery } from "../store/DeliveryRecords.ts"

/** What all receivers share. */
export interface Receivers {
  readonly store: Pick<DeliveryPort, "dueDeliveries">
  /** Deliveries of one host that are under way at once. */
  readonly concurrency: number
  /** How often the clock is looked at while a delivery waits for its time, in milliseconds. */
  readonly clockEvery: number
  /** Takes in how the clock was set since it was looked at last. */
  readonly noticeClock: Effect.Effect<void>
  readonly leaving: () => boolean
  /** Has a delivery made in a fiber of its own. */
  readonly fork: (delivery: Effect.Effect<unknown>) => unknown
  /** Has a receiver look for more, in a fiber of its own. */
  readonly forkLook: (lane: string, look: Effect.Effect<void>) => unknown
  /**
   * Makes it, unless its endpoint was disabled since so many were; answers whether it is settled, and nothing that waits is
   * due at another time because of it.
   */
  readonly deliver: (delivery: DueDelivery, closings: number) => Effect.Effect<boolean>
  /** How many endpoints were disabled so far. */
  readonly closings: () => number
  /** By lane; whoever is not here has nothing to do. */
  readonly known: Map<string, Receiver>
  underWay: number
  /** About what all take in memory that were handed over and have to wait, in bytes. */
  waiting: number
}

/** What may wait in memory, of all receivers and of one, and about what a delivery takes beside its body; in bytes. */
const mostWaiting = 8 * 1024 * 1024
const mostOfOne = mostWaiting / 2
const overhead = 1024

/** When a store that failed is asked again. */
const askAgainAfter = 1000

interface Receiver {
  readonly lane: string
  /** Opens with whatever is a reason to look again. */
  readonly signal: Latch.Latch
  /** Deliveries under way. */
  readonly ids: Set<string>
  /** Deliveries that were handed over and wait until fewer are under way, the oldest first. */
  readonly queue: Array<Waiting>
  /** About what those take in memory, in bytes. */
  waiting: number
  /** While the outbox is asked: deliveries that were handed over meanwhile, which its answer may name too. */
  handed: Set<string> | undefined
  /** With how many under way it is not worth looking again. */
  enough: number
  /** Whether a fiber looks for more. */
  isLooking: boolean
  /** Whether there may be new ones. */
  isNews: boolean
  /** Whether more may be due than what is under way: whoever is new waits behind it in the outbox. */
  isBehind: boolean
  /** Whether every end is a reason to look again, and not only one that changes what is due. */
  waitsForEnds: boolean
}

interface Waiting {
  readonly delivery: DueDelivery
  /** How many endpoints had been disabled when it was handed over. */
  readonly closings: number
}

/** Looks for what may be due in a lane. */
export const wake = (self: Receivers, lane: string): void => {
  const receiver = receiverOf(self, lane)
  receiver.isNews = true
  receiver.isBehind = true
  look(self, receiver)
}

/** Begins a delivery that was stored just now, or has it wait: behind others in the outbox where there are any. */
export const hand = (self: Receivers, delivery: DueDelivery): void => {
  const receiver = receiverOf(self, delivery.lane)
  const { ids, queue } = receiver
  // a look at the outbox was faster
  if (ids.has(delivery.id)) return
  const weight = weightOf(delivery)
  const isFull = self.waiting + weight > mostWaiting || receiver.waiting + weight > mostOfOne
  if (self.leaving() || receiver.isBehind || isFull) return wake(self, delivery.lane)
  receiver.handed?.add(delivery.id)
  if (ids.size < self.concurrency) return begin(self, receiver, delivery)
  queue.push({ delivery, closings: self.closings() })
  weigh(self, receiver, weight)
}

/** Has everybody look again who looks at all: the clock was set. */
export const lookAround = ({ known }: Receivers): void => {
  for (const { signal } of known.values()) signal.openUnsafe()
}

const receiverOf = ({ known }: Receivers, lane: string): Receiver => {
  const found = known.get(lane)
  if (found !== undefined) return found
  const made: Receiver = {
    lane,
    signal: Latch.makeUnsafe(false),
    ids: new Set(),
    queue: [],
    waiting: 0,
    handed: undefined,
    enough: 0,
    isLooking: false,
    isNews: false,
    isBehind: false,
    waitsForEnds: false
  }
  known.set(lane, made)
  return made
}

const look = (self: Receivers, receiver: Receiver): void => {
  receiver.signal.openUnsafe()
  if (receiver.isLooking) return
  receiver.isLooking = true
  receiver.enough = Math.floor(receiver.ids.size / 2)
  self.forkLook(receiver.lane, run(self, receiver))
}

/** Runs until all that is pending in the lane is under way. */
const run = Effect.fnUntraced(function* (self: Receivers, receiver: Receiver) {
  const { ids, signal } = receiver
  while (true) {
    if (!isTime(self, receiver)) yield* Effect.timeoutOption(untilTime(self, receiver), askAgainAfter)
    signal.closeUnsafe()
    receiver.isNews = false
    const now = yield* Clock.currentTimeMillis
    const handed = (receiver.handed = new Set<string>())
    const { deliveries, isUnknown, nextDueAt } = self.leaving() ? nothingDue : yield* dueOf(self, receiver, now)
    receiver.handed = undefined
    const found = deliveries.filter(({ id }) => !ids.has(id) && !handed.has(id))
    // others may have been handed over meanwhile
    const room = Math.max(0, self.concurrency - ids.size)
    for (const delivery of found.slice(0, room)) begin(self, receiver, delivery)
    receiver.enough = Math.floor(ids.size / 2)
    const isMoreDue = found.length > room || (nextDueAt !== undefined && nextDueAt <= now)
    receiver.isBehind = isUnknown || isMoreDue || receiver.isNews
    if (isMoreDue && ids.size > 0) yield* untilEnd(receiver)
    else if (nextDueAt !== undefined) {
      const { clockEvery, noticeClock } = self
      yield* ClockWatch.until({ at: nextDueAt, signal, clockEvery, noticeClock })
    } else if (!signal.isOpen()) {
      // nothing happens between looking and leaving, so whoever wakes it has it look anew
      receiver.isLooking = false
      forget(self, receiver)
      return
    }
  }
})

/**
 * Looking costs the same for one delivery and for many: where enough is under way, half of it ends first, and what waits
 * in memory is older than what is not.
 */
const isTime = ({ concurrency }: Receivers, { enough, ids, isNews, queue }: Receiver): boolean =>
  queue.length === 0 && ids.size <= (isNews ? concurrency / 2 : Math.min(concurrency / 2, enough))

const untilTime = Effect.fnUntraced(function* (self: Receivers, receiver: Receiver) {
  while (!isTime(self, receiver)) {
    receiver.signal.closeUnsafe()
    yield* untilEnd(receiver)
  }
})

/** Waits until a delivery has ended, or for another reason to look. */
const untilEnd = (receiver: Receiver): Effect.Effect<void> =>
  Effect.suspend(() => {
    receiver.waitsForEnds = true
    return Effect.ensuring(
      receiver.signal.await,
      Effect.sync(() => void (receiver.waitsForEnds = false))
    )
  })

const dueOf = ({ concurrency, store }: Receivers, { ids, lane }: Receiver, now: number) =>
  Effect.matchEffect(store.dueDeliveries(now, concurrency - ids.size, ids, lane), {
    onSuccess: (due) => Effect.succeed({ ...due, isUnknown: false }),
    onFailure: (error) =>
      Effect.as(Effect.logWarning(`deliveries: ${error.message}`), {
        ...nothingDue,
        nextDueAt: now + askAgainAfter,
        isUnknown: true
      })
  })

const begin = (
  self: Receivers,
  receiver: Receiver,
  delivery: DueDelivery,
  closings: number = self.closings()
): void => {
  receiver.ids.add(delivery.id)
  self.underWay++
  self.fork(
    Effect.onExit(self.deliver(delivery, closings), (exit) =>
      Effect.sync(() => ended(self, receiver, delivery.id, Exit.isSuccess(exit) && exit.value))
    )
  )
}

const ended = (self: Receivers, receiver: Receiver, id: string, isSettled: boolean): void => {
  receiver.ids.delete(id)
  self.underWay--
  // what waits may have to wait for longer now, or for nothing any more: the outbox knows
  if (!isSettled || self.leaving()) drop(self, receiver)
  const next = receiver.queue.shift()
  if (next !== undefined) {
    weigh(self, receiver, -weightOf(next.delivery))
    begin(self, receiver, next.delivery, next.closings)
  }
  if (!isSettled) look(self, receiver)
  else if (receiver.waitsForEnds) receiver.signal.openUnsafe()
  else forget(self, receiver)
}

/** Leaves what waits in memory to the outbox. */
const drop = (self: Receivers, receiver: Receiver): void => {
  if (receiver.queue.length === 0) return
  receiver.queue.length = 0
  weigh(self, receiver, -receiver.waiting)
  receiver.isBehind = true
}

const weightOf = ({ body }: DueDelivery): number => body.byteLength + overhead

const weigh = (self: Receivers, receiver: Receiver, weight: number): void => {
  self.waiting += weight
  receiver.waiting += weight
}

const forget = ({ known }: Receivers, { ids, isLooking, lane }: Receiver): void => {
  if (!isLooking && ids.size === 0) known.delete(lane)
}

const nothingDue = { deliveries: [], nextDueAt: undefined, isUnknown: false }
