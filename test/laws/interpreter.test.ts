import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import * as Regions from "../../src/engine/Regions.ts"
import * as Hosts from "../../src/run/Host.ts"
import * as Interpreter from "../../src/run/Interpreter.ts"
import * as Straight from "../../src/run/Straight.ts"
import type { Failure } from "../../src/step/Failure.ts"
import { MalformedAnswer, ServiceDenied, ServiceUnreachable, TransportError } from "../../src/step/Failure.ts"
import type { History } from "../../src/step/History.ts"
import type { Chained, Outcome, StepError } from "../../src/step/Outcome.ts"
import { resolve } from "../../src/step/RetryPolicy.ts"
import * as Step from "../../src/step/Step.ts"
import type { Step as StepValue } from "../../src/step/StepModel.ts"
import { makeStep } from "../../src/step/StepValue.ts"
import { start } from "../../src/testing/Answer.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import { between, oneOf } from "../../src/testing/Generators.ts"
import * as Direct from "../../src/transport/Direct.ts"
import type { Exchanging, Transport } from "../../src/transport/HttpTransport.ts"
import * as Strategies from "../../src/transport/Strategies.ts"
import * as TimeLimit from "../../src/transport/TimeLimit.ts"
import { countingClock, drawing, ending, lines, toEnd } from "../run/support.ts"

// mostly FRUGAL at the root, because there is little to see of a step that is handed over at once
const AnyStep = Arbitrary.map(
  Arbitrary.all([
    Arbitraries.step({ depth: 2, types: ["FRUGAL", "PERFORMANCE", undefined], times: true }),
    between(0, 4)
  ]),
  ([step, choice]) => (choice === 0 ? step : Step.frugal(step))
)
const AnyAnswers = Arbitrary.array(Arbitraries.answer, { minLength: 1, maxLength: 12 })
const AnyRegions = Arbitrary.array(oneOf(["iad", "lax", "ord", "fra", "sin"]), { maxLength: 4 })
const AnySubmissions = Arbitrary.array(oneOf(["accept", "accept", "unreachable", "lost", "denied", "malformed"]), {
  minLength: 1,
  maxLength: 4
})
const Drawn = Arbitrary.map(between(0, 99), (n) => n / 100)
const World = Arbitrary.all({
  step: AnyStep,
  answers: AnyAnswers,
  regions: AnyRegions,
  submissions: AnySubmissions,
  drawn: Drawn,
  strategy: oneOf(["client", "local"])
})
type World = typeof World extends Arbitrary.Arbitrary<infer A> ? A : never

const egress = (region: string) => (region === "sin" ? "fra" : region)

/** A client whose n-th exchange gets the n-th answer, and whose n-th submission the n-th fate, both in turn for ever. */
const build = ({ answers, regions, strategy, submissions }: World, toLocal = (local: Exchanging) => local) => {
  const exchanges = new Map<StepValue, number>()
  let open = 0
  let sent = 0
  let submitted = 0
  let jobs = 0
  const watched = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      open++
      return Effect.onExit(effect, () => Effect.sync(() => void open--))
    })
  const local: Exchanging = {
    kind: "exchanging",
    regions: Effect.succeed(regions),
    egress,
    send: ({ step }) =>
      Effect.suspend(() => {
        exchanges.set(step, (exchanges.get(step) ?? 0) + 1)
        const answer = answers[sent++ % answers.length]
        return answer === undefined ? Effect.never : watched(start(answer)())
      })
  }
  const remote: Transport = {
    kind: "delegating",
    submit: () =>
      Effect.suspend(() => {
        const fate = submissions[submitted++ % submissions.length]
        const refusal = fate === undefined ? undefined : refusals[fate]
        if (refusal !== undefined) return Effect.fail(new TransportError({ reason: refusal }))
        const jobId = `job-${++jobs}`
        return Effect.succeed({
          _tag: "Receipt",
          jobId,
          status: "queued",
          idempotentKey: undefined,
          duplicate: false,
          answer: {}
        })
      })
  }
  const exchanging = toLocal(local)
  return {
    strategies: strategy === "client" ? Strategies.client(exchanging, remote) : Strategies.only(exchanging),
    exchanges,
    sent: () => sent + submitted,
    jobs: () => jobs,
    open: () => open
  }
}

const refusals: { readonly [fate: string]: Failure | undefined } = {
  unreachable: new ServiceUnreachable({ detail: "refused", maybeAccepted: false }),
  lost: new ServiceUnreachable({ detail: "timed out", maybeAccepted: true }),
  denied: new ServiceDenied({ detail: "quota" }),
  malformed: new MalformedAnswer({ problem: "not JSON", received: "<html>" })
}

