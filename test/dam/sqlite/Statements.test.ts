import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StatementSync } from "node:sqlite"
import * as Result from "effect/Result"
import type { Commands } from "../../../src/dam/rows/Commands.ts"
import { make } from "../../../src/dam/sqlite/Groups.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import { attempt, delivery, ended, job } from "../../conformance/jobStore/Fixtures.ts"

const methods = ["all", "get", "run"] as const

/** Counts the statements that something runs in this thread, but for those of its transactions. */
const counted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      let count = 0
      const originals = methods.map((name) => {
        const original = StatementSync.prototype[name] as (...args: Array<unknown>) => unknown
        const counting = function (this: StatementSync, ...args: Array<unknown>) {
          if (!/^(BEGIN|COMMIT|SELECT value FROM settings)/.test(this.sourceSQL)) count++
          return original.apply(this, args)
        }
        Object.defineProperty(StatementSync.prototype, name, { value: counting, configurable: true, writable: true })
        return [name, original] as const
      })
      return { originals, count: () => count }
    }),
    ({ count }) => Effect.map(effect, () => count()),
    ({ originals }) =>
      Effect.sync(() => {
        for (const [name, value] of originals) {
          Object.defineProperty(StatementSync.prototype, name, { value, configurable: true, writable: true })
        }
      })
  )

const file = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "statements-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  ),
  (path) => join(path, "jobs.db")
)

const call = { at: 20, latency: 1, status: 200, error: undefined, excerpt: "" }
const failing = { ...call, status: 500 }
const delivered = { _tag: "Delivered" } as const
const again = { _tag: "Again", dueAt: 30, spends: true } as const
const rule = { failures: 3, failingMillis: 50, probeMillis: 1000 }

const open = (path: string) => SqliteJobStore.make({ path, executor: "sameThread" })

/** Leaves a file with a job whose first delivery has failed once. */
const failedBefore = (path: string, deliveries: ReadonlyArray<ReturnType<typeof delivery>>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const jobs = yield* open(path)
      yield* jobs.enqueue(job("one"))
      yield* jobs.start("one", 1)
      yield* jobs.finish("one", 1, ended({ deliveries }))
      yield* jobs.settleDelivery("one-0", failing, again, rule)
    })
  )

describe("statements of a job", () => {
  it.effect("are as few as its tables", () =>
    Effect.gen(function* () {
      const jobs = yield* open(":memory:")
      assert.strictEqual(yield* counted(jobs.enqueue(job("one"))), 2, "the job and its step")
      assert.strictEqual(yield* counted(jobs.start("one", 1)), 1)
      const finish = ended({ attempt: attempt({}), deliveries: [delivery("one", 0)] })
      assert.strictEqual(yield* counted(jobs.finish("one", 1, finish)), 5, "job, attempt, result, delivery and body")
      assert.strictEqual(yield* counted(jobs.settleDelivery("one-0", call, delivered, rule)), 2, "delivery and job")
    })
  )

  it.effect("look for an endpoint where one failed before the file was opened", () =>
    Effect.gen(function* () {
      const path = yield* file
      yield* failedBefore(path, [delivery("one", 0)])
      const jobs = yield* open(path)
      assert.lengthOf(yield* jobs.endpoints("local"), 1)
      yield* jobs.settleDelivery("one-0", call, delivered, rule)
      assert.deepStrictEqual(yield* jobs.endpoints("local"), [])
    })
  )

  it.effect("know which endpoints fail after a group that was rolled back", () =>
    Effect.gen(function* () {
      const path = yield* file
      yield* failedBefore(path, [delivery("one", 0), delivery("one", 1)])
      const options = { path, busyTimeout: 0, maxBytes: undefined }
      const groups = Result.getOrThrow(make(options))
      yield* Effect.addFinalizer(() => Effect.sync(groups.close))
      type Settle = readonly ["settleDelivery", ...Parameters<Commands["settleDelivery"]>]
      const took = (id: string): Settle => [
        "settleDelivery",
        id,
        { json: "{}", at: 20, isGone: false },
        delivered,
        rule
      ]
      // the second one fails, so that the first is run again
      const { faults } = groups.run([took("one-0"), took("nobody's")])
      assert.deepStrictEqual([...faults.keys()], [1])
      const { values } = groups.run([
        ["settleDelivery", "one-1", { json: "{}", at: 25, isGone: false }, again, rule],
        ["endpoints", "local"]
      ])
      assert.lengthOf(values[1] as ReadonlyArray<unknown>, 1)
      assert.deepStrictEqual(groups.run([took("one-1"), ["endpoints", "local"]]).values[1], [])
    })
  )
})
