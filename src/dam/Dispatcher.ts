/**
 * The dam at work: takes jobs in, starts them when their lane lets them, keeps what is scheduled and parked on time, and
 * sees that results are told.
 *
 * Truth is in the store. After a crash everything that was running is queued again before anything else happens.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import { isTerminal } from "../engine/JobState.ts"
import type { JobState } from "../engine/JobState.ts"
import type { Step } from "../step/StepModel.ts"
import type { ResolvedRetryPolicy } from "../step/RetryPolicy.ts"
import * as RetryPolicy from "../step/RetryPolicy.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import * as Deliveries from "./Deliveries.ts"
import type { Engine } from "./Engine.ts"
import { Overloaded, WrongState } from "./Engine.ts"
import * as Events from "./Events.ts"
import type { StoredJob } from "./Job.ts"
import type { Finish, JobStore, StoreError, Ticket } from "./JobStore.ts"
import type { Permit } from "./Lane.ts"
import * as Lanes from "./Lanes.ts"
import * as Results from "./Results.ts"
import * as Runner from "./Runner.ts"

/**
 * How the dam works.
 *
 * @category models
 * @since 0.1.0
 */
export interface DispatcherOptions {
  readonly store: JobStore["Service"]
  /** What calls targets. */
  readonly transport: Exchanging
  /** What calls webhooks. */
  readonly webhooks: Exchanging
  readonly pacing: Lanes.PacingOptions
  readonly deliveries: Deliveries.DeliveryOptions
  /** What a step without a retry policy gets. */
  readonly unsetPolicy: ResolvedRetryPolicy
  /** Limit of one attempt. */
  readonly attemptTimeout: Duration.Duration
  /** How long a job waits for a host that answers 429, after its own first. */
  readonly patience429: Duration.Duration
  /** How long a finished job is kept once its webhooks are settled. */
  readonly retention: Duration.Duration
  /** Jobs running at once, over all lanes. */
  readonly maxRunning: number
  /** Jobs waiting before new ones are refused. */
  readonly maxQueued: number
  /** Bytes of the database before new jobs are refused. */
  readonly maxStoredBytes: number
  readonly newId: Effect.Effect<string>
  readonly laneOf: (url: string) => string
  readonly accountOf: (step: Step, parent: StoredJob) => string
}

/**
 * The defaults of everything that is a number.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaults = {
  pacing: {},
  deliveries: Deliveries.defaults,
  unsetPolicy: RetryPolicy.defaults,
  attemptTimeout: Duration.seconds(60),
  patience429: Duration.hours(24),
  retention: Duration.hours(24),
  maxRunning: 10_000,
  maxQueued: 5_000_000,
  maxStoredBytes: 50 * 1024 ** 3
} as const

/** How often the numbers for admission are read again, and how many finished jobs are deleted at once. */
const statsEvery = Duration.seconds(1)
const sweepEvery = Duration.minutes(1)
const sweepSize = 1000

