import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Step from "../../../src/step/Step.ts"
import { jobOf, setUp, url } from "../support.ts"

/** A file with a job that waits and one that has ended, both damaged by somebody, and one that is whole. */
const damaged = (change: string) =>
  Effect.gen(function* () {
    const folder = mkdtempSync(join(tmpdir(), "damaged-"))
    yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
    const path = join(folder, "jobs.db")
    yield* Effect.scoped(
      Effect.gen(function* () {
        const store = yield* SqliteJobStore.make({ path, executor: "sameThread" })
        for (const id of ["ended", "waiting", "whole"]) {
          yield* store.enqueue(yield* jobOf(Step.post(`${url}${id}`), { id }))
        }
        yield* store.start("ended", 1)
        yield* store.finish("ended", 1, {
          state: "failed",
          at: 2,
          result: {
            response: undefined,
            responses: [],
            region: undefined,
            path: 0,
            error: { tag: "Rejected", message: "no" }
          },
          children: [],
          deliveries: []
        })
      })
    )
    const db = new DatabaseSync(path)
    db.exec(`UPDATE payloads SET step = ${change} WHERE seq IN (SELECT seq FROM jobs WHERE id <> 'whole')`)
    db.close()
    return yield* SqliteJobStore.make({ path, executor: "sameThread" })
  })

describe("a job whose row cannot be read", () => {
  it.effect.each(["'{'", `'{"url":7}'`])(
    "fails with a reason instead of running for ever, and holds nobody up: %s",
    (change) =>
      Effect.gen(function* () {
        const dam = yield* setUp({ store: yield* damaged(change) })
        yield* TestClock.adjust("1 second")
        const job = yield* dam.get("waiting")
        assert.deepStrictEqual([job.state, job.result?.error?.tag], ["failed", "Unreadable"])
        assert.match(
          job.result?.error?.message ?? "",
          /^what was stored of the job makes no sense: a row cannot be read at job/
        )
        assert.strictEqual((yield* dam.get("whole")).state, "succeeded")
        assert.lengthOf(yield* dam.sent, 1)
        assert.strictEqual((yield* dam.engine.admission)["running_now"], 0)
      })
  )

  it.effect("is listed with the others, keeps the end it had, and is not run again", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ store: yield* damaged("'{'") })
      yield* TestClock.adjust("1 second")
      const { jobs } = yield* dam.store.list({ customer: "local", limit: 10 })
      assert.deepStrictEqual(
        jobs.map(({ id, result }) => [id, result?.error?.tag]),
        [
          ["whole", undefined],
          ["waiting", "Unreadable"],
          ["ended", "Rejected"]
        ]
      )
      const refused = yield* Effect.flip(dam.engine.rerun(yield* dam.get("ended")))
      assert.include(refused.message, "cannot be read any more")
    })
  )
})