/** The histories of an execution and of every child below it. */
const histories = (end: Outcome | StepError): ReadonlyArray<History> => {
  const chained: Chained | undefined = end._tag === "Accepted" ? undefined : end.chained
  if (chained?._tag === "Ended") return [end.history, ...histories(chained.outcome)]
  if (chained?._tag === "Failed") return [end.history, ...histories(chained.error)]
  return [end.history]
}

/** Design, section 4, point 3: starts, retries and reroutes. */
const mostExchanges = (step: StepValue, regions: ReadonlyArray<string>): number => {
  const policy = resolve(step.retryPolicy)
  const moves = Regions.plan(step, regions, egress).starts.length + policy.maxRetries + policy.maxReroutes
  // each of them may be slow
  return moves * (1 + (step.hedge?.max ?? 0))
}

/** Paths of an execution that were handed over and of which a job exists, or may. */
const jobsOf = (history: History): ReadonlySet<number> =>
  new Set(
    history.flatMap(({ ending, kind, path }) => {
      if (kind !== "forward" || ending._tag === "Interrupted") return []
      if (ending._tag === "Answered") return [path]
      const { failure } = ending
      const mayExist =
        failure._tag === "MalformedAnswer" || (failure._tag === "ServiceUnreachable" && failure.maybeAccepted)
      return mayExist ? [path] : []
    })
  )

const afresh = <A, E, R>(world: World, effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.provideService(Random.Random, drawing(world.drawn)), Effect.provide(TestClock.layer()))

describe("laws of the interpreter", () => {
  const seen: Record<string, number> = {}
  const see = (...what: ReadonlyArray<string>) => what.forEach((name) => (seen[name] = (seen[name] ?? 0) + 1))

  it.effect.prop(
    "any step over any network ends with an outcome or a typed error, sends no more than its policy allows, " +
      "becomes at most one job and leaves nothing behind",
    [World],
    ([world]) =>
      afresh(
        world,
        Effect.gen(function* () {
          const { exchanges, jobs, open, sent, strategies } = build(world)
          const { clock, openSleeps } = yield* countingClock
          const run = Effect.provideService(Interpreter.run(world.step, strategies), Clock.Clock, clock)
          const fiber = yield* Effect.forkChild(Effect.exit(run))
          for (let turns = 0; turns < 20 && fiber.pollUnsafe() === undefined; turns++)
            yield* TestClock.adjust("10 days")
          assert.isDefined(fiber.pollUnsafe(), "it ends")
          const exit = yield* Fiber.join(fiber)
          assert.isFalse(Exit.hasDies(exit), String(exit))
          assert.isFalse(Exit.hasInterrupts(exit))
          const end = yield* Effect.match(exit, {
            onSuccess: (outcome): Outcome | StepError => outcome,
            onFailure: (error) => error
          })
          see(end._tag, end._tag === "StepError" ? end.reason._tag : "good")

          for (const [step, count] of exchanges) assert.isAtMost(count, mostExchanges(step, world.regions))
          const all = histories(end)
          assert.strictEqual(all.flat().length, sent(), "every exchange and every submission is in a history")
          for (const history of all) {
            assert.isAtMost(jobsOf(history).size, 1, lines(history).join("; "))
            see(...history.map(({ ending, kind, path }) => `${path > 0 ? "fallback " : ""}${kind} ${ending._tag}`))
          }
          if (all.length > 1) see("chained")
          const accepted = all.flat().filter(({ ending, kind }) => kind === "forward" && ending._tag === "Answered")
          assert.strictEqual(accepted.length, jobs())

          assert.strictEqual(open(), 0, "no exchange is left open")
          assert.strictEqual(openSleeps(), 0, "nobody sleeps any more")
          const before = sent()
          yield* TestClock.adjust("10 days")
          assert.strictEqual(sent(), before)
        })
      ),
    { arbitrary: { runs: 1200 }, timeout: 60_000 }
  )

  afterAll(() => {
    const expected = [
      "Completed",
      "Accepted",
      "Rejected",
      "DeadlineExceeded",
      "ServiceUnreachable",
      "chained",
      "start Interrupted",
      "retry Answered",
      "reroute Answered",
      "forward Answered",
      "fallback start Answered",
      "fallback forward Answered"
    ]
    for (const what of expected) assert.isAtLeast(seen[what] ?? 0, 5, `the runs met too little of: ${what}`)
  })
})

