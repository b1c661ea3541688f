/**
 * A budget and a breaker for each target that a program calls, shared by all of its steps.
 *
 * The budget bounds what is sent on top of calls, so that a thousand callers which retry are no flood. The breaker stops
 * calling a target that is down, and lets it come back by a ramp. Both are decided by `engine/Budget` and `engine/Breaker`;
 * this only obeys. Nothing of it is loaded, asked or paid for by a program that has no layer of it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Breaker from "../engine/Breaker.ts"
import * as BreakerOptions from "../engine/BreakerOptions.ts"
import * as Budget from "../engine/Budget.ts"
import { isTooMany } from "../engine/Decide.ts"
import { TransportError } from "../step/FailureModel.ts"
import type { EndedAttempt } from "../step/HistoryModel.ts"
import type { Step } from "../step/StepModel.ts"
import { BreakerOpen, BudgetExhausted } from "../step/Withheld.ts"
import type { Guarded } from "./Guard.ts"
import { Guard } from "./Guard.ts"
import { Straight } from "./Straight.ts"
import * as Targets from "./Targets.ts"

export type { BreakerOptions } from "../engine/BreakerOptions.ts"

/**
 * How large the budget of a target is.
 *
 * @category models
 * @since 0.1.0
 */
export interface BudgetOptions {
  /** Retries, reroutes and hedges that each call earns. Defaults to 0.2. */
  readonly share?: number | undefined
  /** How many there may be a minute beside that. Defaults to 10. */
  readonly perMinute?: number | undefined
  /** Which steps draw on it although they name a `retryPolicy`, which goes before a budget. Defaults to none. */
  readonly draws?: ((step: Step) => boolean) | undefined
}

/**
 * What holds for every target; `false`: none of that kind.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly budget?: BudgetOptions | false | undefined
  readonly breaker?: BreakerOptions.BreakerOptions | false | undefined
}

/**
 * How a target stands.
 *
 * @category models
 * @since 0.1.0
 */
export interface TargetStatus {
  /** Scheme, host and port. */
  readonly target: string
  /** Retries, reroutes and hedges that may be made now. */
  readonly budgetLeft: number
  readonly breaker: "closed" | "open" | "half_open" | "ramping" | "isolated"
  /** Why it is not closed. */
  readonly why: string | undefined
  /** The share of its calls that it gets now. */
  readonly share: number
}

/**
 * The targets of a program, to look at and to steer.
 *
 * @category services
 * @since 0.1.0
 */
export class Resilience extends Context.Service<
  Resilience,
  {
    /** The targets that were called, the last one at the end; 500 are remembered. */
    readonly targets: Effect.Effect<ReadonlyArray<TargetStatus>>
    /** Opens the breaker of a URL's target: it closes as after a failure. */
    readonly open: (url: string, why?: string) => Effect.Effect<void>
    /** Closes it, whatever it was. */
    readonly close: (url: string) => Effect.Effect<void>
    /** Keeps all calls away until it is closed by hand. */
    readonly isolate: (url: string, why?: string) => Effect.Effect<void>
    readonly guard: Guard
  }
>()("ezthrottle-effect/run/Resilience") {}

