/**
 * Tells results to webhooks: signed, in the lane of each receiver, repeated on a schedule until a 2xx or its end.
 *
 * The outbox in the store is the truth; this only looks what is due, calls, and writes down what came back. A receiver
 * that is slow or dead keeps its own lane busy and nobody else's.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as FiberSet from "effect/FiberSet"
import * as Latch from "effect/Latch"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { Exchanging } from "../../transport/HttpTransport.ts"
import type { DeadReason } from "../job/Delivery.ts"
import type { L8 } from "../l8/L8.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import { metrics } from "../observe/Metrics.ts"
import * as DamTracing from "../observe/Tracing.ts"
import type { NextDelivery, DeliveryPort, DueDelivery } from "../store/DeliveryRecords.ts"
import type { JobPort } from "../store/JobRecords.ts"
import type { SecretPort } from "../store/SecretRecords.ts"
import { untilWritten } from "../store/StoreError.ts"
import { call } from "./Courier.ts"
import { brokenAttempt, mostJitter, nextOf, type DeliveryOptions, type Made } from "./Schedule.ts"
import type * as Signing from "./Signing.ts"

/**
 * The delivery duty.
 *
 * @category models
 * @since 0.1.0
 */
export interface Deliveries {
  /** Says that a delivery may be due in these lanes. */
  readonly wake: (lanes: Iterable<string>) => void
  /** How many are under way. */
  readonly underWay: () => number
}

/** When a store that failed is asked again. */
const askAgainAfter = 1000

