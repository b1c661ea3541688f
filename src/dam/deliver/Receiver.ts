/**
 * Sees to one receiver's host for as long as it has pending deliveries: looks what is due, has it delivered, and looks
 * again when some of that has ended.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as ClockWatch from "../observe/ClockWatch.ts"
import type { DeliveryPort, DueDelivery } from "../store/DeliveryRecords.ts"

/** What all receivers share. */
export interface Receivers {
  readonly store: Pick<DeliveryPort, "dueDeliveries">
  /** Deliveries of one host that are in memory at once. */
  readonly concurrency: number
  /** How often the clock is looked at while a delivery waits for its time, in milliseconds. */
  readonly clockEvery: number
  /** Takes in how the clock was set since it was looked at last. */
  readonly noticeClock: Effect.Effect<void>
  readonly leaving: () => boolean
  /** Has a delivery made in a fiber of its own. */
  readonly fork: (delivery: Effect.Effect<void>) => Effect.Effect<unknown>
  readonly deliver: (delivery: DueDelivery) => Effect.Effect<void>
  /** By lane; whoever is not here has nothing to do. */
  readonly signals: Map<string, Signal>
  underWay: number
}

/** Opens when a delivery has ended, or with news: that there may be new ones. */
export interface Signal extends Latch.Latch {
  isNews: boolean
}

/** Makes a signal that is closed. */
export const signal = (): Signal => Object.assign(Latch.makeUnsafe(false), { isNews: false })

/** When a store that failed is asked again. */
const askAgainAfter = 1000

interface Receiver {
  readonly lane: string
  readonly signal: Signal
  /** Deliveries under way. */
  readonly ids: Set<string>
  /** With how many under way it is not worth looking again. */
  enough: number
}

/** Runs until nothing is pending in the lane. */
export const run = Effect.fnUntraced(function* (self: Receivers, lane: string, signalOfLane: Signal) {
  const receiver: Receiver = { lane, signal: signalOfLane, ids: new Set(), enough: 0 }
  const { ids } = receiver
  while (true) {
    if (!isTime(self, receiver)) yield* Effect.timeoutOption(untilTime(self, receiver), askAgainAfter)
    receiver.signal.closeUnsafe()
    receiver.signal.isNews = false
    const now = yield* Clock.currentTimeMillis
    const due = self.leaving() ? nothingDue : yield* dueOf(self, receiver, now)
    for (const delivery of due.deliveries) yield* begin(self, receiver, delivery)
    receiver.enough = Math.floor(ids.size / 2)
    const isFull = ids.size >= self.concurrency
    if (!isFull && due.nextDueAt !== undefined) {
      const { clockEvery, noticeClock } = self
      yield* ClockWatch.until({ at: due.nextDueAt, signal: receiver.signal, clockEvery, noticeClock })
    } else if (ids.size > 0 || self.leaving() || receiver.signal.isOpen()) {
      yield* receiver.signal.await
    } else {
      // nothing happens between looking and leaving, so nobody wakes a receiver that is gone
      self.signals.delete(lane)
      return
    }
  }
})

/** Looking costs the same for one delivery and for many: where enough is under way, half of it ends first. */
const isTime = ({ concurrency }: Receivers, { enough, ids, signal: { isNews } }: Receiver): boolean =>
  ids.size <= (isNews ? concurrency / 2 : Math.min(concurrency / 2, enough))

const untilTime = Effect.fnUntraced(function* (self: Receivers, receiver: Receiver) {
  while (!isTime(self, receiver)) {
    receiver.signal.closeUnsafe()
    yield* receiver.signal.await
  }
})

const dueOf = ({ concurrency, store }: Receivers, { ids, lane }: Receiver, now: number) =>
  store
    .dueDeliveries(now, concurrency - ids.size, ids, lane)
    .pipe(
      Effect.catch((error) =>
        Effect.as(Effect.logWarning(`deliveries: ${error.message}`), { ...nothingDue, nextDueAt: now + askAgainAfter })
      )
    )

const begin = (self: Receivers, receiver: Receiver, delivery: DueDelivery) => {
  receiver.ids.add(delivery.id)
  self.underWay++
  return self.fork(
    Effect.ensuring(
      self.deliver(delivery),
      Effect.sync(() => {
        receiver.ids.delete(delivery.id)
        self.underWay--
        receiver.signal.openUnsafe()
      })
    )
  )
}

const nothingDue = { deliveries: [], nextDueAt: undefined }
