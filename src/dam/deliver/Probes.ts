/**
 * One delivery to one endpoint: its attempt and what follows from it, and for an endpoint that is disabled a probe from
 * time to time instead.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import type { DeadReason } from "../job/Delivery.ts"
import { receiverLane } from "../job/LaneName.ts"
import * as Shortages from "../lane/Shortages.ts"
import { metrics } from "../observe/Metrics.ts"
import * as DamTracing from "../observe/Tracing.ts"
import type { NextDelivery, DeliveryPort, DueDelivery } from "../store/DeliveryRecords.ts"
import type { JobPort } from "../store/JobRecords.ts"
import { untilWritten } from "../store/StoreError.ts"
import { call, type Courier } from "./Courier.ts"
import type { DeadLetters } from "./DeadLetters.ts"
import { brokenAttempt, mostJitter, nextOf, type DeliveryOptions, type Made } from "./Schedule.ts"

/** What deliveries are made with. */
export interface Probes {
  readonly store: DeliveryPort & Pick<JobPort, "get">
  readonly courier: Courier
  readonly options: DeliveryOptions
  /** When the endpoints that were probed may be probed again: what was read before a probe does not know of it. */
  readonly probed: Map<string, number>
  /** Endpoints that were disabled, and which disabling of all it was: what was read before does not know of it. */
  readonly closed: Map<string, number>
  closings: number
  /** Ids of deliveries that are at their receiver now. */
  readonly calling: Set<string>
  /** Whether nothing is begun any more. */
  readonly leaving: () => boolean
  /** Delivers dead letters once more. */
  readonly replay: DeadLetters["replay"]
  /** How long what waits for a disabled endpoint, or for what this machine lacks, is kept, in milliseconds. */
  readonly patience: number
}

/** Makes it with nothing probed. */
export const make = (given: Pick<Probes, "courier" | "leaving" | "options" | "replay" | "store">): Probes => {
  const { endpoints, schedule } = given.options
  const whole = schedule.reduce((sum, pause) => sum + Duration.toMillis(pause), 0)
  return {
    ...given,
    probed: new Map(),
    closed: new Map(),
    closings: 0,
    calling: new Set(),
    patience: Math.max(endpoints.probeMillis, mostJitter * whole)
  }
}

/**
 * Nothing is sent to a disabled endpoint but one probe at a time; the rest waits until its schedule would be over. Answers
 * whether the delivery is settled, and nothing that waits is due at another time because of it.
 */
export const deliver = Effect.fnUntraced(function* (
  self: Probes,
  delivery: DueDelivery,
  /** How many endpoints had been disabled when this was known of its own. */
  closings: number
): Effect.fn.Return<boolean> {
  const { customer, disabled, url } = delivery
  if (disabled === undefined) return yield* attempt(self, delivery, closings)
  const now = yield* Clock.currentTimeMillis
  if (disabled.reason === "gone") return yield* giveUp(self, delivery, now, "receiver_gone")
  if (now > delivery.begunAt + self.patience) return yield* giveUp(self, delivery, now, "endpoint_disabled")
  const endpoint = endpointOf(delivery)
  const hold = (until: number) => untilWritten(delivery.jobId, self.store.holdEndpoint(customer, url, until))
  // of those that were read together, one is the probe
  const probeAt = Math.max(disabled.probeAt, self.probed.get(endpoint) ?? 0)
  if (probeAt > now) {
    yield* hold(probeAt)
    return false
  }
  const until = now + self.options.endpoints.probeMillis
  for (const [other, over] of self.probed) if (over <= now) self.probed.delete(other)
  self.probed.set(endpoint, until)
  yield* hold(until)
  return yield* attempt(self, delivery, self.closings, { until })
})