/**
 * Makes the delivery duty; it runs in the scope until it closes, for the lanes that were woken. While `leaving` it finishes what is under way only.
 *
 * **Details** — each receiver's host has a fiber of its own for as long as it has pending deliveries, so that the
 * backlog of one takes no place from another's.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  store: DeliveryPort & Pick<SecretPort, "secrets"> & Pick<JobPort, "get">,
  lanes: LaneRouter,
  transport: Exchanging,
  options: DeliveryOptions,
  leaving: () => boolean,
  signer?: Signing.Signer,
  l8?: L8
): Effect.fn.Return<Deliveries, never, Scope.Scope> {
  const receivers = yield* FiberMap.make<string>()
  const calls = yield* FiberSet.make()
  const fork = yield* FiberMap.runtime(receivers)()
  const signals = new Map<string, Signal>()
  /** When the endpoints that were probed may be probed again: what was read before a probe does not know of it. */
  const probes = new Map<string, number>()
  let underWay = 0

  const attempt = Effect.fnUntraced(function* (delivery: DueDelivery, probed?: { readonly until: number }) {
    const made = yield* Effect.catchDefect(
      DamTracing.told(store, delivery, call(store, lanes, transport, options.timeoutMillis, delivery, signer, l8)),
      // a fault of this program: as an attempt it is seen, and not repeated at once
      (defect) => Effect.map(Clock.currentTimeMillis, (at) => brokenAttempt(at, String(defect)))
    )
    const next = nextOf(options.schedule, delivery, made, 1 + 0.2 * (yield* Random.next))
    yield* Metric.update(next._tag === "Delivered" ? metrics.delivered : metrics.undelivered, 1)
    const isFailedProbe = probed !== undefined && next._tag !== "Delivered" && made.status !== 410
    yield* settle(
      delivery,
      made,
      // the schedule is the receiver's chance to come back; it is not spent on looking whether it has
      isFailedProbe ? { _tag: "Again", dueAt: Math.max(probed.until, made.at + made.retryAfter), spends: false } : next
    )
  })

  const settle = Effect.fnUntraced(function* (delivery: DueDelivery, made: Made | undefined, next: NextDelivery) {
    const write = store.settleDelivery(delivery.id, made, next, options.endpoints)
    const { endpoint } = yield* untilWritten(delivery.jobId, write)
    if (endpoint === undefined) return
    const who = `the webhook endpoint of ${delivery.customer} at ${new URL(delivery.url).origin}`
    yield* endpoint === "enabled"
      ? Effect.logInfo(`${who} works again and is enabled`)
      : Effect.logWarning(
          made?.status === 410
            ? `${who} answered 410 and is disabled until it is enabled by hand`
            : `${who} has failed for too long and is disabled; it is probed from time to time`
        )
  })

  const giveUp = (delivery: DueDelivery, at: number, reason: DeadReason) =>
    settle(delivery, undefined, { _tag: "Dead", reason, at })

  /** Nothing is sent to a disabled endpoint but one probe at a time; the rest waits until its schedule would be over. */
  const deliver = Effect.fnUntraced(function* (delivery: DueDelivery) {
    const { customer, disabled, url } = delivery
    if (disabled === undefined) return yield* attempt(delivery)
    const now = yield* Clock.currentTimeMillis
    if (disabled.reason === "gone") return yield* giveUp(delivery, now, "receiver_gone")
    if (now > delivery.begunAt + patience) return yield* giveUp(delivery, now, "endpoint_disabled")
    const endpoint = `${customer} ${url}`
    const hold = (until: number) => untilWritten(delivery.jobId, store.holdEndpoint(customer, url, until))
    // of those that were read together, one is the probe
    const probeAt = Math.max(disabled.probeAt, probes.get(endpoint) ?? 0)
    if (probeAt > now) return yield* hold(probeAt)
    const until = now + options.endpoints.probeMillis
    for (const [other, over] of probes) if (over <= now) probes.delete(other)
    probes.set(endpoint, until)
    yield* hold(until)
    yield* attempt(delivery, { until })
  })

  const patience = Math.max(
    options.endpoints.probeMillis,
    mostJitter * options.schedule.reduce((sum, pause) => sum + Duration.toMillis(pause), 0)
  )

  /** Sees to one receiver until nothing is pending there. */
  const receiver = Effect.fnUntraced(function* (lane: string, signal: Signal) {
    const ids = new Set<string>()
    // looking costs the same for one delivery and for many: where enough is under way, half of it ends first
    let enough = 0
    const half = options.concurrency / 2
    const isTime = () => ids.size <= (signal.isNews ? half : Math.min(half, enough))
    const untilTime = Effect.gen(function* () {
      while (!isTime()) {
        signal.closeUnsafe()
        yield* signal.await
      }
    })
    while (true) {
      if (!isTime()) yield* Effect.timeoutOption(untilTime, askAgainAfter)
      signal.closeUnsafe()
      signal.isNews = false
      const now = yield* Clock.currentTimeMillis
      const due = leaving()
        ? nothingDue
        : yield* store.dueDeliveries(now, options.concurrency - ids.size, ids, lane).pipe(
            Effect.catch((error) =>
              Effect.as(Effect.logWarning(`deliveries: ${error.message}`), {
                ...nothingDue,
                nextDueAt: now + askAgainAfter
              })
            )
          )
      for (const delivery of due.deliveries) {
        ids.add(delivery.id)
        underWay++
        yield* FiberSet.run(
          calls,
          Effect.ensuring(
            deliver(delivery),
            Effect.sync(() => {
              ids.delete(delivery.id)
              underWay--
              signal.openUnsafe()
            })
          )
        )
      }
      enough = Math.floor(ids.size / 2)
      const isFull = ids.size >= options.concurrency
      if (!isFull && due.nextDueAt !== undefined) {
        yield* Effect.raceFirst(signal.await, Effect.sleep(Math.max(0, due.nextDueAt - now)))
      } else if (ids.size > 0 || leaving() || signal.isOpen()) {
        yield* signal.await
      } else {
        // nothing happens between looking and leaving, so nobody wakes a receiver that is gone
        signals.delete(lane)
        return
      }
    }
  })

  const wake = (woken: Iterable<string>) => {
    for (const lane of woken) {
      const known = signals.get(lane)
      if (known === undefined) {
        const signal: Signal = Object.assign(Latch.makeUnsafe(false), { isNews: false })
        signals.set(lane, signal)
        fork(lane, receiver(lane, signal))
      } else {
        known.isNews = true
        known.openUnsafe()
      }
    }
  }
  return { wake, underWay: () => underWay }
})

/** Opens when a delivery has ended, or with news: that there may be new ones. */
interface Signal extends Latch.Latch {
  isNews: boolean
}

const nothingDue = { deliveries: [], nextDueAt: undefined }
