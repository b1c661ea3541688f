import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Straight from "../../src/run/Straight.ts"
import { ConnectionFailed } from "../../src/step/Failure.ts"
import * as Step from "../../src/step/Step.ts"
import { hang, later, type Answer, start } from "../../src/testing/Answer.ts"
import type { Step as StepValue } from "../../src/step/StepModel.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import { between, oneOf } from "../../src/testing/Generators.ts"
import * as Direct from "../../src/transport/Direct.ts"
import type { Exchanging } from "../../src/transport/HttpTransport.ts"
import * as TimeLimit from "../../src/transport/TimeLimit.ts"
import type { PacingOptions } from "../../src/dam/lane/Dial.ts"
import { fast, hook, jobOf, setUp, toEnd, url } from "./support.ts"

const reply = (status: number): Answer => later(5, { status })

/** What each call gets: mostly what a straight call ends with, and everything that is left to the interpreter. */
const AnyAnswer: Arbitrary.Arbitrary<Answer> = Arbitrary.map(
  Arbitrary.all([
    oneOf([200, 201, 204, 404, 429, 500, 503, 301, 303]),
    Arbitraries.failure,
    between(0, 11),
    oneOf([0, 3, 1300])
  ]),
  ([status, failure, kind, delay]) => {
    if (kind === 11) return hang
    if (kind > 8) return later(delay, { _tag: "Fail", failure })
    const headers: Record<string, string> =
      status === 429 ? { "Retry-After": "3" } : status < 400 && status > 299 ? { Location: "/elsewhere" } : {}
    return later(delay, { status, headers, body: `after ${delay}` })
  }
)

const World = Arbitrary.map(
  Arbitrary.all([
    oneOf(["GET", "POST", "PUT"]),
    between(0, 3),
    oneOf([true, false]),
    Arbitrary.array(AnyAnswer, { minLength: 1, maxLength: 4 })
  ]),
  ([method, maxRetries, hasKey, answers]) => {
    const step = Step.retryPolicy(Step.make(url, { method }), { maxRetries, base: "1 second" })
    return { step: hasKey ? Step.idempotentKey(step, "given") : step, answers: [...answers, reply(200)] }
  }
)

interface World {
  readonly step: StepValue
  readonly answers: ReadonlyArray<Answer>
}

/** Its exchanges are begun without a fiber of the job, as those over undici are. */
const targets = (answers: ReadonlyArray<Answer>) => {
  let sent = 0
  const transport: Exchanging = {
    kind: "exchanging",
    regions: Direct.nowhere,
    send: () => Effect.suspend(() => start(answers[sent++ % answers.length] ?? hang)())
  }
  let begun = 0
  Direct.begunBy(transport, (exchange, { context }, done) => {
    begun++
    const call = Effect.runForkWith(context)(TimeLimit.limited(transport, exchange))
    let isStopped = false
    call.addObserver((exit) => {
      if (!isStopped) done(exit)
    })
    return () => {
      isStopped = true
      call.interruptUnsafe()
    }
  })
  return { transport, sent: () => sent, begun: () => begun }
}

/** A job in a dam of its own, and all that can be seen of it. */
const seen = ({ answers, step }: World, isStraight: boolean, { cancelAfter, pacing = fast }: Around = {}) =>
  Effect.gen(function* () {
    const { begun, sent, transport } = targets(answers)
    const dam = yield* setUp({ transport, pacing, patience429: Duration.seconds(20) })
    yield* dam.engine.submit(yield* jobOf(Step.webhooks(step, [{ url: hook }]), { id: "job" }))
    if (cancelAfter !== undefined) {
      yield* TestClock.adjust(cancelAfter)
      yield* Effect.ignore(dam.engine.cancel(yield* dam.get("job")))
    }
    const { history, result, ...job } = yield* toEnd(dam.get("job"))
    yield* TestClock.adjust("1 minute")
    const lanes = (yield* dam.engine.lanes).map(({ calls, lane, open, waiting }) => ({ calls, lane, open, waiting }))
    const events = dam.engine.recent.since(0).events.map(({ at, state }) => `${state} ${at}`)
    const told = (yield* dam.told).map(({ asked, at }) => ({ at, request: asked.request }))
    return { begun: begun(), seen: { job, history, result, lanes, events, told, sent: sent() } }
  }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.provideService(Straight.Straight, isStraight))

/** What it is in. */
interface Around {
  readonly cancelAfter?: number
  readonly pacing?: PacingOptions
}

const both = Effect.fnUntraced(function* (world: World, around?: Around) {
  const straight = yield* seen(world, true, around)
  const walked = yield* seen(world, false, around)
  assert.deepStrictEqual(straight.seen, walked.seen, JSON.stringify(world.step))
  assert.strictEqual(walked.begun, 0)
  return straight
})

const get = Step.get(url)

describe("the first attempt of a plain job", () => {
  let straight = 0
  afterAll(() => assert.isAbove(straight, 15, "jobs went straight"))

  it.effect.prop(
    "made straight or not: same end, attempts, moments, calls, events, webhooks, and every permit given back",
    [World],
    ([world]) => Effect.map(both(world), ({ begun }) => void (straight += begun)),
    { arbitrary: { runs: 30 }, timeout: 60_000 }
  )

  it.effect("is made straight where it may be, and ends with a 2xx", () =>
    Effect.gen(function* () {
      const { begun, seen: it } = yield* both({ step: get, answers: [reply(200)] })
      assert.deepStrictEqual([begun, it.sent], [1, 1])
      assert.deepInclude(it.job, { state: "succeeded", deliveryState: "delivered" })
    })
  )

  it.effect("is the first of those that follow", () =>
    Effect.gen(function* () {
      const step = Step.retryPolicy(get, { maxRetries: 2 })
      const { begun, seen: it } = yield* both({ step, answers: [reply(503), reply(503), reply(200)] })
      assert.deepStrictEqual([begun, it.sent], [1, 3])
      assert.lengthOf(it.history, 3)
    })
  )

  it.effect("that cannot be made for want of something here holds the lane", () =>
    Effect.gen(function* () {
      const failure = new ConnectionFailed({ kind: "shortage", detail: "no socket" })
      const { seen: it } = yield* both({ step: get, answers: [{ _tag: "Fail", failure }, reply(200)] })
      assert.deepInclude(it.job, { state: "succeeded" })
      assert.strictEqual(it.sent, 2)
    })
  )

  it.effect("whose answer cannot be read is given up, with its permit, and breaks nothing else", () =>
    Effect.gen(function* () {
      const read = () => {
        throw new Error("a fault in the rules of a host")
      }
      const pacing = { ...fast, rules: () => ({ read }) }
      const { begun, seen: it } = yield* both({ step: get, answers: [reply(200)] }, { pacing })
      assert.strictEqual(begun, 1)
      assert.deepInclude(it.job, { state: "failed" })
      assert.deepInclude(it.result?.error, { tag: "Defect" })
      assert.isTrue(it.lanes.every(({ open, waiting }) => open === 0 && waiting === 0))
    })
  )

  for (const after of [0, 2, 4, 5, 6]) {
    it.effect(`that is called off after ${after} ms leaves the same`, () =>
      Effect.gen(function* () {
        const { seen: it } = yield* both({ step: get, answers: [reply(200)] }, { cancelAfter: after })
        assert.strictEqual(it.job.state, after < 5 ? "cancelled" : "succeeded")
        assert.isTrue(it.lanes.every(({ open, waiting }) => open === 0 && waiting === 0))
      })
    )
  }
})
