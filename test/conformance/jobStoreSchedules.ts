/** What a job store promises about schedules, as tests over any layer that provides one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Firing from "../../src/engine/schedule/Firing.ts"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import type { StoredSchedule } from "../../src/dam/store/ScheduleRecords.ts"
import type { StoreError } from "../../src/dam/store/StoreError.ts"
import { rich } from "./jobStore/Fixtures.ts"

type Store = JobStore["Service"]

const schedule = (name: string, change: Partial<StoredSchedule> = {}): StoredSchedule => ({
  customer: "local",
  name,
  generation: `generation of ${name}`,
  timing: { cron: "0 9 1 * *", zone: "Europe/Berlin", start: 5, jitter: 1000 },
  rules: { overlap: "queue", catchUp: "all", catchUpMost: 3 },
  step: rich("job").step,
  progress: { ...Firing.begin(7), waiting: [8, 9], fired: 1, last: { at: 6, jobId: "job" } },
  lookAt: 10,
  createdAt: 1,
  changedAt: 2,
  ...change
})

/** As JSON has it: a step that was read is another object than the one that was written. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: Store) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))

  describe(`JobStore (${name}): schedules`, () => {
    promises("are applied as a whole", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.saveSchedule(schedule("one"))
        yield* jobs.saveSchedule(schedule("two"))
        yield* jobs.saveSchedule(schedule("two", { customer: "other" }))
        const changed = schedule("one", { lookAt: 99 })
        yield* jobs.applySchedules("local", [changed, schedule("three")], ["two", "none"])
        const names = (yield* jobs.schedules("local")).map(({ lookAt, name }) => [name, lookAt])
        assert.deepStrictEqual(names, [
          ["one", 99],
          ["three", 10]
        ])
        assert.strictEqual(yield* jobs.countSchedules("other"), 1)
      })
    )

    promises("are kept as they are, until they are put anew or removed", (jobs) =>
      Effect.gen(function* () {
        assert.isUndefined(yield* jobs.schedule("local", "one"))
        yield* jobs.saveSchedule(schedule("one"))
        assert.deepStrictEqual(plain(yield* jobs.schedule("local", "one")), plain(schedule("one")))
        const changed = schedule("one", { timing: { every: 5 }, progress: Firing.begin(20), lookAt: undefined })
        yield* jobs.saveSchedule(changed)
        const { lookAt, progress, timing } = (yield* jobs.schedule("local", "one"))!
        assert.deepStrictEqual(
          { lookAt, progress, timing },
          { lookAt: undefined, progress: Firing.begin(20), timing: { every: 5 } }
        )
        assert.isTrue(yield* jobs.removeSchedule("local", "one"))
        assert.isFalse(yield* jobs.removeSchedule("local", "one"))
        assert.isUndefined(yield* jobs.schedule("local", "one"))
      })
    )

    promises("belong to their customers", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.saveSchedule(schedule("b"))
        yield* jobs.saveSchedule(schedule("a"))
        yield* jobs.saveSchedule(schedule("a", { customer: "acme" }))
        const names = (all: ReadonlyArray<StoredSchedule>) => all.map((one) => `${one.customer} ${one.name}`)
        assert.deepStrictEqual(names(yield* jobs.schedules("local")), ["local a", "local b"])
        assert.deepStrictEqual(names(yield* jobs.schedules()), ["acme a", "local a", "local b"])
        assert.deepStrictEqual([yield* jobs.countSchedules("local"), yield* jobs.countSchedules("acme")], [2, 1])
        yield* jobs.removeSchedule("acme", "a")
        assert.isDefined(yield* jobs.schedule("local", "a"))
      })
    )

    promises("are due when they say, and those that wait for nothing never are", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.saveSchedule(schedule("later", { lookAt: 30 }))
        yield* jobs.saveSchedule(schedule("second", { lookAt: 20 }))
        yield* jobs.saveSchedule(schedule("first", { lookAt: 10 }))
        yield* jobs.saveSchedule(schedule("paused", { lookAt: undefined }))
        const named = (names: ReadonlyArray<string>) => names.map((one) => ({ customer: "local", name: one }))
        assert.deepStrictEqual(yield* jobs.dueSchedules(20, 10), { due: named(["first", "second"]), nextAt: 30 })
        assert.deepStrictEqual(yield* jobs.dueSchedules(20, 1), { due: named(["first"]), nextAt: 30 })
        assert.deepStrictEqual(yield* jobs.dueSchedules(30, 10), {
          due: named(["first", "second", "later"]),
          nextAt: undefined
        })
        yield* jobs.putOffSchedule("local", "first", 40)
        assert.deepStrictEqual(yield* jobs.dueSchedules(20, 10), { due: named(["second"]), nextAt: 30 })
      })
    )
  })
}
