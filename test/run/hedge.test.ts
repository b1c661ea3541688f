import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Interpreter from "../../src/run/Interpreter.ts"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import { accepted, client, completed, failed, lines, toEnd, url } from "./support.ts"

const get = Step.get(url).pipe(Step.frugal(), Step.hedge({ after: "1 second" }))
const after = (seconds: number, status = 200) => Script.later(`${seconds} seconds`, { status })
const inTurn = (...answers: ReadonlyArray<Script.Input>) => {
  const [first = { status: 200 }, ...rest] = answers
  return Script.always(Script.inTurn(first, ...rest))
}

describe("a hedge", () => {
  it.effect("is made when the first call is slow; the first answer wins, and the loser is interrupted", () =>
    Effect.gen(function* () {
      const { execute, local, sent } = yield* client(inTurn(after(20), after(2)))
      const { history } = completed(yield* execute(get))
      assert.deepStrictEqual(yield* sent, ["api 0", "api 1000"])
      assert.deepStrictEqual(lines(history), ["0 hedge 200", "0 start interrupted"])
      assert.deepInclude((yield* local.exchanges)[0]?.ending, { _tag: "Interrupted", at: 3000 })
      assert.deepStrictEqual(
        history.map(({ latency, pause, racer }) => [racer, latency, pause]),
        [
          [1, 2000, 1000],
          [0, 3000, 0]
        ]
      )
    })
  )

  it.effect("is not made for a call that is quick, and is let go where the first answers after all", () =>
    Effect.gen(function* () {
      const quick = yield* client(inTurn(after(0.9)))
      completed(yield* quick.execute(get))
      assert.deepStrictEqual(yield* quick.sent, ["api 0"])
      const late = yield* client(inTurn(after(1.5), Script.hang))
      assert.deepStrictEqual(lines(completed(yield* late.execute(get)).history), ["0 start 200", "0 hedge interrupted"])
    })
  )

  it.effect("does not win with a failure: the other is waited for", () =>
    Effect.gen(function* () {
      const hedged = yield* client(inTurn(after(4), after(1, 500)))
      assert.deepStrictEqual(lines(completed(yield* hedged.execute(get)).history), ["0 hedge 500", "0 start 200"])
      const first = yield* client(inTurn(after(2, 500), after(4)))
      assert.deepStrictEqual(lines(completed(yield* first.execute(get)).history), ["0 start 500", "0 hedge 200"])
    })
  )

  it.effect("is not waited for before it is made: a first call that failed is retried as ever", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(inTurn(after(0.5, 503), { status: 200 }))
      completed(yield* execute(Step.retryPolicy(get, { maxRetries: 1, base: "4 seconds", cap: "4 seconds" })))
      assert.deepStrictEqual(yield* sent, ["api 0", "api 2500"])
    })
  )

  it.effect("where all fail ends as the first did, and spends no retry", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(inTurn(after(3, 503), after(1, 500), { status: 200 }))
      const policy = { maxRetries: 1, base: "4 seconds", cap: "4 seconds" } as const
      assert.deepStrictEqual(lines(completed(yield* execute(Step.retryPolicy(get, policy))).history), [
        "0 hedge 500",
        "0 start 503",
        "0 retry 200"
      ])
    })
  )

  it.effect("comes again each time that has passed, up to max, as far as the share of the target goes", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always(Script.later("100 millis", { status: 200 })))
      // each of them earns a twentieth of a hedge
      for (let call = 0; call < 40; call++) completed(yield* execute(get))
      const before = (yield* sent).length
      assert.strictEqual(before, 40)
      const slow = Step.get(`${url}slow`).pipe(Step.frugal(), Step.hedge({ after: "10 millis", max: 3 }))
      completed(yield* execute(slow))
      completed(yield* execute(slow))
      // 1 + 2 + 2/20 hedges in all
      assert.strictEqual((yield* sent).length, before + 2 + 3)
    })
  )

  it.effect("waits for the percentile of what was measured", () =>
    Effect.gen(function* () {
      const script = Script.all(
        Script.on(`${url}slow`, Script.inTurn(Script.hang, { status: 200 })),
        Script.always(Script.later("50 millis", { status: 200 }))
      )
      const { execute, local, strategies } = yield* client(script)
      const quick = Step.get(`${url}quick`).pipe(Step.frugal(), Step.hedge({ after: "p99" }))
      const calls = Array.from({ length: 20 }, () => Interpreter.run(quick, strategies))
      yield* toEnd(Effect.all(calls, { concurrency: "unbounded" }), "1 second")
      completed(yield* execute(Step.get(`${url}slow`).pipe(Step.frugal(), Step.hedge())))
      const [first, second] = (yield* local.exchanges).slice(-2)
      const waited = (second?.at ?? 0) - (first?.at ?? 0)
      assert.isTrue(waited >= 50 && waited <= 55, String(waited))
    })
  )

  it.effect("is not made while the target says to wait", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(inTurn({ status: 503 }, after(5)))
      const policy = { maxRetries: 1, base: "1 second", cap: "1 second" } as const
      completed(yield* execute(Step.retryPolicy(get, policy)))
      assert.deepStrictEqual(yield* sent, ["api 0", "api 500"])
    })
  )

  it.effect("leaves from the next region where it says so", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(inTurn(Script.hang, { status: 200 }), { regions: ["iad", "lax"] })
      const step = Step.get(url).pipe(Step.frugal(), Step.regions(["iad"]))
      completed(yield* execute(Step.hedge(step, { after: "1 second", to: "region" })))
      assert.deepStrictEqual(yield* sent, ["api@iad 0", "api@lax 1000"])
    })
  )

  it.effect("gives way to a deadline, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const { execute, local } = yield* client(Script.always(Script.hang))
      failed(yield* execute(Step.totalTimeout(get, "3 seconds")), "DeadlineExceeded")
      assert.deepStrictEqual(
        (yield* local.exchanges).map(({ ending }) => ending?._tag),
        ["Interrupted", "Interrupted"]
      )
    })
  )
})

