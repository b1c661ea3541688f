/**
 * Tells results to webhooks: signed, in the lane of each receiver, repeated on a schedule until a 2xx or its end.
 *
 * The outbox in the store is the truth; this only looks what is due, calls, and writes down what came back. A receiver
 * that is slow or dead keeps its own lane busy and nobody else's.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { DeliveryPort } from "../store/DeliveryRecords.ts"
import type { JobPort } from "../store/JobRecords.ts"
import type { SecretPort } from "../store/SecretRecords.ts"
import type { Courier } from "./Courier.ts"
import * as DeadLetters from "./DeadLetters.ts"
import * as Probes from "./Probes.ts"
import * as Receiver from "./Receiver.ts"
import type { DeliveryOptions } from "./Schedule.ts"

/**
 * The delivery duty.
 *
 * @category models
 * @since 0.1.0
 */
export interface Deliveries {
  /** Says that a delivery may be due in these lanes. */
  readonly wake: (lanes: Iterable<string>) => void
  /** Says that the clock was set. */
  readonly lookAround: () => void
  /** How many are under way, those included that wait for their turn. */
  readonly underWay: () => number
  /** Whether a delivery is at its receiver now. */
  readonly isCalling: (deliveryId: string) => boolean
}

/**
 * What the duty works with.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeliveryParts extends Omit<Courier, "store">, Pick<Receiver.Receivers, "clockEvery" | "noticeClock"> {
  readonly store: DeliveryPort & Pick<SecretPort, "secrets"> & Pick<JobPort, "get">
  /** Whether only what is under way is still to be finished. */
  readonly leaving: () => boolean
}

/**
 * Makes the delivery duty; it runs in the scope until it closes, for the lanes that were woken.
 *
 * **Details** — each receiver's host has a fiber of its own for as long as it has pending deliveries, so that the
 * backlog of one takes no place from another's.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  parts: DeliveryParts,
  options: DeliveryOptions
): Effect.fn.Return<Deliveries, never, Scope.Scope> {
  const fibers = yield* FiberMap.make<string>()
  const calls = yield* FiberSet.make()
  const fork = yield* FiberMap.runtime(fibers)()
  const { replay } = DeadLetters.make(parts.store, (lanes) => {
    for (const lane of lanes) wake(lane)
  })
  const probes = Probes.make({ store: parts.store, courier: parts, options, leaving: parts.leaving, replay })
  const receivers: Receiver.Receivers = {
    store: parts.store,
    concurrency: options.concurrency,
    clockEvery: parts.clockEvery,
    noticeClock: parts.noticeClock,
    leaving: parts.leaving,
    fork: (delivery) => FiberSet.run(calls, delivery),
    deliver: (delivery) => Probes.deliver(probes, delivery),
    signals: new Map(),
    underWay: 0
  }
  const wake = (lane: string): void => {
    const known = receivers.signals.get(lane)
    if (known === undefined) {
      const signal = Receiver.signal()
      receivers.signals.set(lane, signal)
      fork(lane, Receiver.run(receivers, lane, signal))
    } else {
      known.isNews = true
      known.openUnsafe()
    }
  }
  return {
    wake: (lanes) => {
      for (const lane of lanes) wake(lane)
    },
    lookAround: () => {
      for (const signal of receivers.signals.values()) signal.openUnsafe()
    },
    underWay: () => receivers.underWay,
    isCalling: (deliveryId) => probes.calling.has(deliveryId)
  }
})
