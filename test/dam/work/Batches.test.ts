import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { StoredBatch } from "../../../src/dam/store/BatchRecords.ts"
import { StorageFailed } from "../../../src/dam/store/StoreError.ts"
import type { Batches } from "../../../src/dam/work/Batches.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import * as BatchLines from "../../../src/dam/work/BatchLines.ts"
import { job } from "../../conformance/jobStore/Fixtures.ts"
import { hook, jobOf, setUp, type Store, url } from "../support.ts"

const asked: Parameters<Batches["open"]>[0] = {
  customer: "local",
  id: "b",
  together: false,
  webhook: undefined,
  metadata: {},
  onComplete: undefined,
  onAnyFailure: undefined
}

/** Hands in calls to these paths, a line each, and says that there are no more. */
const handIn = Effect.fnUntraced(function* (
  batches: Batches,
  paths: ReadonlyArray<string>,
  change: Partial<typeof asked> = {}
) {
  const { batch } = yield* batches.open({ ...asked, ...change })
  const lines = yield* Effect.forEach(paths, (path, n) =>
    Effect.map(jobOf(Step.get(`${url}${path}`)), (job) => ({ line: n + 1, job }))
  )
  yield* batches.take(batch, { lines, through: paths.length, isAgain: false })
  yield* batches.close(batch)
  return batch
})

const now = (batches: Batches, id = "b") => Effect.map(batches.get("local", id), (batch) => batch!)

const countsOf = (batches: Batches, batch: StoredBatch) =>
  Effect.map(batches.counts(batch), (counts) => Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0)))

const target = Script.all(
  Script.on(({ request }) => request.url.includes("bad"), { status: 404 }),
  Script.always({ status: 200 })
)

/** What was called, by paths. */
const paths = (calls: ReadonlyArray<{ readonly asked: { readonly request: { readonly url: string } } }>) =>
  calls.map(({ asked }) => new URL(asked.request.url).pathname.slice(1))

