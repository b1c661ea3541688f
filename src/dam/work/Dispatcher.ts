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
import type { Limit } from "../../engine/limits/Limit.ts"
import type { ResolvedRetryPolicy } from "../../step/RetryPolicy.ts"
import * as RetryPolicy from "../../step/RetryPolicy.ts"
import type { Exchanging } from "../../transport/HttpTransport.ts"
import * as DeadLetters from "../deliver/DeadLetters.ts"
import * as Deliveries from "../deliver/Deliveries.ts"
import * as Schedule from "../deliver/Schedule.ts"
import type { Links } from "../deliver/Links.ts"
import type { Signer } from "../deliver/Signing.ts"
import * as Egress from "../egress/EgressPolicy.ts"
import * as Limits from "../intake/Limits.ts"
import type { L8 } from "../l8/L8.ts"
import { type PacingOptions, ruleOf } from "../lane/Dial.ts"
import * as LaneNames from "../lane/LaneNames.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import * as Lanes from "../lane/Lanes.ts"
import * as Permits from "../lane/Permits.ts"
import * as CallLimits from "../lane/CallLimits.ts"
import * as Places from "../lane/Places.ts"
import * as Events from "../observe/Events.ts"
import * as History from "../observe/History.ts"
import type { NoticeOptions } from "../observe/Notice.ts"
import * as Stats from "../observe/Stats.ts"
import type { NamedSecrets } from "../secrets/NamedSecrets.ts"
import type { JobStore } from "../store/JobStore.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as Admission from "./Admission.ts"
import * as Batches from "./Batches.ts"
import * as Bulk from "./Bulk.ts"
import * as Cancelling from "./Cancelling.ts"
import * as Changing from "./Changing.ts"
import * as Duties from "./Duties.ts"
import * as Ends from "./Ends.ts"
import type { Engine, Terms } from "./Engine.ts"
import * as Explain from "./Explain.ts"
import * as Hastening from "./Hastening.ts"
import * as Leaving from "./Leaving.ts"
import * as Noticing from "./Noticing.ts"
import * as Orders from "./Orders.ts"
import * as Reruns from "./Reruns.ts"
import * as Schedules from "./Schedules.ts"
import type { RunnerOptions } from "./Run.ts"
import * as Shortages from "../lane/Shortages.ts"
import * as Starts from "./Starts.ts"
import * as Submitting from "./Submitting.ts"
import * as Telling from "./Telling.ts"

/**
 * How the dam works.
 *
 * @category models
 * @since 0.1.0
 */