describe("a call that may not be made twice", () => {
  const post = Step.post(url).pipe(Step.frugal(), Step.hedge({ after: "1 second" }))
  it.effect.each([
    ["a POST without a key", post, /cannot recognise; send a key/],
    ["one that may not be made again", post.pipe(Step.retryUnsafe(false), Step.idempotentKey("k")), /forbids/],
    ["one of several regions", Step.regions(get, ["iad", "lax"]), /several regions/]
  ] as const)("is not hedged but refused: %s", ([, step, problem]) =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 200 }))
      const { reason } = failed(yield* execute(step), "InvalidStep")
      assert.strictEqual(reason.field, "hedge")
      assert.match(reason.problem, problem)
      assert.deepStrictEqual(yield* sent, [])
    })
  )

  it.effect.each([
    Step.sendIdempotencyKey(post),
    Step.idempotentKey(post, "k"),
    Step.idempotentStrategy(post, "UNIQUE"),
    Step.header(post, "Idempotency-Key", "mine")
  ])("is hedged with a key that is sent, the same for both", (step) =>
    Effect.gen(function* () {
      const { execute, local } = yield* client(inTurn(Script.hang, { status: 200 }))
      completed(yield* execute(step))
      const [first, second] = (yield* local.exchanges).map(({ asked }) => asked.request.headers["Idempotency-Key"])
      assert.isDefined(first)
      assert.strictEqual(first, second)
    })
  )

  it.effect("is hedged by a dam, which sends a key with everything; it is handed over as it is", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(Script.always({ status: 200 }), { extensions: "send" })
      accepted(yield* execute(Step.performance(Step.idempotentKey(post, "k"))))
      assert.deepStrictEqual((yield* fake.jobs)[0]?.json.hedge, { after_ms: 1000 })
      assert.isUndefined(Step.check(post, true))
    })
  )
})
