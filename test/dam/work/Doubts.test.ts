/** A disk that fails in the middle of a commit may have written all the same: nothing stands still or is told twice because of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { OutcomeUnknown } from "../../../src/dam/store/StoreError.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { hook, lines, ok, setUp, type Store, url } from "../support.ts"

const get = Step.get(url)

describe("a store of which nobody knows whether it has written", () => {
  for (const name of ["start", "record", "park", "finish", "settleDelivery"] as const) {
    it.effect(`runs a job to its end and tells it once, where that was a ${name}`, () =>
      Effect.gen(function* () {
        const target = Script.always(Script.inTurn({ status: 503, headers: { "Retry-After": "20" } }, ok))
        const dam = yield* setUp({ target, through: (store) => doubting(store, name) })
        const child = Step.get(`${url}child`)
        const id = yield* dam.submit(get.pipe(Step.webhooks([{ url: hook }]), Step.onSuccess(child)))
        yield* TestClock.adjust("1 minute")
        const job = yield* dam.get(id)
        assert.deepStrictEqual([job.state, ...lines(job)], ["succeeded", "0 start 503", "0 retry 200"])
        assert.lengthOf(yield* dam.told, 1)
        assert.strictEqual((yield* dam.get("child-1")).state, "succeeded")
        assert.lengthOf(yield* dam.exchanges, 3)
        assert.isTrue((yield* dam.engine.lanes).every(({ open }) => open === 0))
      })
    )
  }
})

describe("a job that is ended over a store of which nobody knows whether it has written", () => {
  const telling = get.pipe(Step.webhooks([{ url: hook }]))
  const ends = [
    ["called off while it runs", "finish", telling, "cancelled"],
    ["called off while it waits", "finishIdle", Step.retryAt(telling, 60_000), "cancelled"],
    ["out of time", "finishIdle", telling.pipe(Step.retryAt(60_000), Step.startBefore(1000)), "failed"]
  ] as const
  for (const [how, name, step, state] of ends) {
    it.effect(`is told once, where it is ${how}`, () =>
      Effect.gen(function* () {
        const dam = yield* setUp({ target: Script.always(Script.hang), through: (store) => doubting(store, name) })
        const id = yield* dam.submit(step)
        yield* TestClock.adjust(500)
        if (state === "cancelled") assert.strictEqual((yield* dam.engine.cancel(yield* dam.get(id))).state, state)
        yield* TestClock.adjust("10 seconds")
        assert.deepInclude(yield* dam.get(id), { state, deliveryState: "delivered" })
        assert.lengthOf(yield* dam.told, 1)
      })
    )
  }
})

/** A store that writes, and the first time says that it may have. */
const doubting = (store: Store, named: keyof Store): Store => {
  let isSure = false
  return new Proxy(store, {
    get: (target, name: keyof Store) => {
      const method: unknown = target[name]
      if (typeof method !== "function" || name !== named) return method
      return (...args: ReadonlyArray<unknown>) =>
        Effect.suspend(() => {
          if (isSure) return method(...args)
          isSure = true
          return Effect.andThen(method(...args), Effect.fail(new OutcomeUnknown({ detail: "the disk" })))
        })
    }
  })
}