export interface DispatcherOptions extends Admission.AdmissionOptions, Terms {
  readonly store: JobStore["Service"]
  /** What calls targets. */
  readonly transport: Exchanging
  /** What calls webhooks. */
  readonly webhooks: Exchanging
  readonly pacing: PacingOptions
  /** Limits that calls draw on together, by name. Defaults to none. */
  readonly callLimits?: Readonly<Record<string, Limit>> | undefined
  readonly deliveries: Schedule.DeliveryOptions
  /** What a step without a retry policy gets; a policy that leaves its lists out takes these. */
  readonly unsetPolicy: ResolvedRetryPolicy
  /**
   * Whether calls that change something are made again where they may have been carried out and their step does not say:
   * every one of them carries a key. Defaults to `true`.
   */
  readonly retryUnsafe: boolean
  /** Limit of one attempt. */
  readonly attemptTimeout: Duration.Duration
  /** How long a job waits for a host that answers 429, or for what this machine lacks to call it, after its own first time. */
  readonly patience429: Duration.Duration
  /** How long a finished job is kept once its webhooks are settled. */
  readonly retention: Duration.Duration
  /** How often the clock is looked at while jobs wait for a moment: it may be set. Defaults to a second. */
  readonly clockEvery: Duration.Duration
  /** Whether the store keeps an index of texts, to be filled. Defaults to `false`. */
  readonly textSearch?: boolean | undefined
  /** Jobs running at once, over all lanes. */
  readonly maxRunning: number
  /** Schedules of one customer. */
  readonly maxSchedules: number
  /** What headers of calls may name. Defaults to nothing. */
  readonly secrets?: NamedSecrets | undefined
  /** Signs deliveries with a key pair beside the customer's secrets. Defaults to none. */
  readonly signer?: Signer | undefined
  /** Makes links to answers that webhooks are not sent. Defaults to none. */
  readonly links?: Links | undefined
  /** Sends a link in place of the answer's body once a receiver has answered 413. Defaults to `false`. */
  readonly thinAfter413?: boolean | undefined
  /** Signs deliveries for receivers that have proved themselves. Defaults to none. */
  readonly l8?: L8 | undefined
  /** What operators are told, and where. Defaults to nothing. */
  readonly notices?: NoticeOptions | undefined
  /** What the door has against a call that was filled from an answer. Defaults to nothing. */
  readonly breach?: RunnerOptions["breach"]
  readonly newId: Effect.Effect<string>
  /** The lane of a host, as receivers of results have it. */
  readonly laneOf: (url: string) => string
  /** How calls find their lanes: made over the store. Defaults to by `pacing`. */
  readonly names?: LaneNames.LaneNames | undefined
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
  unsetPolicy: RetryPolicy.durable,
  retryUnsafe: true,
  attemptTimeout: Duration.seconds(60),
  patience429: Duration.hours(24),
  retention: Duration.hours(24),
  clockEvery: Duration.seconds(1),
  maxRunning: 10_000,
  maxSchedules: 1000,
  egress: Egress.open,
  limits: undefined,
  drain: Duration.zero
} as const

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
  const leaving = Leaving.make()
  // over a copy nothing is started or told, as if it were leaving from the beginning
  if (copiedAt !== undefined) yield* Leaving.leave(leaving)
  const isLeaving = () => Leaving.isLeaving(leaving)
  const { batchSignal, deliveries, ends, lanes, noticeClock, told, ...work } = yield* working(options, leaving)
  const notices = yield* Noticing.make({
    ...options,
    lanes,
    deliver: deliveries.wake,
    configured: options.notices ?? {},
    marks: options,
    leaving: isLeaving
  })
  const admission = Admission.make(store, options)
  const submit = Submitting.make({
    ...options,
    names: ends.runner.names,
    ends,
    joining: Ends.joiningOf(ends),
    admission,
    context: yield* Effect.context<never>()
  })
  const verbs = verbsOf({ ends, running: work.running, fork: work.fork }, submit, options.newId)
  const schedules = yield* Schedules.make({
    ...options,
    submit: verbs.submit,
    admit: admission.through,
    clockEvery: Duration.toMillis(options.clockEvery),
    noticeClock,
    leaving: isLeaving,
    credentials: options.credentials
  })
  const batches = yield* Batches.make({
    ...options,
    maxCustomerJobs: options.maxCustomerJobs,
    credentials: options.credentials,
    signal: batchSignal,
    ends,
    admit: admission.through,
    submit: verbs.submit,
    cancelJob: verbs.cancel,
    leaving: isLeaving
  })
  const room = () => ({ running_now: work.places.taken(), max_running: options.maxRunning })
  return {
    ...verbs,
    ...told,
    schedules,
    orders: Orders.make(store, ends.lookAround),
    batches,
    bulk: Bulk.make(store, verbs),
    lanes: lanes.views,
    steering: Hastening.steering(ends),
    permits: work.permits,
    callLimits: work.limits.steering,
    explain: Explain.make(store, lanes, deliveries.isCalling, options.secrets),
    ...termsOf(options),
    deadLetters: DeadLetters.make(store, deliveries.wake),
    admission: Effect.map(admission.view, (view) => ({ ...view, ...room() })),
    notices,
    shortage: Shortages.view(ends.runner.shortages),
    leave: Leaving.leave(leaving)
  }
})