const attempt = Effect.fnUntraced(function* (
  self: Probes,
  delivery: DueDelivery,
  closings: number,
  probe?: { readonly until: number }
): Effect.fn.Return<boolean> {
  const { schedule, timeoutMillis } = self.options
  const endpoint = endpointOf(delivery)
  // it may wait for its turn for long, and the receiver be gone when it comes
  const isWanted = () => {
    const goes = !self.leaving() && (self.closed.get(endpoint) ?? 0) <= closings
    if (goes) self.calling.add(delivery.id)
    return goes
  }
  const made = yield* Effect.catchDefect(
    Effect.ensuring(
      DamTracing.told(self.store, delivery, call(self.courier, delivery, timeoutMillis, { isWanted })),
      Effect.sync(() => void self.calling.delete(delivery.id))
    ),
    // a fault of this program: as an attempt it is seen, and not repeated at once
    (defect) => Effect.map(Clock.currentTimeMillis, (at) => brokenAttempt(at, String(defect)))
  )
  // it is as the store has it, and is looked at anew
  if (made === undefined) return false
  if (made.lacks !== undefined && made.at <= delivery.begunAt + self.patience) {
    // says nothing of the receiver: its lane is held, and then it is looked at anew
    const { lane, jobId } = delivery
    yield* Shortages.note(self.courier.shortages, self.courier.lanes, {
      lane: receiverLane(lane),
      account: "",
      jobId,
      detail: made.lacks
    })
    return false
  }
  const next = nextOf(schedule, delivery, made, 1 + 0.2 * (yield* Random.next))
  yield* Metric.update(next._tag === "Delivered" ? metrics.delivered : metrics.undelivered, 1)
  const isFailedProbe = probe !== undefined && next._tag !== "Delivered" && made.status !== 410
  return yield* settle(
    self,
    delivery,
    made,
    // the schedule is the receiver's chance to come back; it is not spent on looking whether it has
    isFailedProbe ? { _tag: "Again", dueAt: Math.max(probe.until, made.at + made.retryAfter), spends: false } : next
  )
})

const close = (self: Probes, endpoint: string): void => {
  // beyond so many, those that were read before are called once more
  if (self.closed.size >= mostClosed) self.closed.clear()
  self.closed.set(endpoint, ++self.closings)
}

const mostClosed = 10_000

const endpointOf = ({ customer, url }: DueDelivery): string => `${customer} ${url}`

const giveUp = (self: Probes, delivery: DueDelivery, at: number, reason: DeadReason) =>
  settle(self, delivery, undefined, { _tag: "Dead", reason, at })

const settle = Effect.fnUntraced(function* (
  self: Probes,
  delivery: DueDelivery,
  made: Made | undefined,
  next: NextDelivery
): Effect.fn.Return<boolean> {
  const { options, store } = self
  const write = store.settleDelivery(delivery.id, made, next, options.endpoints)
  const { endpoint, recoveredFrom } = yield* untilWritten(delivery.jobId, write)
  // after an answer 2xx nothing of this delivery is left to do, nor of others where its endpoint was well before
  const isDelivered = next._tag === "Delivered" && recoveredFrom === undefined
  if (isDelivered) return true
  if (recoveredFrom !== undefined && options.redrive === true) yield* redrive(self, delivery, recoveredFrom)
  const { origin } = new URL(delivery.url)
  if (next._tag === "Dead" && next.reason === "too_large") {
    yield* Effect.logWarning(
      `the result of job ${delivery.jobId} is too large for ${origin}, which answered 413 twice: raise the limit of bodies there, then replay the dead letter`
    )
  }
  if (endpoint === undefined) return false
  if (endpoint === "disabled") close(self, endpointOf(delivery))
  const who = `the webhook endpoint of ${delivery.customer} at ${origin}`
  yield* endpoint === "enabled"
    ? Effect.logInfo(`${who} works again and is enabled`)
    : Effect.logWarning(
        made?.status === 410
          ? `${who} answered 410 and is disabled until it is enabled by hand`
          : `${who} has failed for too long and is disabled; it is probed from time to time`
      )
  return false
})

/**
 * Tells an endpoint that works again what was given up since it began to fail, at the pace of its lane. A result that is
 * older stays given up, and so does what it refused for itself: neither comes back for ever.
 */
const redrive = Effect.fnUntraced(function* (self: Probes, { customer, url }: DueDelivery, failingSince: number) {
  const oldest = (yield* Clock.currentTimeMillis) - redriveMillis
  const replayed = yield* self
    .replay({
      customer,
      url,
      since: failingSince,
      endedSince: oldest,
      reasons: ["attempts_exhausted", "endpoint_disabled"]
    })
    .pipe(Effect.catch((error) => Effect.as(Effect.logWarning(`redrive: ${error.message}`), 0)))
  if (replayed === 0) return
  yield* Effect.logInfo(
    `the webhook endpoint of ${customer} at ${new URL(url).origin} works again: ${replayed} dead letters of its outage are delivered once more`
  )
})

const redriveMillis = 7 * 24 * 3_600_000
