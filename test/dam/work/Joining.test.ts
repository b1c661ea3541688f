import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { StorageFailed } from "../../../src/dam/store/StoreError.ts"
import { hook, ok, setUp, url } from "../support.ts"

type Dam = Effect.Success<ReturnType<typeof setUp>>

const states = (dam: Dam, ids: ReadonlyArray<string>) =>
  Effect.map(Effect.forEach(ids, dam.get), (jobs) => jobs.map(({ state }) => state))

const rebuild = (n: number, atMost?: number) =>
  Step.post(url, { body: `${n}` }).pipe(
    Step.debounce("index", { wait: 2000, atMost }),
    Step.webhooks([{ url: hook }]),
    Step.idempotentKey(`${n}`)
  )

const bodiesOf = (dam: Dam) =>
  Effect.map(dam.exchanges, (calls) => calls.map(({ asked, at }) => `${String(asked.request.body)} ${at}`))

const toldOf = (dam: Dam) =>
  Effect.map(dam.told, (calls) =>
    calls.map(({ asked }) => {
      const { error, job_id, status } = JSON.parse(new TextDecoder().decode(asked.request.body as Uint8Array))
      return { job_id, status, error }
    })
  )

describe("debounced jobs", () => {
  it.effect("let the newest run alone, and those that were replaced name it, also to their webhooks", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const ids: Array<string> = []
      for (const n of [0, 1, 2]) {
        ids.push(yield* dam.submit(rebuild(n)))
        yield* TestClock.adjust("1 second")
      }
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* bodiesOf(dam), ["2 4000"])
      assert.deepStrictEqual(yield* states(dam, ids), ["cancelled", "cancelled", "succeeded"])
      const replaced = { tag: "Replaced", message: `replaced by ${ids[1]}`, kind: ids[1]! }
      assert.deepStrictEqual((yield* dam.get(ids[0]!)).result?.error, replaced)
      assert.deepStrictEqual(yield* toldOf(dam), [
        { job_id: ids[0], status: "failed", error: `replaced by ${ids[1]}` },
        { job_id: ids[1], status: "failed", error: `replaced by ${ids[2]}` },
        { job_id: ids[2], status: "success", error: undefined }
      ])
    })
  )

  it.effect("are put off for as long as is allowed, and begin anew once one has run", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      for (let n = 0; n < 7; n++) {
        yield* dam.submit(rebuild(n, 5000))
        yield* TestClock.adjust("1 second")
      }
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* bodiesOf(dam), ["4 5000", "6 8000"])
    })
  )

  it.effect("are as many as come at once, and one is left", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const all = Array.from({ length: 50 }, (_, n) => dam.submit(rebuild(n)))
      const ids = yield* Effect.all(all, { concurrency: "unbounded" })
      yield* TestClock.adjust("10 seconds")
      const ended = yield* states(dam, ids)
      assert.lengthOf(yield* dam.exchanges, 1)
      assert.strictEqual(ended.filter((state) => state === "succeeded").length, 1)
      assert.strictEqual(ended.filter((state) => state === "cancelled").length, 49)
      // each names one, and nobody is named twice
      const named = yield* Effect.forEach(ids, (id) => Effect.map(dam.get(id), ({ result }) => result?.error?.kind))
      assert.strictEqual(new Set(named.filter((id) => id !== undefined)).size, 49)
    })
  )
})

const rate = (key: string) => Step.get(url).pipe(Step.coalesce, Step.webhooks([{ url: hook }]), Step.idempotentKey(key))

