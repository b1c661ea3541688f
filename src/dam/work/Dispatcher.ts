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
import type * as Scope from "effect/Scope"
import { isTerminal } from "../../engine/JobState.ts"
import type { JobState } from "../../engine/JobState.ts"
import { DeadlineExceeded, stepError } from "../../step/Outcome.ts"
import type { ResolvedRetryPolicy } from "../../step/RetryPolicy.ts"
import * as RetryPolicy from "../../step/RetryPolicy.ts"
import type { Exchanging } from "../../transport/HttpTransport.ts"
import * as DeadLetters from "../deliver/DeadLetters.ts"
import * as Deliveries from "../deliver/Deliveries.ts"
import * as Schedule from "../deliver/Schedule.ts"
import type { Signer } from "../deliver/Signing.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import { queueOf } from "../job/LaneName.ts"
import type { L8 } from "../l8/L8.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import * as Lanes from "../lane/Lanes.ts"
import type { Room, Permit } from "../lane/Permit.ts"
import * as Events from "../observe/Events.ts"
import { metrics } from "../observe/Metrics.ts"
import * as Stats from "../observe/Stats.ts"
import * as DamTracing from "../observe/Tracing.ts"
import type { Finish, Ticket } from "../store/JobRecords.ts"
import type { JobStore } from "../store/JobStore.ts"
import { untilWritten, type StaleEpoch, type StoreError } from "../store/StoreError.ts"
import * as Admission from "./Admission.ts"
import * as Duties from "./Duties.ts"
import type { Engine } from "./Engine.ts"
import { WrongState } from "./Engine.ts"
import * as Explain from "./Explain.ts"
import * as Reruns from "./Reruns.ts"
import * as Results from "./Results.ts"
import * as Runner from "./Runner.ts"

/**
 * How the dam works.
 *
 * @category models
 * @since 0.1.0
 */
export interface DispatcherOptions extends Admission.AdmissionOptions {
  readonly store: JobStore["Service"]
  /** What calls targets. */
  readonly transport: Exchanging
  /** What calls webhooks. */
  readonly webhooks: Exchanging
  readonly pacing: Lanes.PacingOptions
  readonly deliveries: Schedule.DeliveryOptions
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
  /** How long what runs may take to end when the dam stops, counted from `leave`; nothing else is started meanwhile. */
  readonly drain: Duration.Duration
  /** Signs deliveries with a key pair beside the customer's secrets. Defaults to none. */
  readonly signer?: Signer | undefined
  /** Signs deliveries for receivers that have proved themselves. Defaults to none. */
  readonly l8?: L8 | undefined
  readonly newId: Effect.Effect<string>
  readonly laneOf: (url: string) => string
}

/**
 * The defaults of everything that is a number.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaults = {
  ...Admission.defaults,
  pacing: {},
  deliveries: Schedule.defaults,
  unsetPolicy: RetryPolicy.defaults,
  attemptTimeout: Duration.seconds(60),
  patience429: Duration.hours(24),
  retention: Duration.hours(24),
  maxRunning: 10_000,
  drain: Duration.zero
} as const

/** How often it is looked whether a dam that stops has come to rest. */
const drainEvery = 20

