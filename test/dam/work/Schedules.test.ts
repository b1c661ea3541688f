import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import { StorageFailed } from "../../../src/dam/store/StoreError.ts"
import type { ScheduleDefinition } from "../../../src/dam/store/ScheduleRecords.ts"
import type { FiringRules } from "../../../src/engine/schedule/Firing.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { type Options, setUp, type Store, url } from "../support.ts"

const definition = (
  timing: ScheduleDefinition["timing"] = { cron: "*/10 * * * *" },
  rules: Partial<FiringRules> = {}
): ScheduleDefinition => ({
  timing,
  rules: { overlap: "parallel", catchUp: "last", catchUpMost: 100, ...rules },
  step: Step.post(url, { body: "nightly" })
})

/** For when the jobs in the store were fired, in minutes, in their order. */
const firedIn = (store: Store) =>
  Effect.map(store.list({ customer: "local", limit: 200, oldestFirst: true }), ({ jobs }) =>
    jobs.map(({ step }) => Date.parse(String(step.metadata["scheduled_for"])) / 60_000)
  )

let ids = 0
const dam = (options: Options = {}) => setUp({ newId: Effect.sync(() => `fired-${++ids}`), ...options })

describe("schedules of a dam", () => {
  it.effect("submit a job at each of their moments, which names its schedule", () =>
    Effect.gen(function* () {
      const { engine, sent, store } = yield* dam()
      const made = yield* engine.schedules.set("local", "tens", definition())
      assert.strictEqual(made.lookAt, 600_000)
      yield* TestClock.adjust("35 minutes")
      assert.deepStrictEqual(yield* firedIn(store), [10, 20, 30])
      assert.deepStrictEqual(yield* sent, ["api 600000", "api 1200000", "api 1800000"])
      const { jobs } = yield* store.list({ customer: "local", limit: 1 })
      assert.strictEqual(jobs[0]?.step.metadata["schedule"], "tens")
      const { progress } = (yield* engine.schedules.get("local", "tens"))!
      assert.deepInclude(progress, { fired: 3, missed: 0, last: { at: 1_800_000, jobId: jobs[0]!.id } })
    })
  )

  it.effect(
    "are applied as a whole: what is as it was goes on, and nothing changes where there would be too many",
    () =>
      Effect.gen(function* () {
        let isFull = false
        const through = (store: Store): Store => ({
          ...store,
          applySchedules: (...given) =>
            Effect.suspend(() =>
              isFull ? Effect.fail(new StorageFailed({ detail: "full" })) : store.applySchedules(...given)
            )
        })
        const { engine, store } = yield* dam({ maxSchedules: 3, through })
        const { schedules } = engine
        const hourly = definition({ cron: "0 * * * *" })
        yield* schedules.set("local", "a", definition())
        yield* schedules.set("local", "b", hourly)
        yield* schedules.set("other", "x", hourly)
        yield* TestClock.adjust("25 minutes")
        const before = yield* schedules.get("local", "a")
        const how = { deletes: false, dryRun: false }
        const four = new Map(["a", "c", "d"].map((name) => [name, definition()]))
        const { current, limit } = yield* Effect.flip(schedules.apply("local", four, how)).pipe(
          Effect.map((error) => (error._tag === "TooManySchedules" ? error : assert.fail(error._tag)))
        )
        assert.deepStrictEqual([current, limit], [2, 3])
        const wanted = new Map([
          ["a", definition()],
          ["c", definition({ every: 60_000 })],
          ["d", hourly]
        ])
        isFull = true
        yield* Effect.flip(schedules.apply("local", wanted, { ...how, deletes: true }))
        assert.deepStrictEqual(
          (yield* schedules.list("local")).map(({ name }) => name),
          ["a", "b"]
        )
        isFull = false
        const applied = { added: ["c", "d"], changed: [], unchanged: ["a"], deleted: ["b"], kept: [] }
        for (const dryRun of [true, false]) {
          assert.deepStrictEqual(yield* schedules.apply("local", wanted, { deletes: true, dryRun }), applied)
        }
        assert.deepStrictEqual(
          (yield* schedules.list("local")).map(({ name }) => name),
          ["a", "c", "d"]
        )
        assert.deepStrictEqual(yield* schedules.get("local", "a"), before)
        assert.lengthOf(yield* schedules.list("other"), 1)
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* firedIn(store), [10, 20, 26])
        const utc = new Map([["d", definition({ cron: "0 * * * *", zone: "UTC", jitter: 0 })]])
        assert.deepStrictEqual((yield* schedules.apply("local", utc, how)).unchanged, ["d"])
        const other = new Map([["d", definition({ cron: "1 * * * *", zone: "Europe/Berlin" }, { overlap: "skip" })]])
        assert.deepStrictEqual((yield* schedules.apply("local", other, how)).changed, [
          { name: "d", fields: ["cron", "zone", "overlap"] }
        ])
      })
  )

  it.effect("submit a firing once, also where the dam dies before it has noted it down", () =>
    Effect.gen(function* () {
      let dies = false
      const through = (store: Store): Store => ({
        ...store,
        saveSchedule: (schedule) =>
          Effect.suspend(() =>
            dies ? Effect.fail(new StorageFailed({ detail: "gone" })) : store.saveSchedule(schedule)
          )
      })
      const first = yield* dam({ through })
      yield* first.engine.schedules.set("local", "tens", definition())
      dies = true
      yield* TestClock.adjust("11 minutes")
      assert.deepStrictEqual(yield* firedIn(first.store), [10])
      yield* first.stop
      dies = false
      const second = yield* first.begin()
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* firedIn(first.store), [10, 20])
      assert.deepInclude((yield* second.engine.schedules.get("local", "tens"))!.progress, { fired: 2, missed: 0 })
      yield* second.stop
    })
  )

  it.effect("of a customer who may file no more hold up nobody else's", () =>
    Effect.gen(function* () {
      const { engine, store } = yield* dam({ maxCustomerJobs: 1, pacing: { pace: { rps: 0.0001, maxConcurrent: 1 } } })
      const everySecond = definition({ every: 1000 }, { overlap: "parallel" })
      for (let n = 0; n < 101; n++) yield* engine.schedules.set("full", `n${n}`, everySecond)
      yield* TestClock.adjust("5 seconds")
      yield* engine.schedules.set("other", "one", everySecond)
      yield* TestClock.adjust("3 seconds")
      const { jobs } = yield* store.list({ customer: "other", limit: 10 })
      assert.strictEqual(jobs.length, 1)
    })
  )

  it.effect("may have long names in any script", () =>
    Effect.gen(function* () {
      const { engine, store } = yield* dam()
      yield* engine.schedules.set("local", "é".repeat(128), definition())
      yield* TestClock.adjust("11 minutes")
      assert.deepStrictEqual(yield* firedIn(store), [10])
    })
  )

  it.effect("that are fired by hand overlap no more than they may", () =>
    Effect.gen(function* () {
      const answers = Script.inTurn(Script.later("1 hour", { status: 200 }), { status: 200 })
      const { engine, store } = yield* dam({ target: Script.always(answers), attemptTimeout: Duration.hours(2) })
      yield* engine.schedules.set("local", "tens", definition(undefined, { overlap: "skip" }))
      yield* TestClock.adjust("11 minutes")
      yield* engine.schedules.runNow("local", "tens")
      yield* TestClock.adjust("20 minutes")
      const { progress } = (yield* engine.schedules.get("local", "tens"))!
      assert.deepInclude(progress, { fired: 2, skipped: 2 })
      assert.strictEqual((yield* firedIn(store)).length, 2)
    })
  )

  it.effect("make up after a stop what they say, and begin anew when they are made anew", () =>
    Effect.gen(function* () {
      const { begin, engine, stop, store } = yield* dam()
      yield* engine.schedules.set("local", "last", definition())
      yield* stop
      yield* TestClock.adjust("65 minutes")
      const second = yield* begin()
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* firedIn(store), [60])
      assert.strictEqual((yield* second.engine.schedules.get("local", "last"))!.progress.missed, 5)
      assert.isTrue(yield* second.engine.schedules.remove("local", "last"))
      assert.isFalse(yield* second.engine.schedules.remove("local", "last"))
      const made = yield* second.engine.schedules.set("local", "last", definition({ every: 300_000 }))
      assert.deepInclude(made.progress, { fired: 0, missed: 0, last: undefined })
      yield* TestClock.adjust("6 minutes")
      assert.lengthOf(yield* firedIn(store), 2)
      yield* second.stop
    })
  )

  it.effect("wait for their last job, or go past it, as they say", () =>
    Effect.gen(function* () {
      const { engine, store } = yield* dam({
        target: Script.always(Script.hang),
        pacing: { pace: { rps: 1000, maxConcurrent: 100 } }
      })
      for (const overlap of ["skip", "queue"] as const) {
        yield* engine.schedules.set("local", overlap, {
          ...definition({ every: 60_000 }, { overlap }),
          step: Step.get(url).pipe(Step.onFailureTimeout("150 seconds"), Step.frugal())
        })
      }
      yield* TestClock.adjust("215 seconds")
      const progress = (name: string) => Effect.map(engine.schedules.get("local", name), (one) => one!.progress)
      // the first ends after two and a half minutes
      assert.deepInclude(yield* progress("skip"), { fired: 1, skipped: 2, waiting: [] })
      const queued = yield* progress("queue")
      assert.deepStrictEqual([queued.fired, queued.waiting.length], [2, 1])
      assert.lengthOf(yield* firedIn(store), 3)
    })
  )

  it.effect("are paused, resumed and run now", () =>
    Effect.gen(function* () {
      const { engine, store } = yield* dam()
      const { schedules } = engine
      yield* schedules.set("local", "tens", definition())
      assert.isUndefined((yield* schedules.pause("local", "tens"))!.lookAt)
      yield* TestClock.adjust("25 minutes")
      assert.deepStrictEqual(yield* firedIn(store), [])
      assert.strictEqual((yield* schedules.runNow("local", "tens"))!.progress.fired, 1)
      assert.strictEqual((yield* schedules.resume("local", "tens"))!.lookAt, 1_800_000)
      yield* TestClock.adjust("6 minutes")
      assert.deepStrictEqual(yield* firedIn(store), [25, 30])
      assert.isUndefined(yield* schedules.pause("acme", "tens"))
    })
  )

  it.effect("keep to the mark of their customer, and lose nothing to it", () =>
    Effect.gen(function* () {
      const { engine, store } = yield* dam({ maxCustomerJobs: 1 })
      yield* engine.schedules.set("local", "one", definition({ cron: "*/10 * * * *" }))
      yield* engine.schedules.set("local", "two", {
        ...definition({ cron: "*/10 * * * *" }),
        step: Step.get(url).pipe(Step.retryAt(630_000))
      })
      yield* TestClock.adjust("10 minutes")
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* firedIn(store), [10, 10])
      assert.strictEqual((yield* engine.schedules.get("local", "two"))!.progress.missed, 0)
    })
  )

  it.effect("are no more than each customer may have, and none is defined where the dam is full", () =>
    Effect.gen(function* () {
      const { engine, store } = yield* dam({ maxSchedules: 2 })
      const { remove, set } = engine.schedules
      for (const name of ["one", "two", "two"]) yield* set("local", name, definition())
      const refused = yield* Effect.flip(set("local", "three", definition()))
      assert.deepInclude(refused, { _tag: "TooManySchedules", limit: 2, current: 2 })
      yield* set("acme", "three", definition())
      yield* remove("local", "one")
      yield* set("local", "three", definition())
      const full = yield* dam({ store, maxStoredBytes: 1 })
      const overloaded = yield* Effect.flip(full.engine.schedules.set("acme", "four", definition()))
      assert.deepInclude(overloaded, { _tag: "Overloaded", limitReason: "stored_bytes" })
      assert.strictEqual(yield* store.countSchedules("acme"), 1)
    })
  )

  it.effect("whose row cannot be read hold up no others, are left out of lists, and can be removed", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(tmpdir(), "schedules-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const path = join(folder, "jobs.db")
      const opened = SqliteJobStore.make({ path, executor: "sameThread" })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { engine } = yield* dam({ store: yield* opened })
          for (const name of ["damaged", "whole"]) yield* engine.schedules.set("local", name, definition())
        })
      )
      const db = new DatabaseSync(path)
      // what was reckoned of the whole one is not so any more: the start reckons it anew behind the damaged one
      db.exec("UPDATE schedules SET step = '{' WHERE name = 'damaged'; UPDATE schedules SET look_at = 0")
      db.close()
      const { engine, store } = yield* dam({ store: yield* opened })
      const { get, list, remove } = engine.schedules
      assert.deepStrictEqual(
        (yield* list("local")).map(({ lookAt, name }) => [name, lookAt]),
        [["whole", 600_000]]
      )
      yield* TestClock.adjust("11 minutes")
      assert.deepStrictEqual(yield* firedIn(store), [10])
      assert.strictEqual((yield* Effect.flip(get("local", "damaged")))._tag, "StorageFailed")
      assert.isTrue(yield* remove("local", "damaged"))
      assert.isUndefined(yield* get("local", "damaged"))
    })
  )
})
