import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AttemptTimedOut } from "../../src/step/Failure.ts"
import type { Attempt } from "../../src/step/History.ts"
import { History } from "../../src/step/History.ts"
import { text } from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"
import type { Event } from "../../src/run/Observer.ts"
import { Observer } from "../../src/run/Observer.ts"
import * as Script from "../../src/testing/Script.ts"
import { accepted, backup, client, completed, failed, lines, url } from "./support.ts"

const get = Step.get(url).pipe(Step.frugal(), Step.fallbackOnError([]))

describe("Completed", () => {
  it.effect("has the response as it came, where it came from, and who answered", () =>
    Effect.gen(function* () {
      const script = Script.always({ status: 206, headers: { "X-Part": "1" }, body: "half" })
      const end = completed(yield* (yield* client(script, { regions: ["iad"] })).execute(get))
      assert.strictEqual(end.response.status, 206)
      assert.strictEqual(end.response.headers["x-part"], "1")
      assert.strictEqual(text(end.response), "half")
      assert.strictEqual(end.region, "iad")
      assert.strictEqual(end.answeredBy, get)
      assert.strictEqual(end.path, 0)
      assert.isUndefined(end.chained)
    })
  )

  it.effect("is any 2xx and nothing else", () =>
    Effect.gen(function* () {
      for (const status of [200, 201, 204, 299]) {
        completed(yield* (yield* client(Script.always({ status }))).execute(get))
      }
      for (const status of [301, 304, 400, 599]) {
        failed(yield* (yield* client(Script.always({ status }))).execute(get), "Rejected")
      }
    })
  )

  it.effect("keeps a body that is not text byte for byte", () =>
    Effect.gen(function* () {
      const body = Uint8Array.of(0, 255, 254, 128, 13, 10)
      const end = completed(yield* (yield* client(Script.always({ status: 200, body }))).execute(get))
      assert.deepStrictEqual(end.response.body, body)
    })
  )
})

describe("the history", () => {
  it.effect("has every attempt: when, after which pause, how long, and how it ended", () =>
    Effect.gen(function* () {
      const answers = Script.inTurn(
        Script.later(50, { status: 503 }),
        Script.later(70, Script.reset),
        Script.later(30, { status: 200 })
      )
      const end = completed(yield* (yield* client(Script.always(answers))).execute(Step.retryPolicy(get)))
      assert.deepStrictEqual(
        end.history.map(({ at, kind, latency, path, pause, racer }) => ({ at, kind, latency, path, pause, racer })),
        [
          { at: 0, kind: "start", latency: 50, path: 0, pause: 0, racer: 0 },
          { at: 150, kind: "retry", latency: 70, path: 0, pause: 100, racer: 0 },
          { at: 420, kind: "retry", latency: 30, path: 0, pause: 200, racer: 0 }
        ]
      )
    })
  )

  it.effect("keeps the response of the last attempt of a path only", () =>
    Effect.gen(function* () {
      const script = Script.all(
        Script.on(url, { status: 503, body: "busy" }),
        Script.on(backup, { status: 200, body: "ok" })
      )
      const step = get.pipe(Step.retryPolicy({ maxRetries: 1 }), Step.fallback(Step.get(backup)))
      const end = completed(yield* (yield* client(script)).execute(step))
      assert.deepStrictEqual(
        end.history.map(({ response }) => response && text(response)),
        [undefined, "busy", "ok"]
      )
    })
  )

  it.effect("survives being stored as JSON", () =>
    Effect.gen(function* () {
      const answers = Script.inTurn({ status: 503, headers: { "Retry-After": "1" } }, Script.refuse, {
        status: 200,
        body: Uint8Array.of(255, 0)
      })
      const end = completed(yield* (yield* client(Script.always(answers))).execute(Step.retryPolicy(get)))
      const codec = Schema.toCodecJson(History)
      const stored = JSON.stringify(yield* Schema.encodeEffect(codec)(end.history))
      const read = yield* Schema.decodeUnknownEffect(codec)(JSON.parse(stored))
      assert.deepStrictEqual(lines(read), lines(end.history))
      assert.deepStrictEqual(read[2]?.response?.body, Uint8Array.of(255, 0))
    })
  )

  it.effect("is stored attempt by attempt, and the next decision waits for that", () =>
    Effect.gen(function* () {
      const stored: Array<Attempt> = []
      const { execute, sent } = yield* client(Script.always({ status: 503 }))
      const record = (attempt: Attempt) =>
        Effect.delay(
          Effect.sync(() => void stored.push(attempt)),
          "1 second"
        )
      const error = failed(yield* execute(Step.retryPolicy(get, { maxRetries: 1 }), { record }), "Rejected")
      assert.deepStrictEqual(yield* sent, ["api 0", "api 1100"])
      assert.deepStrictEqual(lines(stored), lines(error.history))
    })
  )
})

describe("Accepted", () => {
  it.effect("has the job, its status, its key and the attempts before it", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(Script.always({ status: 500 }))
      const step = Step.post(url).pipe(Step.frugal(), Step.idempotentKey("order-1"))
      const end = accepted(yield* execute(step))
      assert.strictEqual(end.jobId, "job-1")
      assert.strictEqual(end.status, "queued")
      assert.strictEqual(end.key, "order-1")
      assert.isFalse(end.duplicate)
      assert.strictEqual(end.receipt.jobId, "job-1")
      assert.deepStrictEqual(lines(end.history), ["0 start 500", "0 forward 201"])
    })
  )
})

describe("StepError", () => {
  it.effect("says what failed, why, and after how many attempts", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(Script.always({ status: 503 }), { regions: ["iad"] })
      const error = failed(yield* execute(Step.retryPolicy(get)), "Rejected")
      assert.strictEqual(error.message, "GET https://api.example/ failed: answered 503 in iad (after 4 attempts)")
      assert.strictEqual(error.target, "GET https://api.example/")
      assert.strictEqual(error.reason.response.status, 503)
    })
  )

  it.effect("has a reason of its own for a call without an answer", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(Script.always(Script.hang))
      yield* fake.deny()
      const end = failed(yield* execute(Step.localTimeout(get, 500)), "ServiceDenied")
      assert.deepStrictEqual(end.history[0]?.ending, {
        _tag: "Failed",
        failure: new AttemptTimedOut({ afterMillis: 500 })
      })
    })
  )
})

describe("an observer", () => {
  it.effect("is told of every attempt as it starts and as it ends, the forward included", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const look = (event: Event) => void seen.push(`${event._tag} ${event.attempt.kind}`)
      const { execute } = yield* client(Script.always({ status: 503 }))
      const step = Step.get(url).pipe(Step.frugal(), Step.retryPolicy({ maxRetries: 1 }))
      yield* Effect.provideService(execute(step), Observer, look)
      assert.deepStrictEqual(seen, [
        "Started start",
        "Ended start",
        "Started retry",
        "Ended retry",
        "Started forward",
        "Ended forward"
      ])
    })
  )
})
