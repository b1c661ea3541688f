import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import * as Reply from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"

const url = "https://api.example/orders"

const exchange = (step: Step.Step, region?: string) => ({ request: step.request, region, step, timeoutMillis: 30_000 })

/** What a fresh transport of the script answers to some calls, one after the other. */
const statuses = (script: Script.Script, ...calls: ReadonlyArray<Step.Step | readonly [Step.Step, string]>) =>
  Effect.flatMap(Script.make(script), (transport) =>
    Effect.forEach(calls, (call) => {
      const [step, region] = "length" in call ? call : [call, undefined]
      return transport.send(exchange(step, region)).pipe(
        Effect.map(({ status }): number | string => status),
        Effect.catchTag("TransportError", ({ reason }) =>
          Effect.succeed(reason._tag === "ConnectionFailed" ? reason.kind : reason._tag)
        )
      )
    })
  )

describe("Script", () => {
  it.effect("answers by URL and method, whatever the query unless it names one", () =>
    Effect.gen(function* () {
      const script = Script.all(
        Script.on("POST https://api.example/orders", { status: 201 }),
        Script.on(`${url}?page=2`, { status: 202 }),
        Script.on(url, { status: 203 }),
        Script.on("https://static.example/*", { status: 204 }),
        Script.on(/\/users\/\d+$/g, { status: 205 }),
        Script.on(({ request }) => request.body === "x", { status: 206 }),
        Script.on("https://bare.example", { status: 207 })
      )
      assert.deepStrictEqual(
        yield* statuses(
          script,
          Step.post(url),
          Step.get(`${url}?page=2`),
          Step.get(`${url}?page=1#top`),
          Step.get("https://static.example/a/b.png?v=1"),
          Step.get("https://any.example/users/12"),
          Step.get("https://any.example/users/13"),
          Step.put("https://other.example/", { body: "x" }),
          Step.get("https://bare.example/")
        ),
        [201, 202, 203, 204, 205, 205, 206, 207]
      )
    })
  )

  it.effect("lets the first rule that matches answer, and `always` what is left", () =>
    Effect.gen(function* () {
      const script = Script.all(
        Script.on(url, { status: 200 }),
        Script.on(url, { status: 500 }),
        Script.always(Script.refuse)
      )
      assert.deepStrictEqual(yield* statuses(script, Step.get(url), Step.get("https://b.example/")), [200, "refused"])
    })
  )

  it.effect("fails n times, then goes on as told", () =>
    Effect.gen(function* () {
      const script = Script.on(url, Script.failTimes(2, { status: 503 }, { status: 200 }))
      const calls = [1, 2, 3, 4].map(() => Step.get(url))
      assert.deepStrictEqual(yield* statuses(script, ...calls), [503, 503, 200, 200])
      assert.deepStrictEqual(yield* statuses(script, Step.get(url)), [503], "a script serves many transports")
      assert.deepStrictEqual(
        yield* statuses(Script.on(url, Script.failTimes(0, { status: 503 }, { status: 200 })), Step.get(url)),
        [200]
      )
    })
  )

  it.effect("answers in turn and repeats the last, failures among them", () =>
    Effect.gen(function* () {
      const script = Script.on(url, Script.inTurn({ status: 429 }, Script.reset, Script.notFound, { status: 200 }))
      const calls = [1, 2, 3, 4, 5].map(() => Step.get(url))
      assert.deepStrictEqual(yield* statuses(script, ...calls), [429, "reset", "notFound", 200, 200])
    })
  )

  it.effect("counts each region by itself inside `inRegion`", () =>
    Effect.gen(function* () {
      const flaky = Script.on(url, Script.failTimes(1, { status: 503 }, { status: 200 }))
      const script = Script.all(
        Script.inRegion("iad", flaky),
        Script.inRegion("lax", flaky),
        Script.always({ status: 404 })
      )
      const step = Step.get(url)
      assert.deepStrictEqual(
        yield* statuses(script, [step, "iad"], [step, "lax"], [step, "iad"], [step, "lax"], [step, "ord"], step),
        [503, 503, 200, 200, 404, 404]
      )
    })
  )

  it.effect("answers after a while of virtual time", () =>
    Effect.gen(function* () {
      const transport = yield* Script.make(Script.always(Script.later("1 hour", { status: 200 })))
      const fiber = yield* Effect.forkChild(
        Effect.andThen(transport.send(exchange(Step.get(url))), Clock.currentTimeMillis)
      )
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* Fiber.join(fiber), 3_600_000)
    })
  )

  it.effect("writes responses as a target would", () =>
    Effect.gen(function* () {
      const of = (body: Script.ReplyLike["body"]) =>
        Effect.flatMap(Script.make(Script.always({ status: 200, headers: { "X-A": "1" }, body })), (transport) =>
          transport.send(exchange(Step.get(url)))
        )
      assert.deepStrictEqual(yield* of(undefined), Reply.response(200, { "x-a": "1" }))
      assert.deepStrictEqual(yield* of("text"), Reply.response(200, { "x-a": "1" }, "text"))
      assert.deepStrictEqual((yield* of(new Uint8Array([255]))).body, new Uint8Array([255]))
      const json = yield* of([1, null])
      assert.strictEqual(json.headers["content-type"], "application/json")
      assert.deepStrictEqual(yield* Reply.json(json), [1, null])
    })
  )

  it.effect("names a call it has no answer for, loudly and without its query", () =>
    Effect.gen(function* () {
      const transport = yield* Script.make(Script.on("GET https://a.example/", { status: 200 }))
      const sent = transport.send(exchange(Step.get(`${url}?token=s3cret`), "iad"))
      const cause = yield* Effect.flip(Effect.sandbox(sent))
      assert.isTrue(Cause.hasDies(cause))
      assert.include(
        Cause.pretty(cause),
        "The script has no answer for GET https://api.example/orders in iad; it answers GET https://a.example/"
      )
      assert.notInclude(Cause.pretty(cause), "s3cret")
    })
  )
})

