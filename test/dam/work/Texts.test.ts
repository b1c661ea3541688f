import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Search from "../../../src/dam/job/Search.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import { StorageFailed } from "../../../src/dam/store/StoreError.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { setUp, type Store, url } from "../support.ts"

const stored = SqliteJobStore.make({ path: ":memory:", executor: "sameThread", textSearch: true })

/** How many jobs the index has come to. */
const mark = (store: Store) => store.setting("texts")

/** The same store, which notes how much it is asked to take into the index, and fails the first time if told so. */
const noting = (asked: Array<number>, fails: boolean) => (store: Store) => ({
  ...store,
  fillTexts: (jobs: number) =>
    Effect.suspend(() => {
      asked.push(jobs)
      return fails && asked.length === 1 ? Effect.fail(new StorageFailed({ detail: "busy" })) : store.fillTexts(jobs)
    })
})

describe("the duty that fills the index of texts", () => {
  it.effect("leaves jobs alone that were just handed in, and takes them in after a second, in portions", () =>
    Effect.gen(function* () {
      const store = yield* stored
      const asked: Array<number> = []
      const dam = yield* setUp({ store, textSearch: true, through: noting(asked, false) })
      for (let n = 0; n < 450; n++) yield* dam.submit(Step.get(`${url}${n}`))
      assert.strictEqual(yield* mark(store), "0")
      assert.deepStrictEqual(asked, [])
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* mark(store), "450")
      assert.deepStrictEqual(asked, [200, 200, 200, 200])
    })
  )

  it.effect("asks for nothing while nothing happens, and for what came when something does", () =>
    Effect.gen(function* () {
      const store = yield* stored
      const asked: Array<number> = []
      const dam = yield* setUp({ store, textSearch: true, through: noting(asked, false) })
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(asked, 1)
      yield* dam.submit(Step.get(url))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* mark(store), "1")
    })
  )

  it.effect("finds jobs by the error they have ended with", () =>
    Effect.gen(function* () {
      const store = yield* stored
      const dam = yield* setUp({ store, textSearch: true, target: Script.always({ status: 500 }) })
      const id = yield* dam.submit(Step.retryPolicy(Step.get(url), { maxRetries: 0, maxReroutes: 0 }))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* store.fillTexts(10), 0)
      const { jobs } = yield* store.list({ customer: "local", limit: 10, search: Search.parse("500") })
      assert.deepStrictEqual(
        jobs.map((job) => job.id),
        [id]
      )
    })
  )

  it.effect("comes again a minute after a store that failed", () =>
    Effect.gen(function* () {
      const store = yield* stored
      const dam = yield* setUp({ store, textSearch: true, through: noting([], true) })
      yield* dam.submit(Step.get(url))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* mark(store), "0")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* mark(store), "1")
    })
  )

  it.effect("is not there where there is no index, nor over a copy", () =>
    Effect.gen(function* () {
      const store = yield* stored
      const asked: Array<number> = []
      const through = noting(asked, false)
      yield* setUp({ store, through })
      yield* setUp({ store, through, textSearch: true, copiedAt: 5 })
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(asked, [])
    })
  )
})