describe("coalesced calls", () => {
  it.effect("end with the answer of the one that is in flight, each with its own webhooks", () =>
    Effect.gen(function* () {
      const target = Script.always(Script.inTurn(Script.later("5 seconds", ok), { status: 200, body: "later" }))
      const dam = yield* setUp({ target })
      const ids: Array<string> = []
      for (const key of ["a", "b", "c"]) ids.push(yield* dam.submit(rate(key)))
      const other = yield* dam.submit(Step.get(`${url}other`).pipe(Step.coalesce))
      assert.deepStrictEqual(yield* states(dam, ids.slice(1)), ["scheduled", "scheduled"])
      const [waits] = (yield* Effect.flatMap(dam.get(ids[1]!), dam.engine.explain)).reasons
      assert.strictEqual(waits?.kind, "coalesced")
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(yield* states(dam, [...ids, other]), Array(4).fill("succeeded"))
      assert.lengthOf(yield* dam.exchanges, 2)
      for (const id of ids) {
        assert.strictEqual(new TextDecoder().decode((yield* dam.get(id)).result?.response?.body), "fine")
      }
      assert.sameMembers(
        (yield* toldOf(dam)).map((one) => one.job_id),
        ids
      )
      // nobody is in flight any more
      yield* dam.submit(rate("d"))
      yield* TestClock.adjust("6 seconds")
      assert.lengthOf(yield* dam.exchanges, 3)
    })
  )

  it.effect("share a failure too, and go on with the next of them when the one in flight is called off", () =>
    Effect.gen(function* () {
      const target = Script.always(
        Script.inTurn(Script.later("5 seconds", ok), Script.later("1 second", { status: 404 }))
      )
      const dam = yield* setUp({ target })
      const ids: Array<string> = []
      for (const key of ["a", "b", "c"]) ids.push(yield* dam.submit(rate(key)))
      yield* TestClock.adjust("1 second")
      yield* dam.engine.cancel(yield* dam.get(ids[0]!))
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* states(dam, ids), ["cancelled", "failed", "failed"])
      assert.lengthOf(yield* dam.exchanges, 2)
    })
  )

  it.effect("are called again a minute after a store failed before all were told", () =>
    Effect.gen(function* () {
      let fails = true
      const dam = yield* setUp({
        through: (store) => ({
          ...store,
          following: (...args) =>
            Effect.suspend(() =>
              fails ? Effect.fail(new StorageFailed({ detail: "no disk" })) : store.following(...args)
            )
        })
      })
      const ids: Array<string> = []
      for (const key of ["a", "b", "c"]) ids.push(yield* dam.submit(rate(key)))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* states(dam, ids), ["succeeded", "scheduled", "scheduled"])
      fails = false
      yield* TestClock.adjust("70 seconds")
      assert.deepStrictEqual(yield* states(dam, ids), ["succeeded", "succeeded", "succeeded"])
      assert.lengthOf(yield* dam.exchanges, 2)
    })
  )

  it.effect("do not end as too late because the one in front of them was", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 0.2, maxConcurrent: 1 } } })
      // it takes the turn
      yield* dam.submit(Step.get(`${url}other`))
      const first = yield* dam.submit(rate("a").pipe(Step.startBefore(3000)))
      const second = yield* dam.submit(rate("b"))
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(yield* states(dam, [first, second]), ["failed", "queued"])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* states(dam, [second]), ["succeeded"])
    })
  )

  it.effect("are called again after a crash in which the answer came and was not told to all", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        through: (store) => ({ ...store, following: () => Effect.fail(new StorageFailed({ detail: "no disk" })) })
      })
      const ids: Array<string> = []
      for (const key of ["a", "b", "c"]) ids.push(yield* dam.submit(rate(key)))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* states(dam, ids), ["succeeded", "scheduled", "scheduled"])
      yield* dam.stop
      const later = yield* setUp({ store: dam.store })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* states(dam, ids), ["succeeded", "succeeded", "succeeded"])
      assert.lengthOf(yield* later.exchanges, 1)
      yield* later.stop
    })
  )
})

describe("the rules of jobs that become one", () => {
  it.each([
    [Step.post(url).pipe(Step.coalesce), "coalesce"],
    [Step.get(url).pipe(Step.coalesce, Step.onSuccess(Step.get(url))), "coalesce"],
    [Step.get(url).pipe(Step.coalesce, Step.inOrder("k")), "coalesce"],
    [Step.get(url).pipe(Step.coalesce, Step.debounce("k", { wait: 1 })), "coalesce"],
    [Step.get(url).pipe(Step.debounce("k", { wait: 1 }), Step.inOrder("k")), "debounce"],
    [Step.get(url).pipe(Step.onSuccess(Step.get(url).pipe(Step.debounce("k", { wait: 1 })))), "onSuccess.debounce"],
    [Step.get(url).pipe(Step.fallback(Step.get(url).pipe(Step.inOrder("k")))), "fallbacks[0].step.inOrder"],
    [Step.get(url).pipe(Step.fallback(Step.get(url).pipe(Step.priority("low")))), "fallbacks[0].step.priority"]
  ])("are broken by %s", (step, field) => {
    assert.strictEqual(Step.check(step)?.field, field)
  })
})