/** Lanes that start jobs, and jobs that end and wake lanes: who comes first names the other in a function. */
const working = Effect.fnUntraced(function* (options: DispatcherOptions, leaving: Leaving.Leaving) {
  const { copiedAt, maxRunning, store } = options
  const events = Events.make(1000 * (yield* Clock.currentTimeMillis))
  const notes = Stats.make()
  const history = yield* History.make(store)
  const told = Telling.make({ events, notes, history, noteTexts: () => duties.noteTexts() })
  const running = yield* FiberMap.make<string>()
  // jobs belong to the dam: nothing of whoever happens to call it goes along
  const fork = yield* FiberMap.runtime(running)()
  if (copiedAt === undefined) yield* store.recover

  const isLeaving = () => Leaving.isLeaving(leaving)
  const places = Places.make(() => (isLeaving() ? 0 : maxRunning))
  const start = Starts.make({ store, running, told, execute: (job, permit) => Ends.execute(ends, job, permit) })
  const limits = yield* CallLimits.make(store, options.callLimits ?? {})
  const permitsIn = (lane: string): number => permits.held(lane)
  const names = options.names ?? (yield* namesOf(options))
  const laneParts = { start, room: places.of, limits: limits.book, called: history.called, permitsIn, names }
  const lanes: LaneRouter = yield* Lanes.make(store, options.pacing, laneParts)
  const most = Limits.make(options.limits).permits
  const permits: Permits.Permits = yield* Permits.make({ lanes, names, newId: options.newId, most, copiedAt })
  const shortages = Shortages.make()
  const noticeClock: Effect.Effect<void> = Effect.suspend(() => duties.noticeClock)
  const batchSignal = Latch.makeUnsafe(true)
  const deliveries = yield* deliveriesOf(options, { lanes, shortages, noticeClock, leaving: isLeaving })
  const ends: Ends.Ends = {
    store,
    lanes,
    runner: runnerOf(options, { lanes, names, shortages }),
    told,
    deliver: deliveries.wake,
    unwritten: new Map(),
    hand: deliveries.hand,
    lookAround: () => {
      if (copiedAt === undefined) duties.lookAround()
    },
    noticeClock,
    batchEnded: () => void batchSignal.openUnsafe()
  }
  const duties = yield* dutiesOf(options, ends, deliveries.lookAround)

  yield* begin(ends, store)
  // the last finalizer is the first to run: everything still works while it waits
  // what waits for longer than the dam drains is not waited for
  const underWay = (until: number) => places.taken() + deliveries.underWay() - lanes.stuck(until)
  yield* Effect.addFinalizer(() => Leaving.emptied(leaving, Duration.toMillis(options.drain), underWay))
  return {
    ends,
    lanes,
    limits,
    permits,
    places,
    deliveries,
    running,
    fork,
    noticeClock,
    batchSignal,
    told: {
      events: events.follow,
      recent: events.recent,
      history: history.read,
      stats: Effect.map(Clock.currentTimeMillis, notes.read)
    }
  }
})

/** What may be done with jobs. */
const verbsOf = (
  parts: Cancelling.Cancelling,
  submit: Engine["Service"]["submit"],
  newId: Effect.Effect<string>
): Pick<Engine["Service"], "cancel" | "change" | "rerun" | "runNow" | "submit"> => ({
  submit,
  cancel: (job) => Cancelling.cancel(parts, job),
  change: Changing.make(parts.ends, parts.ends.runner.names),
  runNow: (job) => Hastening.runNow(parts.ends, job),
  rerun: Reruns.make(submit, newId)
})

/** What is told of the settings to every way in. */
const termsOf = ({ credentials, drain, egress, l8, limits, links, secrets, signer }: DispatcherOptions) => ({
  webhookKey: signer?.publicKey,
  l8,
  secrets,
  links,
  terms: { egress, limits, drain, credentials }
})

const deliveriesOf = (
  { clockEvery, deliveries, l8, links, secrets, signer, store, thinAfter413, webhooks }: DispatcherOptions,
  parts: Pick<Deliveries.DeliveryParts, "lanes" | "leaving" | "noticeClock" | "shortages">
) =>
  Deliveries.make(
    {
      ...parts,
      store,
      transport: webhooks,
      signer,
      l8,
      secrets,
      links,
      thinAfter413,
      clockEvery: Duration.toMillis(clockEvery)
    },
    deliveries
  )

const dutiesOf = (
  { clockEvery, copiedAt, retention, store, textSearch = false }: DispatcherOptions,
  ends: Ends.Ends,
  clockWasSet: () => void
) =>
  Duties.make(store, {
    released: (lane) => ends.lanes.wake(lane),
    clockWasSet,
    expire: (id) => Ends.expire(ends, id),
    retention: copiedAt === undefined ? Duration.toMillis(retention) : Number.POSITIVE_INFINITY,
    clockEvery: Duration.toMillis(clockEvery),
    fillsTexts: textSearch && copiedAt === undefined
  })

/** Everything is in place; now what stands in the store goes on. */
const begin = Effect.fnUntraced(function* ({ deliver, lanes, lookAround }: Ends.Ends, store: JobStore["Service"]) {
  for (const lane of yield* store.lanes) yield* lanes.wake(lane)
  deliver(yield* store.deliveryLanes)
  lookAround()
})

/** Names by what is configured and known of hosts, and what operators say of them. */
const namesOf = ({ credentials, pacing, store }: DispatcherOptions) =>
  LaneNames.make(store, {
    ruleOf: (host) => ruleOf(pacing, host),
    credentialOf: (host) => pacing.lanes?.(host)?.credential,
    keysPerHost: pacing.keysPerHost,
    credentials
  })

const runnerOf = (
  options: DispatcherOptions,
  parts: Pick<RunnerOptions, "lanes" | "names" | "shortages">
): RunnerOptions => ({
  ...options,
  ...parts,
  attemptTimeout: Duration.toMillis(options.attemptTimeout),
  patience429: Duration.toMillis(options.patience429)
})