describe("batches of a dam", () => {
  it.effect("run, are counted, and end with a job and a webhook that tell the whole", () =>
    Effect.gen(function* () {
      const { engine, exchanges, store, told } = yield* setUp({ target })
      const onComplete = Step.post(`${url}done`)
      const batch = yield* handIn(engine.batches, ["a", "bad", "a", "c"], { onComplete, webhook: hook })
      yield* TestClock.adjust("10 seconds")
      const over = yield* now(engine.batches)
      assert.deepInclude(over, { state: "ended", accepted: 3, duplicates: 1, isTold: true })
      assert.deepStrictEqual(yield* countsOf(engine.batches, batch), { succeeded: 2, failed: 1 })
      assert.sameMembers(paths(yield* exchanges), ["a", "bad", "c", "done"])
      const done = (yield* store.get(over.completeJob!))!
      assert.deepInclude(done.step.metadata, { batch: "b" })
      const body = JSON.parse(String(done.step.request.body))
      assert.deepInclude(body, { batch_id: "b", status: "ended", accepted: 3, lines: 4 })
      assert.deepInclude(body.jobs, { succeeded: 2, failed: 1 })
      const [hooked, ...more] = yield* told
      assert.isEmpty(more)
      const { body: sent = "", url: to } = hooked!.asked.request
      assert.strictEqual(to, hook)
      assert.deepStrictEqual(JSON.parse(typeof sent === "string" ? sent : new TextDecoder().decode(sent)), body)
    })
  )

  it.effect("tell their end once, also where the dam dies before it has noted it down", () =>
    Effect.gen(function* () {
      let dies = true
      const through = (store: Store): Store => ({
        ...store,
        endTold: (...all) =>
          Effect.suspend(() => (dies ? Effect.fail(new StorageFailed({ detail: "gone" })) : store.endTold(...all)))
      })
      const first = yield* setUp({ target, through })
      yield* handIn(first.engine.batches, ["a"], { onComplete: Step.post(`${url}done`) })
      yield* TestClock.adjust("5 seconds")
      assert.isFalse((yield* now(first.engine.batches)).isTold)
      yield* first.stop
      dies = false
      const second = yield* first.begin()
      yield* TestClock.adjust("5 seconds")
      assert.isTrue((yield* now(second.engine.batches)).isTold)
      assert.deepStrictEqual(paths(yield* first.exchanges), ["a", "done"])
    })
  )

  it.effect.each([false, true])(
    "run jobs of an order one after the other, and share answers (together: %s)",
    (together) =>
      Effect.gen(function* () {
        const dam = yield* setUp({ target: Script.always(Script.later("5 seconds", { status: 200 })) })
        const { batches } = dam.engine
        const { batch } = yield* batches.open({ ...asked, together })
        const inOrder = (path: string) => Step.get(`${url}${path}`).pipe(Step.inOrder("k"))
        const shared = (n: number) => Step.get(`${url}shared`).pipe(Step.coalesce, Step.idempotentKey(`${n}`))
        const lines = yield* Effect.forEach([inOrder("a"), inOrder("b"), shared(1), shared(2)], (step, n) =>
          Effect.map(jobOf(step), (job) => ({ line: n + 1, job }))
        )
        yield* batches.take(batch, { lines, through: 4, isAgain: false })
        yield* batches.close(batch)
        yield* TestClock.adjust("4 seconds")
        assert.sameMembers(paths(yield* dam.exchanges), ["a", "shared"])
        yield* TestClock.adjust("20 seconds")
        assert.sameMembers(paths(yield* dam.exchanges), ["a", "shared", "b"])
        assert.deepStrictEqual(yield* countsOf(batches, batch), { succeeded: 4 })
      })
  )

  it.effect("do not wait for those that cannot be done, however many they are", () =>
    Effect.gen(function* () {
      const through = (store: Store): Store => ({
        ...store,
        endTold: (number, ...more) =>
          number > 30 ? store.endTold(number, ...more) : Effect.fail(new StorageFailed({ detail: "not this one" }))
      })
      const { engine, exchanges } = yield* setUp({ target, through })
      for (let n = 1; n <= 31; n++)
        yield* handIn(engine.batches, [], { id: `b${n}`, onComplete: Step.post(`${url}done-${n}`) })
      yield* TestClock.adjust("10 seconds")
      assert.isTrue((yield* now(engine.batches, "b31")).isTold)
      assert.isFalse((yield* now(engine.batches, "b1")).isTold)
      assert.include(paths(yield* exchanges), "done-31")
    })
  )

  it.effect("take as many lines as their customer has room for, and go on with the rest", () =>
    Effect.gen(function* () {
      const { engine } = yield* setUp({ target, maxCustomerJobs: 3, pacing: { pace: { rps: 1, maxConcurrent: 1 } } })
      const { batch } = yield* engine.batches.open(asked)
      const lines = yield* Effect.forEach([1, 2, 3, 4, 5], (line) =>
        Effect.map(jobOf(Step.get(`${url}${line}`)), (job) => ({ line, job }))
      )
      const first = yield* engine.batches.take(batch, { lines, through: 5, isAgain: false })
      assert.deepInclude(first.batch, { through: 3, accepted: 3 })
      const rest = { lines: lines.slice(3), through: 5, isAgain: false }
      assert.strictEqual((yield* Effect.flip(engine.batches.take(first.batch!, rest)))._tag, "Overloaded")
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude((yield* engine.batches.take(first.batch!, rest)).batch, { through: 5, accepted: 5 })
    })
  )

  it.effect("tell of an end that only the sweep has brought", () =>
    Effect.gen(function* () {
      const { engine, exchanges, store } = yield* setUp({ target })
      const { batch } = yield* engine.batches.open({ ...asked, onComplete: Step.post(`${url}done`) })
      yield* engine.batches.take(batch, { lines: [], through: 1, isAgain: false })
      yield* store.sweep(Number.MAX_SAFE_INTEGER, 50)
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(paths(yield* exchanges), ["done"])
    })
  )

  it("take no line that another one would take the place of", () => {
    const debounced = { ...job("one"), step: Step.get(url).pipe(Step.debounce("k", { wait: 1 })) }
    assert.deepInclude(BatchLines.lineOf(3, debounced), { _tag: "Refused", line: 3, field: "debounce" })
  })

  it.effect("end each with a job of its own, also where their steps have one key", () =>
    Effect.gen(function* () {
      const { engine, exchanges } = yield* setUp({ target })
      const onComplete = Step.post(`${url}done`).pipe(Step.idempotentKey("report"))
      yield* handIn(engine.batches, ["a"], { id: "one", onComplete })
      yield* handIn(engine.batches, ["b"], { id: "two", onComplete })
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(
        paths(yield* exchanges).filter((path) => path === "done"),
        2
      )
    })
  )

  it.effect("do not run again what was erased", () =>
    Effect.gen(function* () {
      const { engine, exchanges, store } = yield* setUp({ target })
      yield* handIn(engine.batches, ["bad1", "bad2"])
      yield* TestClock.adjust("5 seconds")
      const { jobs } = yield* store.list({ customer: "local", batch: "b", limit: 1, oldestFirst: true })
      yield* store.erase(jobs[0]!.id, 1)
      yield* engine.batches.rerun(yield* now(engine.batches))
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(paths(yield* exchanges).slice(2), ["bad2"])
    })
  )

  it.effect("fill the step of their end from the summary", () =>
    Effect.gen(function* () {
      const { engine, exchanges } = yield* setUp({ target })
      const onComplete = Step.get(`${url}done`).pipe(
        Step.fill({ query: { failed: Step.from("/response/body/jobs/failed") } })
      )
      yield* handIn(engine.batches, ["bad"], { onComplete })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* exchanges).at(-1)?.asked.request.url, `${url}done?failed=1`)
    })
  )

  it.effect("start something at their first failure, once", () =>
    Effect.gen(function* () {
      const { engine, exchanges } = yield* setUp({ target })
      const batch = yield* handIn(engine.batches, ["bad1", "bad2", "a"], { onAnyFailure: Step.post(`${url}alarm`) })
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(
        paths(yield* exchanges).filter((path) => path === "alarm"),
        1
      )
      assert.deepStrictEqual(yield* countsOf(engine.batches, batch), { succeeded: 1, failed: 2 })
    })
  )

  it.effect("that are shown together call nobody before all lines are there, and go on after a crash", () =>
    Effect.gen(function* () {
      const first = yield* setUp({ target })
      const many = Array.from({ length: 250 }, (_, n) => `n${n}`)
      const { batch } = yield* first.engine.batches.open({ ...asked, together: true })
      const lines = yield* Effect.forEach(many, (path, n) =>
        Effect.map(jobOf(Step.get(`${url}${path}`)), (job) => ({ line: n + 1, job }))
      )
      yield* first.engine.batches.take(batch, { lines, through: 250, isAgain: false })
      yield* TestClock.adjust("1 minute")
      assert.isEmpty(yield* first.exchanges)
      yield* first.stop
      const second = yield* first.begin()
      yield* second.engine.batches.close(batch)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(new Set(paths(yield* first.exchanges)).size, 250)
      assert.lengthOf(yield* first.exchanges, 250)
      assert.deepInclude(yield* now(second.engine.batches), { state: "ended", accepted: 250 })
    })
  )

  it.effect("are called off: what waits ends, and their end is told", () =>
    Effect.gen(function* () {
      const { engine, exchanges, store } = yield* setUp({ target })
      const { batch } = yield* engine.batches.open({ ...asked, onComplete: Step.post(`${url}done`) })
      const lines = yield* Effect.forEach(["a", "b", "c"], (path, n) =>
        Effect.map(jobOf(Step.get(`${url}${path}`).pipe(Step.retryAt(3_600_000))), (job) => ({ line: n + 1, job }))
      )
      yield* engine.batches.take(batch, { lines, through: 3, isAgain: false })
      yield* engine.batches.cancel(batch)
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude(yield* now(engine.batches), { state: "ended", isTold: true })
      assert.deepStrictEqual(yield* countsOf(engine.batches, batch), { cancelled: 3 })
      assert.deepStrictEqual(paths(yield* exchanges), ["done"])
      assert.strictEqual((yield* Effect.flip(engine.batches.cancel(batch)))._tag, "WrongState")
      assert.strictEqual((yield* store.stats).jobs.scheduled, 0)
    })
  )

  it.effect("run again what failed, as a batch of their own, and each batch once", () =>
    Effect.gen(function* () {
      const { engine, exchanges } = yield* setUp({ target })
      const batch = yield* handIn(engine.batches, ["bad1", "a", "bad2"])
      assert.strictEqual((yield* Effect.flip(engine.batches.rerun(batch)))._tag, "WrongState")
      yield* TestClock.adjust("5 seconds")
      const again = yield* engine.batches.rerun(yield* now(engine.batches))
      assert.deepInclude(again, { id: "b.rerun1", rerunOf: "b" })
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* now(engine.batches, "b.rerun1"), { state: "ended", accepted: 2 })
      assert.deepStrictEqual(yield* countsOf(engine.batches, batch), { succeeded: 1, failed: 2 })
      assert.deepStrictEqual(
        paths(yield* exchanges)
          .slice(3)
          .toSorted(),
        ["bad1", "bad2"]
      )
      assert.match((yield* Effect.flip(engine.batches.rerun(yield* now(engine.batches)))).message, /b\.rerun1/)
      assert.strictEqual((yield* engine.batches.rerun(yield* now(engine.batches, "b.rerun1"))).id, "b.rerun2")
    })
  )
})
