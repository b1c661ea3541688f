/** A dam over a store in memory and scripted targets and receivers, in virtual time. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Dispatcher from "../../src/dam/work/Dispatcher.ts"
import type { Pace } from "../../src/engine/pace/Gate.ts"
import type { Setting } from "../../src/engine/pace/Meter.ts"
import { accountOf, laneOf } from "../../src/dam/job/LaneName.ts"
import type { NewJob, StoredJob } from "../../src/dam/job/Job.ts"
import type { JobStore } from "../../src/dam/store/JobStore.ts"
import * as SqliteJobStore from "../../src/dam/sqlite/SqliteJobStore.ts"
import * as Idempotency from "../../src/engine/Idempotency.ts"
import { isTerminal } from "../../src/engine/JobState.ts"
import type { Step as StepValue } from "../../src/step/StepModel.ts"
import * as Script from "../../src/testing/Script.ts"
import type { Exchanging } from "../../src/transport/HttpTransport.ts"

export type Store = JobStore["Service"]

export const url = "https://api.example/"
export const backup = "https://backup.example/"
export const hook = "https://hooks.example/done"

export const ok: Script.Input = { status: 200, body: "fine" }
export const busy: Script.Input = { status: 503 }
export const refusal = (seconds: number): Script.Input => ({
  status: 429,
  headers: { "Retry-After": String(seconds) }
})

/** No host of a test is slow by itself, unless the test says so. */
export const fast = { pace: { rps: 1000, maxConcurrent: 100 } }

/** A pace that is kept as it is set. */
export const fixed = (pace: Pace): Setting => ({ pace, finds: false, bursts: false })

let made = 0

/** A job of a step as intake makes it. */
export const jobOf = (step: StepValue, change: Partial<NewJob> = {}): Effect.Effect<NewJob> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const payload = Idempotency.hash(step.request)
    const given = step.idempotency._tag === "Custom" ? step.idempotency.key : undefined
    return {
      id: `job-${++made}`,
      customer: "local",
      dialect: "cloud",
      keyScope: "local",
      key: given ?? payload,
      keyGiven: given !== undefined,
      payload,
      step,
      lane: laneOf(step.request.url),
      account: accountOf("local", step.request.headers),
      isolated: false,
      createdAt: now,
      notBefore: step.retryAt,
      parent: undefined,
      rerunOf: undefined,
      traceparent: undefined,
      ...change
    }
  })

export interface Options extends Partial<Dispatcher.DispatcherOptions> {
  readonly target?: Script.Script
  readonly receivers?: Script.Script
  readonly regions?: ReadonlyArray<string>
  /** Changes the store the dam sees; what the test sees stays as it is. */
  readonly through?: (store: Store) => Store
}

/** A dam that lives as long as the scope of the test, or until it is stopped; a store that outlives it. */
export const setUp = Effect.fnUntraced(function* ({
  receivers,
  regions = [],
  target,
  through,
  ...options
}: Options = {}) {
  const store = options.store ?? (yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" }))
  const targets = yield* Script.make(target ?? Script.always(ok), { regions })
  const hooks = yield* Script.make(receivers ?? Script.always({ status: 204 }))
  let children = 0
  const begin = Effect.fnUntraced(function* (transport: Exchanging = targets) {
    const scope = yield* Scope.make()
    const engine = yield* Dispatcher.make({
      ...Dispatcher.defaults,
      pacing: fast,
      // the clocks of a test go alike: a look at them each second is most of what a day costs
      clockEvery: Duration.minutes(1),
      transport,
      webhooks: hooks,
      newId: Effect.sync(() => `child-${++children}`),
      laneOf,
      ...options,
      store: through?.(store) ?? store
    }).pipe(Effect.provideService(Random.Random, middle), Scope.provide(scope))
    return { engine, stop: Scope.close(scope, Exit.void) }
  })
  const first = yield* begin()
  yield* Effect.addFinalizer(() => first.stop)
  const submit = Effect.fnUntraced(function* (step: StepValue, change?: Partial<NewJob>) {
    const job = yield* jobOf(step, change)
    yield* first.engine.submit(job)
    return job.id
  })
  const get = (id: string) =>
    Effect.flatMap(store.get(id), (job) =>
      job === undefined ? Effect.die(new Error(`there is no job ${id}`)) : Effect.succeed(job)
    )
  return {
    ...first,
    begin,
    store,
    submit,
    get,
    /** Submits a step and lets the clock turn until its job has ended. */
    runToEnd: Effect.fnUntraced(function* (step: StepValue, change?: Partial<NewJob>) {
      const id = yield* submit(step, change)
      return yield* toEnd(get(id))
    }),
    /** Every call to a target as `host@region millisecond`. */
    sent: Effect.map(targets.exchanges, (calls) =>
      calls.map(({ asked, at }) => `${placeOf(asked.request.url, asked.region)} ${Math.round(at)}`)
    ),
    exchanges: targets.exchanges,
    /** Every call to a receiver. */
    told: hooks.exchanges
  }
})

const placeOf = (target: string, region: string | undefined) =>
  `${new URL(target).hostname.split(".")[0]}${region === undefined ? "" : `@${region}`}`

/** Draws the middle of every pause, and ids that no test looks at. */
export const middle: Random.Random = { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => 0.5 }

/** Turns the clock until the job has ended, two days at most. */
export const toEnd = Effect.fnUntraced(function* (
  get: Effect.Effect<StoredJob, unknown>,
  turn: Duration.Input = "1 minute"
) {
  for (let turns = 0; turns < 2 * 24 * 60; turns++) {
    const job = yield* Effect.orDie(get)
    if (isTerminal(job.state)) return job
    yield* TestClock.adjust(turn)
  }
  return yield* Effect.die(new Error("the job did not end"))
})

/** Every attempt as `path kind@region ending`. */
export const lines = (job: StoredJob): ReadonlyArray<string> =>
  job.history.map(({ ending, kind, path, region }) => {
    const how =
      ending._tag === "Answered" ? ending.status : ending._tag === "Failed" ? ending.failure._tag : "interrupted"
    return `${path} ${kind}${region === undefined ? "" : `@${region}`} ${how}`
  })
