import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { hash } from "../../src/engine/Idempotency.ts"
import * as Interpreter from "../../src/run/Interpreter.ts"
import { header } from "../../src/step/Request.ts"
import * as Step from "../../src/step/Step.ts"
import type { Step as StepValue } from "../../src/step/StepModel.ts"
import * as Script from "../../src/testing/Script.ts"
import { accepted, backup, client, completed, url } from "./support.ts"

const ok = Script.always({ status: 200 })
const down = Script.always({ status: 503 })
const uuid = /^[0-9a-f-]{36}$/

/** The `Idempotency-Key` of every exchange. */
const keysSent = (step: StepValue, script: Script.Script = ok, host = {}) =>
  Effect.gen(function* () {
    const { execute, local } = yield* client(script)
    yield* execute(step, host)
    return (yield* local.exchanges).map(({ asked }) => header(asked.request, "idempotency-key"))
  })

const post = Step.post(url, { body: "order" }).pipe(Step.frugal())

describe("the key a target gets", () => {
  it.effect("is the custom key, as given, on every attempt", () =>
    Effect.gen(function* () {
      const step = post.pipe(Step.idempotentKey("order-1"), Step.retryPolicy({ maxRetries: 2 }))
      assert.deepStrictEqual(yield* keysSent(step, down), ["order-1", "order-1", "order-1"])
    })
  )

  it.effect("is percent-encoded where a header could not carry it as it is", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* keysSent(Step.idempotentKey(post, "ключ 1")), [encodeURIComponent("ключ 1")])
      assert.deepStrictEqual(yield* keysSent(Step.idempotentKey(post, " order")), ["%20order"])
      assert.deepStrictEqual(yield* keysSent(Step.idempotentKey(post, "order 1")), ["order 1"])
    })
  )

  it.effect("under UNIQUE is one UUID per execution, the same on every attempt", () =>
    Effect.gen(function* () {
      const step = post.pipe(Step.idempotentStrategy("UNIQUE"), Step.retryPolicy({ maxRetries: 2 }))
      const keys = yield* keysSent(step, down)
      assert.lengthOf(keys, 3)
      assert.match(keys[0] ?? "", uuid)
      assert.strictEqual(new Set(keys).size, 1)
    })
  )

  it.effect("under UNIQUE is another one for the next execution", () =>
    Effect.gen(function* () {
      const { local, strategies } = yield* client(ok)
      const step = Step.idempotentStrategy(post, "UNIQUE")
      yield* Interpreter.run(step, strategies)
      yield* Interpreter.run(step, strategies)
      const keys = (yield* local.exchanges).map(({ asked }) => header(asked.request, "idempotency-key"))
      assert.strictEqual(new Set(keys).size, 2)
    })
  )

  it.effect("under HASH is none, unless the step asks for it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* keysSent(post), [undefined])
      assert.deepStrictEqual(yield* keysSent(Step.sendIdempotencyKey(post)), [hash(post.request)])
    })
  )

  it.effect("under HASH is the host's where the host has one", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* keysSent(post, ok, { hashKey: "job-7" }), ["job-7"])
      assert.deepStrictEqual(yield* keysSent(Step.idempotentKey(post, "mine"), ok, { hashKey: "job-7" }), ["mine"])
    })
  )

  for (const method of ["GET", "HEAD", "OPTIONS"]) {
    it.effect(`is none on ${method}, which changes nothing`, () =>
      Effect.gen(function* () {
        const step = Step.make(url, { method }).pipe(Step.frugal(), Step.idempotentKey("k"))
        assert.deepStrictEqual(yield* keysSent(step), [undefined])
      })
    )
  }

  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    it.effect(`is sent on ${method}`, () =>
      Effect.gen(function* () {
        const step = Step.make(url, { method }).pipe(Step.frugal(), Step.idempotentKey("k"))
        assert.deepStrictEqual(yield* keysSent(step), ["k"])
      })
    )
  }

  it.effect("stays away from a step that sets the header itself, in any case", () =>
    Effect.gen(function* () {
      const step = post.pipe(Step.header("IDEMPOTENCY-key", "own"), Step.idempotentKey("k"))
      const { execute, local } = yield* client(ok)
      yield* execute(step)
      const sent = (yield* local.exchanges)[0]?.asked.request.headers
      assert.deepStrictEqual(sent, { "IDEMPOTENCY-key": "own" })
    })
  )

  it.effect("is a fallback's own, not its parent's", () =>
    Effect.gen(function* () {
      const other = Step.post(backup).pipe(Step.idempotentKey("spare"))
      const step = post.pipe(Step.idempotentKey("first"), Step.fallback(other))
      const script = Script.all(Script.on(url, { status: 500 }), Script.on(backup, { status: 200 }))
      assert.deepStrictEqual(yield* keysSent(step, script), ["first", "spare"])
    })
  )

  it.effect("is not shared with a child that runs inline, whatever key the host gives the parent", () =>
    Effect.gen(function* () {
      const child = Step.post(backup).pipe(Step.frugal())
      assert.deepStrictEqual(yield* keysSent(Step.onSuccess(post, child), ok, { hashKey: "job-7" }), [
        "job-7",
        undefined
      ])
    })
  )
})