/**
 * Guards every step that is executed below it: one budget and one breaker for each target, both with their defaults unless
 * options say otherwise.
 *
 * **When to use** — many callers of one target, or a fallback that is better than waiting for a target which is down.
 * **Details** — a call that is withheld ends its path with `BreakerOpen` or `BudgetExhausted`; a fallback and forwarding
 * follow as after a call without an answer.
 * **Gotchas** — a `retryPolicy` goes before the budget unless `budget.draws` says otherwise, and its retries wait for
 * a breaker that is open.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<Resilience> =>
  Layer.effectContext(
    Effect.map(make(options), (self) =>
      Context.make(Resilience, self).pipe(Context.add(Guard, self.guard), Context.add(Straight, false))
    )
  )

/**
 * Makes the targets of a program.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options: Options = {}): Effect.fn.Return<Resilience["Service"]> {
  const rules = yield* rulesOf(options)
  const known: Known = new Map()
  const steer = (url: string, next: (breaker: Breaker.Breaker, drawn: Breaker.Drawn) => Breaker.Breaker) =>
    Effect.gen(function* () {
      const target = Targets.keeping(known, url, unknown(rules, yield* monotonicMillis))
      const drawn = { now: yield* monotonicMillis, draw: yield* Random.next }
      target.change((self) => ({ ...self, breaker: next(self.breaker, drawn) }))
    })
  return {
    targets: Effect.map(monotonicMillis, (now) =>
      Array.from(known, ([target, self]) => statusOf(rules, target, self, now))
    ),
    open: (url, why = "by hand") =>
      steer(url, (breaker, drawn) => Breaker.opened(breaker, rules.breaker ?? Breaker.defaults, { ...drawn, why })),
    close: (url) => steer(url, (breaker, { now }) => Breaker.shut(breaker, now)),
    isolate: (url, why) => steer(url, (breaker, { now }) => Breaker.isolated(breaker, now, why)),
    guard: guarding(rules, known)
  }
})

type Known = Map<string, Target>

interface Target {
  readonly budget: Budget.Budget
  readonly breaker: Breaker.Breaker
}

interface Rules {
  readonly budget: Budget.Settings | undefined
  readonly draws: (step: Step) => boolean
  /** `undefined`: none opens by itself. */
  readonly breaker: Breaker.Settings | undefined
}

const unknown = ({ budget = Budget.defaults }: Rules, now: number): Target => ({
  budget: Budget.full(budget, now),
  breaker: Breaker.closed
})

const guarding = (rules: Rules, known: Known): Guard =>
  Effect.fnUntraced(function* (call, make) {
    const from = yield* monotonicMillis
    const target = Targets.keeping(known, call.request.url, unknown(rules, from))
    let entry = enter(rules, call, target, from)
    while (typeof entry !== "number" && waits(entry, call)) {
      yield* Effect.sleep(entry.afterMillis)
      entry = enter(rules, call, target, yield* monotonicMillis)
    }
    if (typeof entry !== "number")
      // nobody waits for a hedge: the call beside it is under way
      return yield* call.facts.kind === "hedge" ? Effect.never : make(new TransportError({ reason: entry }))
    const era = entry
    const back = Effect.sync(() =>
      target.change((self) => ({ ...self, breaker: Breaker.givenBack(self.breaker, era) }))
    )
    return yield* Effect.tap(
      Effect.onInterrupt(make(), () => back),
      (attempt) => left(rules, target, era, attempt)
    )
  })

/** What a policy has promised to try again is tried again: it waits for the breaker, unless a hand keeps that open. */
const waits = (
  withheld: BreakerOpen | BudgetExhausted,
  { facts: { kind }, step }: Guarded
): withheld is BreakerOpen & { readonly afterMillis: number } =>
  withheld._tag === "BreakerOpen" &&
  withheld.afterMillis !== undefined &&
  step.retryPolicy !== undefined &&
  (kind === "retry" || kind === "reroute")

/** The era that a call leaves in, or why it is not made. */
const enter = (
  rules: Rules,
  call: Guarded,
  target: Targets.Keeping<Target>,
  now: number
): number | BreakerOpen | BudgetExhausted => {
  const self = target.now()
  const [breaker, answer] = Breaker.ask(self.breaker, rules.breaker ?? Breaker.defaults, now)
  const { origin } = new URL(call.request.url)
  if (answer._tag === "Wait") {
    target.change(() => ({ ...self, breaker }))
    const why = whyOf(breaker) ?? "by hand"
    return new BreakerOpen({ target: origin, why, afterMillis: finite(answer.until - now) })
  }
  const budget = rules.budget && pay(rules, rules.budget, call, self.budget, now)
  if (rules.budget !== undefined && budget === undefined) {
    target.change((it) => ({ ...it, breaker: Breaker.givenBack(breaker, answer.era) }))
    const before = endingBefore(call)
    return new BudgetExhausted({
      target: origin,
      status: before?._tag === "Answered" ? before.status : undefined,
      afterMillis: finite(Budget.wait(self.budget, rules.budget, now))
    })
  }
  target.change(() => ({ breaker, budget: budget ?? self.budget }))
  return answer.era
}

