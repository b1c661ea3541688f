/** Chains whose steps take from the answer before them: a client runs them within one call, a dam as jobs of their own. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { isTerminal } from "../../src/engine/JobState.ts"
import * as Hosts from "../../src/run/Host.ts"
import * as Interpreter from "../../src/run/Interpreter.ts"
import * as RetryPolicy from "../../src/step/RetryPolicy.ts"
import type { Step } from "../../src/step/StepModel.ts"
import { makeStep } from "../../src/step/StepValue.ts"
import { takenUp } from "../../src/step/TakenUp.ts"
import { hang, later, start } from "../../src/testing/Answer.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import { between, fills, oneOf } from "../../src/testing/Generators.ts"
import type { Exchanging } from "../../src/transport/HttpTransport.ts"
import * as Strategies from "../../src/transport/Strategies.ts"
import { ending } from "../run/support.ts"
import { middle, setUp } from "./support.ts"

/** Each says which it is, so that what was taken from the wrong one shows. */
const AnyAnswer = Arbitrary.map(
  Arbitrary.all([oneOf([200, 201, 200, 404, 503]), oneOf([3, 170, 4100]), between(0, 3)]),
  ([status, delay, kind]) =>
    later(delay, { status, body: kind === 0 ? `no JSON after ${delay}` : { "a/b": `${status} after ${delay}` } })
)

/** In one place: who wins a race is no matter of data. Chance is the same for all here, so keys that are drawn would be too. */
const single = Arbitrary.map(Arbitraries.step({ depth: 0, types: ["PERFORMANCE", undefined] }), (step) =>
  makeStep({
    ...step,
    metadata: { tenant: "acme after all" },
    retryPolicy: undefined,
    retryAt: undefined,
    delay: undefined,
    onFailureTimeout: undefined,
    idempotency: { _tag: "Hash" },
    regions: [],
    regionPolicy: "fallback"
  })
)

/** One that takes something, and may have another after it. */
const taking = (after: Arbitrary.Arbitrary<Step | undefined>): Arbitrary.Arbitrary<Step> =>
  Arbitrary.map(Arbitrary.all({ step: single, some: fills, onSuccess: after }), ({ onSuccess, some, step }) =>
    makeStep({ ...step, fills: some, onSuccess })
  )
const never = Arbitrary.Constant(undefined)

const policy = { ...RetryPolicy.defaults, maxRetries: 1 }

const World = Arbitrary.all({
  step: Arbitrary.map(
    Arbitrary.all({ step: single, onSuccess: taking(taking(never)), onFailure: taking(never) }),
    ({ onFailure, onSuccess, step }) => makeStep({ ...step, onSuccess, onFailure })
  ),
  answers: Arbitrary.array(AnyAnswer, { minLength: 1, maxLength: 9 })
})
type World = typeof World extends Arbitrary.Arbitrary<infer A> ? A : never

/** What only a dam says of itself is left out of what is sent. */
const own = /^(?:idempotency-key|x-aqueduct-.*|x-ezthrottle-.*)$/i

const targets = ({ answers }: World) => {
  const made = new Map<string, number>()
  const calls: Array<string> = []
  const transport: Exchanging = {
    kind: "exchanging",
    regions: Effect.succeed([]),
    send: ({ request: { body, headers, method, url } }) =>
      Effect.suspend(() => {
        const count = made.get(url) ?? 0
        made.set(url, count + 1)
        const told = Object.entries(headers).filter(([name]) => !own.test(name))
        const text = typeof body === "string" ? body : new TextDecoder().decode(body)
        calls.push(JSON.stringify([url, method, told, text]))
        const offset = Array.from(url).reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
        return start(answers[(offset + count) % answers.length] ?? hang)()
      })
  }
  return { transport, calls: () => calls.toSorted() }
}

const inClient = (world: World) =>
  Effect.gen(function* () {
    const { calls, transport } = targets(world)
    const run = Interpreter.run(world.step, Strategies.only(transport), {
      ...Hosts.client,
      unsetPolicy: policy,
      attemptTimeout: () => 60_000,
      patience: () => Number.POSITIVE_INFINITY,
      acceptedAt: yield* Clock.currentTimeMillis
    })
    const fiber = yield* Effect.forkChild(Effect.provideService(ending(run), Random.Random, middle))
    for (let turns = 0; turns < 200 && fiber.pollUnsafe() === undefined; turns++) yield* TestClock.adjust("1 hour")
    assert.isDefined(fiber.pollUnsafe(), "the client's run did not end")
    return calls()
  }).pipe(Effect.provide(TestClock.layer()))

const inDam = (world: World) =>
  Effect.gen(function* () {
    const { calls, transport } = targets(world)
    const dam = yield* setUp({
      transport,
      unsetPolicy: policy,
      clockEvery: Duration.hours(1),
      pacing: { pace: { rps: 1e9, maxConcurrent: 1e9 }, burst: 1e6 }
    })
    yield* dam.submit(takenUp(world.step, yield* Clock.currentTimeMillis))
    const hasEnded = Effect.map(dam.store.list({ customer: "local", limit: 200 }), ({ jobs }) =>
      jobs.every(({ state }) => isTerminal(state))
    )
    let turns = 0
    while (!(yield* hasEnded) && turns++ < 200) yield* TestClock.adjust("1 hour")
    assert.isTrue(yield* hasEnded, "a job did not end")
    return calls()
  }).pipe(Effect.scoped, Effect.provide(TestClock.layer()))

describe("a chain with data", () => {
  let taken = 0

  it.effect.prop(
    "makes the same calls in the dam as it does in a client, with the same in them",
    [World],
    ([world]) =>
      Effect.gen(function* () {
        const expected = yield* inClient(world)
        assert.deepStrictEqual(yield* inDam(world), expected, JSON.stringify(world.step))
        if (expected.some((call) => call.includes("after"))) taken++
      }),
    // always the same; another seed to look further
    { arbitrary: { runs: 24, seed: process.env["DIFFERENTIAL_SEED"] ?? "a chain" }, timeout: 60_000 }
  )

  it("was drawn to take what an answer says", () => {
    assert.isAtLeast(taken, 4)
  })
})