/**
 * Starts the dam; it works in the scope until it closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: DispatcherOptions
): Effect.fn.Return<Engine["Service"], StoreError, Scope.Scope> {
  const { copiedAt, store } = options
  const events = Events.make(1000 * (yield* Clock.currentTimeMillis))
  const notes = Stats.make()
  const running = yield* FiberMap.make<string>()
  // jobs belong to the dam: nothing of whoever happens to call it goes along
  const fork = yield* FiberMap.runtime(running)()
  const told = (job: NewJob, state: JobState, isFirst = false) =>
    Effect.withFiber((fiber) => {
      const at = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
      events.publish({ jobId: job.id, state, at, customer: job.customer, lane: job.lane })
      if (isFirst && state !== "running") {
        notes.accepted(at)
        metrics.accepted.updateUnsafe(1, fiber.context)
      } else if (isFirst) {
        const waited = Math.max(0, at - Math.max(job.createdAt, job.notBefore ?? 0))
        notes.started(at, waited)
        metrics.wait.updateUnsafe(waited, fiber.context)
      } else if (state === "succeeded" || state === "failed" || state === "cancelled") {
        notes.ended(at, state, at - job.createdAt)
        metrics[state].updateUnsafe(1, fiber.context)
        metrics.total.updateUnsafe(at - job.createdAt, fiber.context)
      }
      return Effect.void
    })

  if (copiedAt === undefined) yield* store.recover

  let taken = 0
  // over a copy nothing is started or told, as if it were leaving from the beginning
  let leaving = copiedAt !== undefined
  let leftAt = 0
  const leave = Effect.map(Clock.monotonicTimeNanos, (nanos) => {
    if (leaving) return
    leaving = true
    leftAt = Number(nanos) / 1e6
  })
  const room: Room = {
    left: () => (leaving ? 0 : options.maxRunning - taken),
    take: () => void taken++
  }
  const giveBack = Effect.sync(() => {
    const wasFull = taken >= options.maxRunning
    taken--
    if (wasFull) lanes.roomLeft()
  })

  const start = (ticket: Ticket, permit: Permit): Effect.Effect<void, StoreError> =>
    Effect.onError(
      Effect.gen(function* () {
        const job = yield* store.start(ticket.id, yield* Clock.currentTimeMillis)
        // called off, or out of time, since its id was read
        if (job === undefined) return yield* Effect.andThen(permit.release, giveBack)
        yield* told(job, "running", job.epoch === 1)
        yield* FiberMap.run(running, job.id, Effect.ensuring(DamTracing.started(job, execute(job, permit)), giveBack))
      }),
      () => giveBack
    )

  const lanes: LaneRouter = yield* Lanes.make(store, options.pacing, start, room)
  const deliveries = yield* Deliveries.make(
    store,
    lanes,
    options.webhooks,
    options.deliveries,
    () => leaving,
    options.signer,
    options.l8
  )
  const runner: Runner.RunnerOptions = {
    ...options,
    lanes,
    attemptTimeout: Duration.toMillis(options.attemptTimeout),
    patience429: Duration.toMillis(options.patience429)
  }

  const execute = (job: StoredJob, permit: Permit): Effect.Effect<void> =>
    Effect.gen(function* () {
      const run = yield* Runner.run(runner, job, permit)
      switch (run._tag) {
        case "Stale":
          return
        case "Parked":
          return yield* written(
            job,
            store.park(job.id, job.epoch, run.dueAt, run.heldSince),
            Effect.andThen(told(job, "parked"), Effect.sync(lookAround))
          )
        case "Ended":
        case "Broken": {
          const finish = finishOf(job, run, yield* Clock.currentTimeMillis)
          if (run._tag === "Broken") yield* Effect.logError(`job ${job.id} is given up: ${run.problem}`)
          return yield* Effect.onInterrupt(
            written(job, store.finish(job.id, job.epoch, finish), finished(job, finish)),
            // called off while the end could not be written: that there was a call is not forgotten
            () => (finish.attempt ? Effect.ignore(store.record(job.id, job.epoch, finish.attempt)) : Effect.void)
          )
        }
      }
    })

  /** What follows from a write is never left out: nothing comes between the two. */
  const written = (job: StoredJob, write: Effect.Effect<void, StoreError | StaleEpoch>, then: Effect.Effect<void>) =>
    Effect.ignore(untilWritten(job.id, Effect.uninterruptible(Effect.andThen(write, then))))

  const finishOf = (
    job: StoredJob,
    run: Extract<Runner.RunEnd, { readonly _tag: "Ended" | "Broken" }>,
    at: number
  ): Finish => {
    if (run._tag === "Broken") return Results.finish(job, "failed", { at, result: Results.broken() }, options.laneOf)
    const { attempt, children, end } = run
    return end._tag === "StepError"
      ? Results.finish(job, "failed", { at, attempt, result: Results.failed(end), children }, options.laneOf)
      : Results.finish(
          job,
          "succeeded",
          { at, attempt, result: Results.succeeded(end), children, answeredBy: end.answeredBy },
          options.laneOf
        )
  }

  const finished = Effect.fnUntraced(function* (job: StoredJob, finish: Finish) {
    yield* told(job, finish.state)
    if (finish.deliveries.length > 0) deliveries.wake(new Set(finish.deliveries.map(({ lane }) => lane)))
    for (const child of finish.children) {
      if (!(yield* isStored(child))) continue
      yield* told(
        child,
        child.notBefore !== undefined && child.notBefore > child.createdAt ? "scheduled" : "queued",
        true
      )
      yield* lanes.wake(child.lane, queueOf(child))
    }
    if (finish.children.length > 0) lookAround()
  })

  /** A child is not, where the key it was given names an earlier job; other keys are made for it. */
  const isStored = ({ id, keyGiven }: NewJob): Effect.Effect<boolean> =>
    keyGiven
      ? Effect.match(store.get(id), { onFailure: () => true, onSuccess: (found) => found !== undefined })
      : Effect.succeed(true)

  const duties = yield* Duties.make(store, {
    released: (lane) => lanes.wake(lane),
    expire: (id) =>
      Effect.gen(function* () {
        const job = yield* store.get(id)
        if (job === undefined) return
        const at = yield* Clock.currentTimeMillis
        const after = job.step.onFailureTimeout ?? Duration.zero
        const error = stepError(job.step, new DeadlineExceeded({ afterMillis: Duration.toMillis(after) }), job.history)
        const { onFailure } = job.step
        const children = onFailure === undefined ? [] : [yield* Runner.childOf(runner, job, "onFailure", onFailure)]
        const finish = Results.finish(job, "failed", { at, result: Results.failed(error), children }, options.laneOf)
        yield* Effect.uninterruptible(
          Effect.flatMap(store.finishIdle(id, finish), (ended) => (ended ? finished(job, finish) : Effect.void))
        )
      }),
    retention: copiedAt === undefined ? Duration.toMillis(options.retention) : Number.POSITIVE_INFINITY
  })
  const lookAround = copiedAt === undefined ? duties.lookAround : () => undefined

  // everything is in place; now it begins
  for (const lane of yield* store.lanes) yield* lanes.wake(lane)
  deliveries.wake(yield* store.deliveryLanes)
  lookAround()

  // the last finalizer is the first to run: everything still works while it waits
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      yield* leave
      const until = leftAt + Duration.toMillis(options.drain)
      // looked at again and again rather than interrupted: a finalizer cannot count on that
      while (taken > 0 || deliveries.underWay() > 0) {
        const left = until - Number(yield* Clock.monotonicTimeNanos) / 1e6
        if (left <= 0) return
        yield* Effect.sleep(Math.min(drainEvery, left))
      }
    })
  )

  const admission = Admission.make(store, options)

  const submit = Effect.fnUntraced(function* (job: NewJob) {
    // whoever submitted may lose patience, but a job that is stored is looked after
    const file = Effect.uninterruptible(
      Effect.tap(store.enqueue(job), (enqueued) =>
        Effect.gen(function* () {
          if (enqueued._tag !== "Stored") return
          yield* told(job, enqueued.state, true)
          if (enqueued.state === "queued") yield* lanes.wake(job.lane, queueOf(job))
          if (enqueued.state === "scheduled" || job.step.onFailureTimeout !== undefined) lookAround()
        })
      )
    )
    return yield* admission.through(file)
  })

  /** A job whose fiber is gone, though the store could not be told why, is queued again. */
  const requeue = (jobId: string): Effect.Effect<void> =>
    Effect.gen(function* () {
      const job = yield* untilWritten(jobId, store.get(jobId))
      if (job?.state !== "running") return
      const now = yield* Clock.currentTimeMillis
      yield* written(job, store.park(jobId, job.epoch, now, job.heldSince), Effect.sync(lookAround))
    })

  const cancel = (job: StoredJob): Effect.Effect<StoredJob, StoreError | WrongState> =>
    Effect.gen(function* () {
      while (true) {
        const wasRunning = FiberMap.hasUnsafe(running, job.id)
        yield* FiberMap.remove(running, job.id)
        const ended = yield* Effect.onError(cancelOnce(job), () =>
          wasRunning ? Effect.sync(() => void fork(job.id, requeue(job.id))) : Effect.void
        )
        if (ended !== undefined) return ended
        // it was started, parked or released in the same moment
        yield* Effect.yieldNow
      }
    }).pipe(Effect.uninterruptible)

  const cancelOnce = Effect.fnUntraced(function* ({ id }: StoredJob) {
    const job = yield* store.get(id)
    if (job === undefined || isTerminal(job.state)) {
      const wanted = job === undefined ? "it is not known any more" : "it has ended already"
      return yield* new WrongState({ jobId: id, state: job?.state ?? "unknown", wanted })
    }
    const at = yield* Clock.currentTimeMillis
    const finish = Results.finish(job, "cancelled", { at, result: Results.cancelled }, options.laneOf)
    const ended =
      job.state === "running"
        ? yield* Effect.as(store.finish(id, job.epoch, finish), true).pipe(
            Effect.catchTag("StaleEpoch", () => Effect.succeed(false))
          )
        : yield* store.finishIdle(id, finish)
    if (!ended) return undefined
    yield* FiberMap.remove(running, id)
    yield* finished(job, finish)
    return (yield* store.get(id)) ?? job
  })

  return {
    submit,
    cancel,
    rerun: Reruns.make(submit, options.newId),
    events: events.follow,
    recent: events.recent,
    stats: Effect.map(Clock.currentTimeMillis, notes.read),
    lanes: lanes.views,
    steering: lanes.steering,
    explain: Explain.make(store, lanes),
    webhookKey: options.signer?.publicKey,
    l8: options.l8,
    deadLetters: DeadLetters.make(store, deliveries.wake),
    admission: Effect.map(admission.view, (view) => ({
      ...view,
      running_now: taken,
      max_running: options.maxRunning
    })),
    leave
  }
})
