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
import * as Latch from "effect/Latch"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { isGood } from "../engine/Decide.ts"
import * as Reply from "../step/Reply.ts"
import { post } from "../step/Step.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import * as EzthrottleSignature from "../wire/EzthrottleSignature.ts"
import type { DeliveryAttempt, StoredDelivery } from "./Job.ts"
import type { JobStore } from "./JobStore.ts"
import type { Lanes } from "./Lanes.ts"

/**
 * When a delivery is repeated, measured from the first attempt: at once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h,
 * 14 h, 20 h and 24 h more, each with up to a fifth of jitter.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultSchedule: ReadonlyArray<Duration.Duration> = [
  Duration.zero,
  Duration.seconds(5),
  Duration.minutes(5),
  Duration.minutes(30),
  Duration.hours(2),
  Duration.hours(5),
  Duration.hours(10),
  Duration.hours(14),
  Duration.hours(20),
  Duration.hours(24)
]

/**
 * How deliveries are made.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeliveryOptions {
  /** Pauses before the attempts; their number is the number of attempts. */
  readonly schedule: ReadonlyArray<Duration.Duration>
  /** Limit of one attempt in milliseconds. */
  readonly timeoutMillis: number
  /** Deliveries under way at once, over all receivers. */
  readonly concurrency: number
}

/**
 * The defaults: the schedule above, 15 seconds per attempt, 500 at once.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaults: DeliveryOptions = { schedule: defaultSchedule, timeoutMillis: 15_000, concurrency: 500 }

/**
 * Makes the delivery duty; it runs in the scope until it closes. The value wakes it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  store: JobStore["Service"],
  lanes: Lanes,
  transport: Exchanging,
  options: DeliveryOptions
): Effect.fn.Return<Effect.Effect<void>, never, Scope.Scope> {
  const wake = Latch.makeUnsafe(true)
  const underWay = yield* FiberMap.make<string>()
  const ids = new Set<string>()

  const deliver = Effect.fnUntraced(function* (delivery: StoredDelivery) {
    const attempt = yield* call(store, lanes, transport, options.timeoutMillis, delivery)
    const next = delivery.attempts.length + 1
    const pause = options.schedule[next]
    const settled = attempt.status !== undefined && isGood(attempt.status)
    const jitter = 1 + 0.2 * (yield* Random.next)
    yield* store.settleDelivery(
      delivery.id,
      attempt,
      settled
        ? { _tag: "Delivered" }
        : pause === undefined
          ? { _tag: "Dead" }
          : {
              _tag: "Again",
              dueAt: Math.ceil(attempt.at + attempt.latency + Duration.toMillis(pause) * jitter)
            }
    )
  })

  const once = Effect.gen(function* () {
    wake.closeUnsafe()
    const now = yield* Clock.currentTimeMillis
    const due = yield* store.dueDeliveries(now, options.concurrency - ids.size, ids)
    for (const delivery of due.deliveries) {
      ids.add(delivery.id)
      yield* FiberMap.run(
        underWay,
        delivery.id,
        deliver(delivery).pipe(
          Effect.catch((error) => Effect.logWarning(`delivery ${delivery.id}: ${error.message}`)),
          Effect.ensuring(
            Effect.sync(() => {
              ids.delete(delivery.id)
              wake.openUnsafe()
            })
          )
        )
      )
    }
    const isFull = ids.size >= options.concurrency
    return isFull || due.nextDueAt === undefined ? undefined : Math.max(0, due.nextDueAt - now)
  }).pipe(
    // the outbox is asked again in a second
    Effect.catch((error) => Effect.as(Effect.logWarning(`deliveries: ${error.message}`), 1000))
  )

  yield* Effect.forkScoped(
    Effect.gen(function* () {
      while (true) {
        const wait = yield* once
        yield* wait === undefined ? wake.await : Effect.raceFirst(wake.await, Effect.sleep(wait))
      }
    })
  )
  return Effect.sync(() => void wake.openUnsafe())
})

const call = Effect.fnUntraced(function* (
  store: JobStore["Service"],
  lanes: Lanes,
  transport: Exchanging,
  timeoutMillis: number,
  delivery: StoredDelivery
) {
  const secrets = yield* store.secrets(delivery.customer)
  const permit = yield* lanes.acquire(delivery.lane, "")
  return yield* Effect.ensuring(
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      const signed =
        secrets === undefined
          ? {}
          : {
              [EzthrottleSignature.headerName]: EzthrottleSignature.sign({
                body: delivery.body,
                secrets: [secrets.primary, ...(secrets.secondary === undefined ? [] : [secrets.secondary])].map(
                  (secret) => Redacted.make(secret)
                ),
                timestamp: Math.floor(at / 1000)
              })
            }
      const step = post(delivery.url, {
        headers: { "Content-Type": "application/json", ...signed },
        body: delivery.body
      })
      const answer = yield* Effect.result(
        Effect.timeoutOrElse(
          transport.send({ request: step.request, region: delivery.regions[0], step, timeoutMillis }),
          { duration: timeoutMillis, orElse: () => Effect.fail({ message: `no answer within ${timeoutMillis} ms` }) }
        )
      )
      const latency = (yield* Clock.currentTimeMillis) - at
      if (answer._tag === "Failure") {
        return {
          at,
          latency,
          status: undefined,
          error: answer.failure.message,
          excerpt: undefined
        } satisfies DeliveryAttempt
      }
      yield* lanes.observe(delivery.lane, "", answer.success)
      return {
        at,
        latency,
        status: answer.success.status,
        error: undefined,
        excerpt: Reply.text(answer.success).slice(0, 500)
      } satisfies DeliveryAttempt
    }),
    permit.release
  )
})