describe("laws of interruption", () => {
  it.effect.prop(
    "a run interrupted at any moment sends nothing afterwards and leaves nothing behind",
    [World, between(0, 120_000)],
    ([world, moment]) =>
      afresh(
        world,
        Effect.gen(function* () {
          const { open, sent, strategies } = build(world)
          const { clock, openSleeps } = yield* countingClock
          const run = Effect.provideService(Interpreter.run(world.step, strategies), Clock.Clock, clock)
          const fiber = yield* Effect.forkChild(run)
          yield* TestClock.adjust(moment)
          yield* Fiber.interrupt(fiber)
          assert.strictEqual(open(), 0)
          assert.strictEqual(openSleeps(), 0)
          const before = sent()
          yield* TestClock.adjust("10 days")
          assert.strictEqual(sent(), before)
        })
      ),
    { arbitrary: { runs: 300 }, timeout: 60_000 }
  )
})

describe("laws of going on from a history", () => {
  it.effect.prop(
    "a run that goes on from any point of its history ends, and sends no more than its policy allows",
    [World, between(0, 99)],
    ([world, cut]) =>
      Effect.gen(function* () {
        const run = (history: History) =>
          afresh(
            world,
            Effect.gen(function* () {
              const { strategies } = build(world)
              yield* TestClock.adjust(Math.max(0, ...history.map(({ at, latency }) => Math.ceil(at + latency))))
              const host = { ...Hosts.client, history, acceptedAt: 0 }
              return yield* toEnd(ending(Interpreter.run(world.step, strategies, host)), "10 days")
            })
          )
        const whole = (yield* run([])).history
        const { history } = yield* run(whole.slice(0, Math.round((whole.length * cut) / 100)))
        const line = [world.step, ...world.step.fallbacks.map((fallback) => fallback.step)]
        for (const [path, step] of line.entries()) {
          const made = history.filter((attempt) => attempt.path === path && attempt.ending._tag !== "Interrupted")
          const exchanges = made.filter(({ kind }) => kind !== "forward")
          assert.isAtMost(exchanges.length, mostExchanges(step, world.regions), lines(history).join("; "))
        }
        assert.isAtMost(jobsOf(history).size, 1, lines(history).join("; "))
      }),
    { arbitrary: { runs: 500 }, timeout: 60_000 }
  )
})

/** In most of these worlds there is nothing that the straight way would leave alone. */
const Plain = Arbitrary.map(Arbitrary.all([World, between(0, 3)]), ([world, choice]): World => {
  if (choice === 0) return world
  const times = {
    retryAt: undefined,
    delay: undefined,
    startBefore: undefined,
    totalTimeout: undefined,
    timeoutHeader: undefined
  }
  const plain = { regions: [], ...times, onFailureTimeout: undefined, onSuccess: undefined }
  return { ...world, regions: [], step: makeStep({ ...world.step, ...plain, type: "FRUGAL" }) }
})

/** Its exchanges are begun without a fiber of the step, as those over undici and `fetch` are. */
const begun = (transport: Exchanging): Exchanging =>
  Direct.begunBy({ ...transport, regions: Direct.nowhere }, (exchange, { context }, done) => {
    const sent = Effect.runForkWith(context)(TimeLimit.limited(transport, exchange))
    let isStopped = false
    sent.addObserver((exit) => {
      if (!isStopped) done(exit)
    })
    return () => {
      isStopped = true
      sent.interruptUnsafe()
    }
  })

describe("laws of the straight way", () => {
  let straight = 0
  afterAll(() => assert.isAbove(straight, 200, "steps went straight"))

  it.effect.prop(
    "a step that is sent straight ends as by the interpreter alone: same end, attempts, pauses, moments and calls",
    [Plain, oneOf(["client", "begun", "paced", "slow record"])],
    ([world, kind]) =>
      Effect.gen(function* () {
        const run = (isStraight: boolean) =>
          afresh(
            world,
            Effect.gen(function* () {
              const { jobs, sent, strategies } = build(world, kind === "begun" ? begun : undefined)
              const host: Hosts.Host = {
                ...Hosts.client,
                paced: kind === "paced" ? (_, exchange) => Effect.delay(exchange, 7) : undefined,
                record: kind === "slow record" ? () => Effect.sleep(11) : undefined
              }
              const end = yield* toEnd(ending(Interpreter.run(world.step, strategies, host)), "10 days").pipe(
                Effect.provideService(Straight.Straight, isStraight)
              )
              return {
                tag: end._tag === "StepError" ? end.reason._tag : end._tag,
                attempts: histories(end).map((history) =>
                  history.map(({ response: _response, ending: how, ...facts }) => ({ ...facts, how: how._tag }))
                ),
                lines: histories(end).map(lines),
                sent: sent(),
                jobs: jobs()
              }
            })
          )
        const one = yield* run(true)
        assert.deepStrictEqual(one, yield* run(false))
        const transport = Straight.over(world.step, build(world).strategies, Hosts.client)
        if (transport !== undefined) straight++
      }),
    { arbitrary: { runs: 1000 }, timeout: 120_000 }
  )
})