describe("a client over a script", () => {
  const step = Step.get(url).pipe(Step.frugal(), Step.retryPolicy({ maxRetries: 2 }))

  it.effect("retries until the script lets it through, and the record tells how", () =>
    Effect.gen(function* () {
      const wire = yield* Script.Scripted
      const fiber = yield* Effect.forkChild(EZThrottle.execute(step))
      yield* TestClock.adjust("1 minute")
      const done = yield* Fiber.join(fiber)
      assert.isTrue(done._tag === "Completed" && done.response.status === 200)
      assert.deepStrictEqual(
        (yield* wire.exchanges).map(({ ending }) => ending._tag),
        ["Failed", "Answered", "Answered"]
      )
    }).pipe(
      Effect.provide(Script.layer(Script.on(url, Script.inTurn(Script.refuse, { status: 503 }, { status: 200 }))))
    )
  )

  it.effect("races regions, the hanging one given up", () =>
    Effect.gen(function* () {
      const wire = yield* Script.Scripted
      const fiber = yield* Effect.forkChild(EZThrottle.execute(Step.regions(step, ["iad", "lax"])))
      yield* TestClock.adjust("2 seconds")
      const done = yield* Fiber.join(fiber)
      assert.isTrue(done._tag === "Completed" && done.region === "lax")
      assert.deepStrictEqual(
        (yield* wire.exchanges).map(({ asked, ending }) => [asked.region, ending._tag]),
        [
          ["iad", "Interrupted"],
          ["lax", "Answered"]
        ]
      )
    }).pipe(
      Effect.provide(
        Script.layer(
          Script.all(
            Script.inRegion("iad", Script.always(Script.hang)),
            Script.inRegion("lax", Script.always(Script.later("2 seconds", { status: 200 })))
          ),
          { regions: ["iad", "lax"] }
        )
      )
    )
  )
})
