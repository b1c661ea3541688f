/**
 * Permits of a dam: several programs share one pace, and each makes its calls itself.
 *
 * Every call asks the dam for its turn and reports back what it was answered; what the dam cannot be asked costs no call.
 * While it cannot be reached a program keeps a pace of its own, in memory, and asks again from time to time: no call waits
 * for a dam that is away, and none fails because of it.
 *
 * ```ts
 * const permits = DamPermits.layer({ dam: "http://127.0.0.1:8080" })
 * const transport = Paced.layerPermits().pipe(Layer.provide([permits, LocalTransport.layerFetch()]))
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Refusal from "../engine/Refusal.ts"
import type { PresetOptions } from "../presets/Known.ts"
import type * as FetchCall from "../transport/FetchCall.ts"
import type { Draw } from "../step/StepModel.ts"
import * as Asking from "./Asking.ts"
import * as DamCalls from "./DamCalls.ts"
import * as Lanes from "./Lanes.ts"
import * as LimitOptions from "../engine/limits/LimitOptions.ts"
import * as Pacing from "./Pacing.ts"
import { type Ask, LaneHeld, type Permit, Permits } from "./Permits.ts"

/**
 * Which dam is asked, and what holds while it cannot be.
 *
 * @category models
 * @since 0.1.0
 */
export interface DamPermitsOptions extends Pacing.PacingOptions {
  /** Base URL, such as `http://127.0.0.1:8080`. */
  readonly dam: string
  /** A key of the dam. Defaults to none, which a dam takes that has no keys. */
  readonly apiKey?: Redacted.Redacted | undefined
  /** Whose turn calls take among those of one customer: accounts take turns. Defaults to one for all. */
  readonly account?: string | undefined
  /** What is known of how hosts refuse. Defaults to `true`. */
  readonly presets?: boolean | PresetOptions | undefined
  /** Limits that this program keeps for itself. What else calls draw on are limits of the dam. Defaults to none. */
  readonly limits?: Readonly<Record<string, LimitOptions.LimitOptions>> | undefined
  /** How long a dam may take to answer what it can answer at once. Defaults to 5 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** Defaults to the platform's `fetch`, looked up at each call. */
  readonly fetch?: FetchCall.Fetch | undefined
}

/** Turns are asked for as long as that at once, in milliseconds, and again where none has come. */
const waitMillis = 20_000

/** A lease, and when it is renewed where its call still goes on, in milliseconds. */
const leaseMillis = 30_000
const renewAfter = 20_000

/** How long a dam that cannot be reached is left alone, in milliseconds: longer each time. */
const shortestRest = 1000
const longestRest = 30_000

/** How long what was answered last may still be reported when the program ends. */
const lastReports = 1000

interface State {
  readonly calls: DamCalls.DamCalls
  readonly account: string | undefined
  readonly rulesOf: (host: string) => Refusal.Rules | undefined
  /** What calls draw on, where they do: at no pace. */
  readonly limits: Permits["Service"]
  /** The pace that is kept while the dam cannot be reached. */
  readonly alone: Permits["Service"]
  /** Forks in the scope of it all, and waits for it at the end. */
  readonly report: (effect: Effect.Effect<unknown>) => Fiber.Fiber<unknown>
  readonly scope: Scope.Scope
  /** Monotonic milliseconds before which the dam is left alone, and how often in a row it could not be reached. */
  restsUntil: number
  failures: number
}

/**
 * Asks a dam for permits until the scope closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: DamPermitsOptions
): Effect.fn.Return<Permits["Service"], never, Scope.Scope> {
  const { limits = {}, presets = true } = options
  const { rulesOf } = Asking.make({ presets, laneOf: undefined, draws: undefined })
  const reports = yield* FiberSet.make<unknown>()
  const report = yield* FiberSet.runtime(reports)()
  yield* Effect.addFinalizer(() => Effect.timeoutOption(FiberSet.awaitEmpty(reports), lastReports))
  const self: State = {
    calls: DamCalls.make(options),
    account: options.account,
    rulesOf,
    limits: Lanes.make({
      settingOf: () => unpaced,
      rulesOf,
      limits: Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, LimitOptions.resolve(limit)]))
    }),
    alone: Lanes.make({ settingOf: Pacing.settings(options), rulesOf, limits: {} }),
    report,
    scope: yield* Effect.scope,
    restsUntil: Number.NEGATIVE_INFINITY,
    failures: 0
  }
  return {
    acquire: (ask) => {
      const isOwn = ({ name }: Draw) => Object.hasOwn(limits, name)
      const own = ask.draws.filter(isOwn)
      const turn = acquire(self, { ...ask, draws: ask.draws.filter((draw) => !isOwn(draw)) })
      return own.length === 0
        ? turn
        : Effect.flatMap(self.limits.acquire({ ...ask, draws: own }), (drawn) =>
            Effect.map(
              Effect.onExit(turn, (exit) => (Exit.isSuccess(exit) ? Effect.void : drawn.release)),
              (permit) => both(drawn, permit)
            )
          )
    }
  }
})

/**
 * Asks a dam for permits for as long as the program runs, where there are no scopes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeUnsafe = (options: DamPermitsOptions): Permits["Service"] =>
  Effect.runSync(Scope.provide(make(options), Scope.makeUnsafe()))

/**
 * Provides the permits of a dam.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: DamPermitsOptions): Layer.Layer<Permits> => Layer.effect(Permits, make(options))

const unpaced = { pace: { rps: 1e9, maxConcurrent: 1e9 }, finds: false, bursts: true }

/** What draws on limits here, and has its turn there. */
const both = (drawn: Permit, permit: Permit): Permit => ({
  depart: Effect.andThen(drawn.depart, permit.depart),
  hear: permit.hear,
  settles: drawn.settles,
  settle: drawn.settle,
  release: Effect.andThen(drawn.release, permit.release)
})

