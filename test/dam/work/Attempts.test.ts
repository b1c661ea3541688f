import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { StorageFailed } from "../../../src/dam/store/StoreError.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { busy, ok, setUp, type Store, url } from "../support.ts"

/** A crash leaves no trace of what was in flight. */
const crashing = (store: Store): Store => ({
  ...store,
  record: (id, epoch, attempt) =>
    attempt.ending._tag === "Interrupted"
      ? Effect.fail(new StorageFailed({ detail: "the process is gone" }))
      : store.record(id, epoch, attempt)
})

const numbersOf = ({ exchanges }: Pick<Effect.Success<ReturnType<typeof setUp>>, "exchanges">) =>
  Effect.map(exchanges, (calls) =>
    calls.map(({ asked }) => [
      asked.request.headers["Idempotency-Key"],
      Number(asked.request.headers["X-EZThrottle-Attempt"])
    ])
  )

describe("the number of a call", () => {
  it.effect("is one more with every retry", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.inTurn(busy, busy, ok)) })
      const id = yield* dam.submit(Step.post(url, { body: "order" }))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* dam.get(id)).state, "succeeded")
      assert.deepStrictEqual(yield* numbersOf(dam), [
        [id, 1],
        [id, 2],
        [id, 3]
      ])
    })
  )

  it.effect("grows over a crash that left the call before it unrecorded, under the same key", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        target: Script.always(Script.inTurn(Script.hang, Script.hang, ok)),
        through: crashing
      })
      const id = yield* dam.submit(Step.post(url, { body: "order" }))
      yield* TestClock.adjust("1 second")
      yield* dam.stop
      const second = yield* dam.begin()
      yield* TestClock.adjust("1 second")
      yield* second.stop
      const third = yield* dam.begin()
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).state, "succeeded")
      assert.deepStrictEqual(yield* numbersOf(dam), [
        [id, 1],
        [id, 2],
        [id, 3]
      ])
      yield* third.stop
    })
  )

  it.effect("grows over a crash in the middle of a race", () =>
    Effect.gen(function* () {
      const regions = ["iad", "lax", "ord"]
      const dam = yield* setUp({ target: Script.always(Script.hang), regions, through: crashing })
      yield* dam.submit(Step.post(url, { body: "order" }).pipe(Step.regions(regions)))
      yield* TestClock.adjust("1 second")
      yield* dam.stop
      const { stop } = yield* dam.begin()
      yield* TestClock.adjust("1 second")
      const numbers = (yield* numbersOf(dam)).map(([, number]) => Number(number))
      assert.lengthOf(numbers, 6)
      assert.isAbove(Math.min(...numbers.slice(3)), Math.max(...numbers.slice(0, 3)))
      yield* stop
    })
  )

  it.effect("is left as it is where a dam stands before this one", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      yield* dam.submit(Step.get(url).pipe(Step.headers({ "x-ezthrottle-attempt": "7", "x-aqueduct-total-jobs": "0" })))
      yield* TestClock.adjust("1 second")
      const [call] = yield* dam.exchanges
      const names = Object.keys(call?.asked.request.headers ?? {}).map((name) => name.toLowerCase())
      assert.strictEqual(new Set(names).size, names.length)
      assert.strictEqual(call?.asked.request.headers["x-ezthrottle-attempt"], "7")
      assert.strictEqual(call?.asked.request.headers["X-Aqueduct-Total-Jobs"], "1")
    })
  )
})
