import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Fresh from "../../../src/dam/rows/Fresh.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import { answered, attempt, ended, job, rich } from "../../conformance/jobStore/Fixtures.ts"
import { lines, setUp, url } from "../support.ts"
import * as Step from "../../../src/step/Step.ts"

const file = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "fresh-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  ),
  (path) => join(path, "jobs.db")
)

const good = attempt({
  ending: { _tag: "Answered", status: 200, retryAfter: undefined },
  response: answered(200, Uint8Array.from([255, 0]))
})

describe.each(["worker", "sameThread"] as const)("a store (%s)", (executor) => {
  it.effect("starts a job it has just stored as it starts one that it reads", () =>
    Effect.gen(function* () {
      const path = yield* file
      const first = yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* SqliteJobStore.make({ path, executor })
          for (const given of [rich("one"), rich("two")]) yield* store.enqueue({ ...given, key: given.id })
          const one = yield* store.start("one", 7)
          assert.deepStrictEqual(yield* store.get("one"), one)
          assert.isUndefined(yield* store.start("one", 8))
          return one
        })
      )
      const again = yield* SqliteJobStore.make({ path, executor })
      const two = yield* again.start("two", 7)
      assert.deepStrictEqual(two && { ...two, id: "one", key: "one" }, first)
    })
  )

  it.effect("reads what has become of a job since it was stored", () =>
    Effect.gen(function* () {
      const store = yield* SqliteJobStore.make({ path: yield* file, executor })
      yield* store.enqueue(job("parked"))
      yield* store.enqueue(job("cancelled"))
      yield* store.start("parked", 1)
      yield* store.record("parked", 1, attempt())
      yield* store.park("parked", 1, { dueAt: 50, heldSince: 2 })
      yield* store.release(50)
      assert.deepInclude(yield* store.start("parked", 60), {
        epoch: 2,
        startedAt: 1,
        heldSince: 2,
        pausedUntil: 50,
        pausedFor: undefined,
        history: [attempt()]
      })
      yield* store.finishIdle("cancelled", ended({ state: "cancelled" }))
      assert.isUndefined(yield* store.start("cancelled", 60))
    })
  )

  it.effect("stores the last attempt with the end, or neither", () =>
    Effect.gen(function* () {
      const store = yield* SqliteJobStore.make({ path: yield* file, executor })
      yield* store.enqueue(job("one"))
      yield* store.start("one", 1)
      const stale = yield* Effect.flip(store.finish("one", 2, ended({ attempt: good })))
      assert.strictEqual(stale._tag, "StaleEpoch")
      assert.deepInclude(yield* store.get("one"), { state: "running", history: [] })
      yield* store.finish("one", 1, ended({ attempt: good }))
      assert.deepInclude(yield* store.get("one"), { state: "succeeded", history: [good] })
    })
  )
})

describe("jobs in memory", () => {
  const of = (lane: string, id: string) => ({ ...job(id), lane })

  it("are handed out once, and make room for newer ones of other lanes by weight", () => {
    const fresh = Fresh.make(10)
    for (const id of ["a", "b", "c"]) fresh.add(of(id, id), 4)
    assert.isUndefined(fresh.take("a"))
    assert.strictEqual(fresh.take("c")?.id, "c")
    assert.isUndefined(fresh.take("c"))
    fresh.add(of("d", "huge"), 11)
    assert.isUndefined(fresh.take("huge"))
    fresh.add(of("d", "d"), 5)
    assert.strictEqual(fresh.take("b")?.id, "b")
    assert.strictEqual(fresh.take("d")?.id, "d")
  })

  it("stay where a lane has more than its share: what would be dropped before its start is not kept at all", () => {
    const fresh = Fresh.make(10)
    for (const id of ["a", "b", "c"]) fresh.add(of("busy", id), 2)
    assert.isUndefined(fresh.take("c"))
    fresh.add(of("other", "x"), 5)
    assert.strictEqual(fresh.take("x")?.id, "x")
    assert.strictEqual(fresh.take("a")?.id, "a")
    fresh.add(of("busy", "d"), 2)
    assert.strictEqual(fresh.take("b")?.id, "b")
    assert.strictEqual(fresh.take("d")?.id, "d")
  })
})

describe("a job that ends with its first answer", () => {
  it.effect("is ended and its attempt stored in one write, and nothing is written between", () =>
    Effect.gen(function* () {
      const writes: Array<string> = []
      const { runToEnd } = yield* setUp({
        through: (store) => ({
          ...store,
          record: (...args) => {
            writes.push("record")
            return store.record(...args)
          },
          finish: (...args) => {
            writes.push("finish")
            return store.finish(...args)
          }
        })
      })
      const ended = yield* runToEnd(Step.get(url))
      assert.deepStrictEqual(lines(ended), ["0 start 200"])
      assert.deepStrictEqual(writes, ["finish"])
    })
  )

  it.effect("has its attempts stored one by one where other regions may still be under way", () =>
    Effect.gen(function* () {
      const writes: Array<string> = []
      const { runToEnd } = yield* setUp({
        regions: ["iad", "fra"],
        through: (store) => ({
          ...store,
          record: (id, epoch, made) => {
            writes.push(made.ending._tag)
            return store.record(id, epoch, made)
          }
        })
      })
      yield* runToEnd(Step.get(url).pipe(Step.regions(["iad", "fra"]), Step.executionMode("fanout")))
      assert.deepStrictEqual(writes, ["Answered", "Answered"])
    })
  )
})