describe("the key a service gets", () => {
  it.effect("is explicit for a HASH step that was tried here, and left to the service otherwise", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(down)
      yield* execute(post)
      yield* execute(Step.performance(Step.put(url)))
      assert.deepStrictEqual(
        (yield* fake.delegations).map(({ asked }) => asked.key),
        [hash(post.request), undefined]
      )
    })
  )

  it.effect("is the one the target got, under UNIQUE and with a custom key", () =>
    Effect.gen(function* () {
      for (const step of [Step.idempotentStrategy(post, "UNIQUE"), Step.idempotentKey(post, "mine")]) {
        const { execute, fake, local } = yield* client(down)
        const end = accepted(yield* execute(step))
        const [exchange] = yield* local.exchanges
        const [delegation] = yield* fake.delegations
        const key = exchange && header(exchange.asked.request, "idempotency-key")
        assert.isString(key)
        assert.strictEqual(delegation?.asked.key, key)
        assert.strictEqual(end.key, key)
      }
    })
  )

  it.effect("stays the same when a submission is repeated", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(ok)
      yield* fake.disconnect(2)
      accepted(yield* execute(Step.post(url).pipe(Step.idempotentStrategy("UNIQUE"))))
      const keys = (yield* fake.delegations).map(({ asked }) => asked.key)
      assert.lengthOf(keys, 3)
      assert.match(keys[0] ?? "", uuid)
      assert.strictEqual(new Set(keys).size, 1)
    })
  )

  it.effect("never becomes a header of the job", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(down)
      yield* execute(post.pipe(Step.idempotentKey("mine"), Step.header("X-Own", "1")))
      const [job] = yield* fake.jobs
      assert.deepStrictEqual(job?.json.headers, { "X-Own": "1" })
      assert.strictEqual(job?.json.idempotent_key, "mine")
    })
  )

  it.effect("is settled for the children that travel inside the job, so that a repeated submission repeats them", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(ok)
      yield* fake.disconnect(1)
      const child = Step.post(backup).pipe(Step.idempotentStrategy("UNIQUE"))
      yield* execute(Step.onSuccess(Step.post(url), child))
      const keys = (yield* fake.delegations).map(({ asked }) => asked.step.onSuccess?.idempotency)
      assert.lengthOf(keys, 2)
      assert.strictEqual(keys[0]?._tag, "Custom")
      assert.deepStrictEqual(keys[0], keys[1])
    })
  )
})

describe("a key that was drawn", () => {
  it.effect("does not show in the step that the outcome names", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(ok)
      const step = Step.idempotentStrategy(post, "UNIQUE")
      assert.strictEqual(completed(yield* execute(step)).answeredBy, step)
    })
  )
})
