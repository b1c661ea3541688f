/**
 * Tells results to webhooks: signed, in the lane of each receiver, repeated on a schedule until a 2xx or its end.
 *
 * The outbox in the store is the truth; this only looks what is due, calls, and writes down what came back. What a job
 * has just put there is handed over in memory, and read from there only after a crash or where too much is under way. A
 * receiver that is slow or dead keeps its own lane busy and nobody else's.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { NewDelivery } from "../job/Delivery.ts"
import type { DeliveryPort, DueDelivery } from "../store/DeliveryRecords.ts"
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
  /** Takes over what a job has ended with at a moment: it is stored, and none of its endpoints is disabled. */
  readonly hand: (deliveries: ReadonlyArray<NewDelivery>, at: number) => void
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
 * **Details** — each receiver's host looks after its own pending deliveries, so that the backlog of one takes no place
 * from another's.
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
  const { replay } = DeadLetters.make(parts.store, (lanes) => wake(lanes))
  const probes = Probes.make({ store: parts.store, courier: parts, options, leaving: parts.leaving, replay })
  const receivers: Receiver.Receivers = {
    store: parts.store,
    concurrency: options.concurrency,
    clockEvery: parts.clockEvery,
    noticeClock: parts.noticeClock,
    leaving: parts.leaving,
    fork: yield* FiberSet.runtime(calls)(),
    forkLook: yield* FiberMap.runtime(fibers)(),
    deliver: (delivery, closings) => Probes.deliver(probes, delivery, closings),
    closings: () => probes.closings,
    known: new Map(),
    underWay: 0,
    waiting: 0
  }
  const wake = (lanes: Iterable<string>): void => {
    for (const lane of lanes) Receiver.wake(receivers, lane)
  }
  return {
    wake,
    hand: (deliveries, at) => {
      for (const delivery of deliveries) Receiver.hand(receivers, fresh(delivery, at))
    },
    lookAround: () => Receiver.lookAround(receivers),
    underWay: () => receivers.underWay,
    isCalling: (deliveryId) => probes.calling.has(deliveryId)
  }
})

/** What the outbox says of a delivery that was put there at a moment. */
const fresh = (delivery: NewDelivery, at: number): DueDelivery => ({
  ...delivery,
  state: "pending",
  attempts: [],
  dueAt: at,
  begunAt: at,
  spent: 0,
  dead: undefined,
  disabled: undefined
})
