import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import * as Interpreter from "../../src/run/Interpreter.ts"
import * as Step from "../../src/step/Step.ts"
import * as LocalTransport from "../../src/transport/LocalTransport.ts"
import type { Exchanging } from "../../src/transport/HttpTransport.ts"
import * as Strategies from "../../src/transport/Strategies.ts"
import * as TimeLimit from "../../src/transport/TimeLimit.ts"

/** A `fetch` that answers when it is told to, and knows which calls were aborted. */
const makeTarget = () => {
  const calls: Array<{ readonly url: string; readonly answer: (response: Response) => void; aborted: boolean }> = []
  const fetch: typeof globalThis.fetch = (url, init) =>
    new Promise((answer, refuse) => {
      const call = { url: String(url), answer, aborted: false }
      calls.push(call)
      init?.signal?.addEventListener("abort", () => {
        call.aborted = true
        refuse(new Error("aborted"))
      })
    })
  return { calls, transport: LocalTransport.makeFetch({ fetch: (url, init) => fetch(url, init) }) }
}

const ending = (transport: Exchanging, step: Step.Step) =>
  Effect.gen(function* () {
    const exit = yield* Effect.exit(Interpreter.run(step, Strategies.only(transport)))
    const at = yield* Clock.currentTimeMillis
    if (Exit.isSuccess(exit)) return { tag: exit.value._tag, at }
    const error = Exit.findError(exit)
    return { tag: error._tag === "Success" ? error.success.reason._tag : "none", at }
  })

/** Lets what the promises of the platform have settled go its way. */
const settled = Effect.promise(() => new Promise((resume) => setImmediate(resume)))

const patient = (millis: number) => Step.get("https://api.example/").pipe(Step.localTimeout(millis))

describe("time limits kept by the transport", () => {
  it.effect("end each call at its own time and abort it", () =>
    Effect.gen(function* () {
      const { calls, transport } = makeTarget()
      const first = yield* Effect.forkChild(ending(transport, patient(1000)))
      yield* TestClock.adjust(400)
      const second = yield* Effect.forkChild(ending(transport, patient(1000)))
      const third = yield* Effect.forkChild(ending(transport, patient(300)))
      yield* TestClock.adjust(299)
      assert.deepStrictEqual(
        calls.map(({ aborted }) => aborted),
        [false, false, false]
      )
      yield* TestClock.adjust(5000)
      assert.deepStrictEqual(yield* Fiber.joinAll([first, second, third]), [
        { tag: "AttemptTimedOut", at: 1000 },
        { tag: "AttemptTimedOut", at: 1400 },
        { tag: "AttemptTimedOut", at: 700 }
      ])
      assert.deepStrictEqual(
        calls.map(({ aborted }) => aborted),
        [true, true, true]
      )
    })
  )

  it.effect("leave a call alone that ends in time, and the one after it", () =>
    Effect.gen(function* () {
      const { calls, transport } = makeTarget()
      for (let call = 0; call < 3; call++) {
        const fiber = yield* Effect.forkChild(ending(transport, patient(1000)))
        yield* TestClock.adjust(900)
        calls[call]?.answer(new Response("ok"))
        yield* settled
        assert.deepStrictEqual(yield* Fiber.join(fiber), { tag: "Completed", at: 900 * (call + 1) })
      }
      yield* TestClock.adjust(10_000)
      assert.isFalse(calls.some(({ aborted }) => aborted))
    })
  )

  it.effect("count from the first request, however many redirects follow", () =>
    Effect.gen(function* () {
      const { calls, transport } = makeTarget()
      const fiber = yield* Effect.forkChild(ending(transport, patient(1000)))
      yield* TestClock.adjust(600)
      calls[0]?.answer(new Response(null, { status: 302, headers: { location: "/next" } }))
      yield* settled
      assert.strictEqual(calls[1]?.url, "https://api.example/next")
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(yield* Fiber.join(fiber), { tag: "AttemptTimedOut", at: 1000 })
      assert.isTrue(calls[1]?.aborted)
    })
  )

  it.effect("are not believed of a transport that was given another way to send", () =>
    Effect.gen(function* () {
      const { calls, transport } = makeTarget()
      const later: Exchanging = { ...transport, send: (exchange) => Effect.delay(transport.send(exchange), 800) }
      const fiber = yield* Effect.forkChild(ending(later, patient(1000)))
      yield* TestClock.adjust(5000)
      assert.deepStrictEqual(yield* Fiber.join(fiber), { tag: "AttemptTimedOut", at: 1000 })
      assert.isTrue(calls[0]?.aborted)
      assert.isTrue(TimeLimit.isKeptBy(transport))
      assert.isFalse(TimeLimit.isKeptBy(later))
    })
  )

  const millis = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 })))

  it.effect.prop(
    "end calls as a race against a timer does",
    [Arbitrary.array(Arbitrary.all([millis, millis, millis]), { maxLength: 12 })],
    ([plan]) =>
      Effect.gen(function* () {
        const observe = Effect.fnUntraced(function* (wrap: (transport: Exchanging) => Exchanging) {
          const { calls, transport } = makeTarget()
          const over = wrap(transport)
          const from = yield* Clock.currentTimeMillis
          const fibers: Array<Fiber.Fiber<{ readonly tag: string; readonly at: number }>> = []
          const answers: Array<{ readonly at: number; readonly call: number }> = []
          const starts = plan.map(([start, limit, answer]) => ({ start, limit, answer: start + answer }))
          for (const { answer, limit, start } of starts.toSorted((a, b) => a.start - b.start)) {
            answers.push({ at: answer, call: fibers.length })
            fibers.push(yield* Effect.forkChild(Effect.delay(ending(over, patient(limit)), start)))
          }
          for (const { at, call } of answers.toSorted((a, b) => a.at - b.at)) {
            yield* TestClock.setTime(from + at - 0.5)
            calls[call]?.answer(new Response("ok"))
            yield* settled
          }
          yield* TestClock.adjust(5000)
          const ends = yield* Fiber.joinAll(fibers)
          return { ends: ends.map(({ at, tag }) => ({ tag, at: at - from })), aborted: calls.map((it) => it.aborted) }
        })
        const kept = yield* observe((transport) => transport)
        const raced = yield* observe((transport) => ({ ...transport, send: (exchange) => transport.send(exchange) }))
        assert.deepStrictEqual(kept, raced)
      })
  )
})