const acquire = Effect.fnUntraced(function* (self: State, ask: Ask): Effect.fn.Return<Permit, LaneHeld> {
  while (true) {
    const now = yield* monotonicMillis
    // the limits of a dam that is away are nobody's
    const alone = self.alone.acquire({ ...ask, draws: [] })
    if (self.restsUntil > now) return yield* alone
    // whoever asks first asks for all: nobody waits beside it for a dam that may still be away
    const isProbe = self.failures > 0
    if (isProbe) self.restsUntil = now + longestRest
    const wait = isProbe ? 0 : waitMillis
    const limits = ask.draws.length === 0 ? undefined : ask.draws.map((draw) => ({ ...draw }))
    const usual = { lane: ask.host, account: self.account, wait_ms: wait, lease_ms: leaseMillis, depart: true }
    const answer = yield* self.calls.acquire({ ...usual, limits }, wait)
    switch (answer._tag) {
      case "Granted":
        yield* isBack(self)
        return yield* permitOf(self, ask, answer.id)
      case "Later":
        yield* isBack(self)
        // a turn that has not come yet is asked for again at once
        if (!answer.isHeld) break
        if (answer.retryAfter > ask.patience) return yield* Effect.fail(new LaneHeld({ forMillis: answer.retryAfter }))
        yield* Effect.interruptible(Effect.sleep(answer.retryAfter))
        break
      case "Refused":
        yield* isBack(self)
        // a limit that nobody knows is a mistake, and kept by nobody
        return yield* ask.draws.length === 0 ? alone : Effect.die(new TypeError(`the dam: ${answer.problem}`))
      case "Away":
        // those that were under way together have found the same out
        if (isProbe || self.failures === 0) yield* isAway(self, answer.problem)
    }
  }
})

const isBack = (self: State): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (self.failures === 0) return Effect.void
    self.failures = 0
    self.restsUntil = Number.NEGATIVE_INFINITY
    return Effect.logInfo("the dam grants permits again")
  })

const isAway = (self: State, problem: string): Effect.Effect<void> =>
  Effect.flatMap(monotonicMillis, (now) => {
    self.restsUntil = now + Math.min(longestRest, shortestRest * 2 ** self.failures)
    self.failures++
    return self.failures > 1
      ? Effect.void
      : Effect.logWarning(
          `the dam grants no permits (${problem}); calls keep a pace of this program's own until it does`
        )
  })

/** How far a call has come. */
interface Course {
  sentAt: number | undefined
  answer: Refusal.Answer | undefined
  isOver: boolean
}

const permitOf = Effect.fnUntraced(function* (self: State, { host }: Ask, id: string) {
  const course: Course = { sentAt: undefined, answer: undefined, isOver: false }
  // only calls that take long get so far
  const renewing = yield* Effect.forkIn(
    Effect.forever(Effect.andThen(Effect.sleep(renewAfter), self.calls.renew(id))),
    self.scope
  )
  const ended = (report: Effect.Effect<unknown>): Effect.Effect<unknown> =>
    Effect.suspend(() => {
      if (course.isOver) return Effect.void
      course.isOver = true
      renewing.interruptUnsafe()
      return report
    })
  const permit: Permit = {
    // it has departed with its grant
    depart: Effect.map(Clock.currentTimeMillis, (now) => void (course.sentAt ??= now)),
    hear: (answer) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        course.answer = answer
        // what stops others is reported at once, and all else with the end of the call
        return Refusal.read(answer, now, self.rulesOf(host)).kind === "Taken"
          ? Effect.void
          : Effect.asVoid(
              // whoever loses patience takes no report back
              ended(Effect.suspend(() => Fiber.await(self.report(self.calls.report(id, answer, course.sentAt, true)))))
            )
      }),
    settles: "never",
    settle: () => Effect.void,
    release: Effect.asVoid(
      ended(
        Effect.sync(() => {
          const { answer, sentAt } = course
          self.report(sentAt === undefined ? self.calls.giveBack(id) : self.calls.report(id, answer, sentAt, false))
        })
      )
    )
  }
  return permit
})

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
