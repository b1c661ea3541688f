import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as MemoryEventStore from "../../src/receive/MemoryEventStore.ts"
import * as SqliteEventStore from "../../src/receive/SqliteEventStore.ts"
import { suite } from "../conformance/EventStore.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "ezthrottle-inbox-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const open = (path: string) =>
  Effect.acquireRelease(
    Effect.sync(() => SqliteEventStore.open(path)),
    (store) => Effect.sync(() => store[Symbol.dispose]())
  )

const claiming = (id: string, token = "a") => ({
  id,
  body: `body of ${id}`,
  token,
  now: 1000,
  claimedUntil: 2000,
  keepUntil: 100_000
})

suite(
  "memory",
  Effect.sync(() => MemoryEventStore.make())
)
suite(
  "SQL over a file of SQLite",
  Effect.flatMap(folder, (path) => open(join(path, "inbox.db")))
)

describe("a store in memory", () => {
  it.effect("is not durable and stays within its capacity, the handled go first", () =>
    Effect.gen(function* () {
      const store = MemoryEventStore.make({ capacity: 2 })
      assert.isFalse(store.isDurable)
      yield* store.claim(claiming("one"))
      yield* store.claim(claiming("two"))
      yield* store.settle("two", "a", true)
      yield* store.claim(claiming("three"))
      assert.strictEqual(yield* store.claim(claiming("one", "b")), "Busy")
      assert.isUndefined(yield* store.find("two"))
      assert.isDefined(yield* store.find("three"))
    })
  )
})

describe("a store in a file", () => {
  it.effect("is there after a restart, and shared with other processes", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "inbox.db")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const [store, other] = [yield* open(path), yield* open(path)]
          assert.isTrue(store.isDurable)
          assert.strictEqual(yield* store.claim(claiming("one")), "Claimed")
          assert.strictEqual(yield* other.claim(claiming("one", "b")), "Busy")
          yield* store.settle("one", "a", true)
          yield* store.keep("x", "text", 100_000)
        })
      )
      const store = yield* open(path)
      assert.strictEqual(yield* store.claim(claiming("one", "b")), "Handled")
      assert.strictEqual(yield* store.find("one"), "body of one")
      assert.strictEqual(yield* store.kept("x"), "text")
    }).pipe(Effect.scoped)
  )

  it.effect("says which file cannot be used", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "missing", "inbox.db")
      assert.throws(() => SqliteEventStore.open(path), /inbox\.db/)
    }).pipe(Effect.scoped)
  )
})