/**
 * Starts the dam; it works in the scope until it closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: DispatcherOptions
): Effect.fn.Return<Engine["Service"], StoreError, Scope.Scope> {
  const { store } = options
  const events = Events.make()
  const running = yield* FiberMap.make<string>()
  const due = Latch.makeUnsafe(true)
  const told = (jobId: string, state: JobState) =>
    Effect.map(Clock.currentTimeMillis, (at) => events.publish({ jobId, state, at }))

  yield* store.recover

  let active = 0
  const start = (ticket: Ticket, permit: Permit): Effect.Effect<void> =>
    Effect.gen(function* () {
      const job = yield* store.start(ticket.id, yield* Clock.currentTimeMillis)
      if (job === undefined) return yield* permit.release
      active++
      yield* told(job.id, "running")
      yield* FiberMap.run(
        running,
        job.id,
        Effect.ensuring(
          execute(job, permit),
          Effect.sync(() => void active--)
        )
      )
    }).pipe(
      Effect.catch((error) => Effect.andThen(permit.release, Effect.logWarning(`job ${ticket.id}: ${error.message}`)))
    )

  const lanes: Lanes.Lanes = yield* Lanes.make(store, options.pacing, start, () => options.maxRunning - active)
  const wakeDeliveries = yield* Deliveries.make(store, lanes, options.webhooks, options.deliveries)

  const execute = (job: StoredJob, permit: Permit): Effect.Effect<void> =>
    Effect.gen(function* () {
      const end = yield* Runner.run(
        {
          ...options,
          lanes,
          attemptTimeout: Duration.toMillis(options.attemptTimeout),
          patience429: Duration.toMillis(options.patience429)
        },
        job,
        permit
      )
      if (end._tag === "Parked") {
        yield* told(job.id, "parked")
        due.openUnsafe()
      } else {
        yield* finished(job, end.finish)
      }
    }).pipe(
      // a job whose end could not be written stays `running` in the store and is recovered at the next start
      Effect.catchTag("StaleEpoch", () => Effect.void),
      Effect.catch((error) => Effect.logWarning(`job ${job.id}: ${error.message}`))
    )

  const finished = Effect.fnUntraced(function* (job: StoredJob, finish: Finish) {
    yield* told(job.id, finish.state)
    if (finish.deliveries.length > 0) yield* wakeDeliveries
    for (const child of finish.children) {
      if (child.notBefore === undefined) yield* lanes.wake(child.lane, child.account)
      else due.openUnsafe()
    }
  })

  // scheduled and parked jobs whose time has come
  yield* Effect.forkScoped(
    Effect.gen(function* () {
      while (true) {
        due.closeUnsafe()
        const now = yield* Clock.currentTimeMillis
        const released = yield* Effect.catch(store.release(now), (error) =>
          Effect.as(Effect.logWarning(`release: ${error.message}`), { lanes: [], nextDueAt: now + 1000 })
        )
        for (const lane of released.lanes) yield* lanes.wake(lane)
        const { nextDueAt } = released
        yield* nextDueAt === undefined
          ? due.await
          : Effect.raceFirst(due.await, Effect.sleep(Math.max(0, nextDueAt - now)))
      }
    })
  )

  // finished jobs that are old enough
  yield* Effect.forkScoped(
    Effect.gen(function* () {
      while (true) {
        yield* Effect.sleep(sweepEvery)
        const before = (yield* Clock.currentTimeMillis) - Duration.toMillis(options.retention)
        let deleted = sweepSize
        while (deleted === sweepSize) {
          deleted = yield* Effect.catch(store.sweep(before, sweepSize), (error) =>
            Effect.as(Effect.logWarning(`sweep: ${error.message}`), 0)
          )
        }
      }
    })
  )

  for (const lane of yield* store.lanes) yield* lanes.wake(lane)

  const stats = yield* Effect.cachedWithTTL(store.stats, statsEvery)
  const admit = Effect.gen(function* () {
    const { bytes, jobs } = yield* stats
    const queued = jobs.queued + jobs.scheduled + jobs.parked
    const refuse = (limitReason: string, limit: number, current: number) =>
      new Overloaded({ limitReason, limit, current, retryAfterSeconds: 10 })
    if (queued >= options.maxQueued) return yield* refuse("queued_jobs", options.maxQueued, queued)
    if (bytes >= options.maxStoredBytes) return yield* refuse("stored_bytes", options.maxStoredBytes, bytes)
  })

  return {
    submit: Effect.fnUntraced(function* (job) {
      yield* admit
      const enqueued = yield* store.enqueue(job)
      if (enqueued._tag === "Stored") {
        yield* told(job.id, enqueued.state)
        if (enqueued.state === "queued") yield* lanes.wake(job.lane, job.account)
        else due.openUnsafe()
      }
      return enqueued
    }),
    cancel: Effect.fnUntraced(function* (job) {
      const now = yield* Clock.currentTimeMillis
      const finish: Finish = {
        state: "cancelled",
        at: now,
        result: Results.cancelled,
        children: [],
        deliveries: Results.deliveriesOf(job, job.step, Runner.bodyOf(job, Results.cancelled, false), options.laneOf)
      }
      yield* FiberMap.remove(running, job.id)
      const current = yield* store.get(job.id)
      if (current === undefined || isTerminal(current.state)) {
        return yield* new WrongState({
          jobId: job.id,
          state: current?.state ?? job.state,
          wanted: "it has ended already"
        })
      }
      const ended =
        current.state === "running"
          ? yield* Effect.as(
              Effect.catchTag(store.finish(job.id, current.epoch, finish), "StaleEpoch", () => Effect.void),
              true
            )
          : yield* store.finishIdle(job.id, finish)
      if (ended) yield* finished(job, finish)
      return (yield* store.get(job.id)) ?? current
    }),
    events: events.follow,
    lanes: lanes.views,
    admission: Effect.map(stats, ({ bytes, deadDeliveries, jobs, pendingDeliveries }) => ({
      ...jobs,
      pending_deliveries: pendingDeliveries,
      dead_deliveries: deadDeliveries,
      stored_bytes: bytes,
      max_queued: options.maxQueued,
      max_stored_bytes: options.maxStoredBytes,
      running_now: active,
      max_running: options.maxRunning
    }))
  }
})