/** What is left once a call has earned, or what is on top of one has paid. */
const pay = (
  { draws }: Rules,
  settings: Budget.Settings,
  { facts, history, step }: Guarded,
  budget: Budget.Budget,
  now: number
): Budget.Budget | undefined => {
  switch (facts.kind) {
    case "start":
      return Budget.called(budget, settings, now)
    case "hedge":
      return Budget.paid(budget, settings, now)
    case "retry":
    case "reroute": {
      const before = endingBefore({ facts, history })
      // a target that says when to come back, or that there were too many, is asked as it wants to be
      const isInvited = before?._tag === "Answered" && (before.retryAfter !== undefined || isTooMany(before))
      const isOwn = step.retryPolicy !== undefined && !draws(step)
      return isInvited || isOwn ? budget : Budget.paid(budget, settings, now)
    }
    default:
      return budget
  }
}

const endingBefore = ({ facts, history }: Pick<Guarded, "facts" | "history">) =>
  history.findLast(({ path, racer }) => path === facts.path && racer === facts.racer)?.ending

const left = ({ breaker: settings }: Rules, target: Targets.Keeping<Target>, era: number, { ending }: EndedAttempt) =>
  Effect.gen(function* () {
    const said = Breaker.saidBy(ending)
    const drawn = { now: yield* monotonicMillis, draw: yield* Random.next }
    target.change((self) => ({
      ...self,
      breaker:
        said === "nothing" || (settings === undefined && self.breaker._tag === "Closed")
          ? Breaker.givenBack(self.breaker, era)
          : Breaker.ended(self.breaker, settings ?? Breaker.defaults, { era, isDown: said === "down", ...drawn })
    }))
  })

const statusOf = (
  { breaker: settings = Breaker.defaults, budget = Budget.defaults }: Rules,
  target: string,
  self: Target,
  now: number
): TargetStatus => {
  const breaker = Breaker.at(self.breaker, settings, now)
  return {
    target,
    budgetLeft: Budget.room(self.budget, budget, now),
    breaker: words[breaker._tag],
    why: whyOf(breaker),
    share: Breaker.share(breaker, settings, now)
  }
}

const words = {
  Closed: "closed",
  Open: "open",
  HalfOpen: "half_open",
  Ramping: "ramping",
  Isolated: "isolated"
} as const

const whyOf = (breaker: Breaker.Breaker): string | undefined => ("why" in breaker ? breaker.why : undefined)

const finite = (millis: number): number | undefined => (Number.isFinite(millis) ? Math.max(0, millis) : undefined)

/** Options that cannot be kept to are a defect. */
const rulesOf = ({ breaker = {}, budget = {} }: Options): Effect.Effect<Rules> => {
  const rules: Rules = {
    budget: budget === false ? undefined : { ...Budget.defaults, ...defined(budget) },
    draws: (budget === false ? undefined : budget.draws) ?? (() => false),
    breaker: breaker === false ? undefined : BreakerOptions.settingsOf(breaker, Breaker.defaults)
  }
  const problem = problemOf(rules)
  return problem === undefined ? Effect.succeed(rules) : Effect.die(new RangeError(problem))
}

const defined = ({ perMinute, share }: BudgetOptions): Partial<Budget.Settings> => ({
  ...(perMinute === undefined ? {} : { perMinute }),
  ...(share === undefined ? {} : { share })
})

const problemOf = ({ breaker, budget }: Rules): string | undefined =>
  budget !== undefined && !(budget.share >= 0 && budget.perMinute >= 0)
    ? "The share and the floor of a budget are 0 or more."
    : breaker && BreakerOptions.problemOf(breaker)

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
