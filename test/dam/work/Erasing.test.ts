/** An erasure in a dam at work: nothing is left in the file, and what is left of the job is not run again. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Erasing from "../../../src/dam/work/Erasing.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { hook, setUp, toEnd, url } from "../support.ts"

const canary = "canary4711"

const step = Step.post(`${url}${canary}`, { headers: { "x-note": canary }, body: `the body of ${canary}` }).pipe(
  Step.metadata({ note: canary }),
  Step.webhooks([{ url: hook }]),
  Step.retryPolicy({ maxRetries: 0 })
)

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "erased-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

describe("an erasure", () => {
  it.effect("leaves nothing in the file of what a job has sent and received, in the index of texts neither", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const store = yield* SqliteJobStore.make({ path: join(path, "dam.db"), executor: "sameThread", textSearch: true })
      const target = Script.always({ status: 400, headers: { "x-said": canary }, body: `answer to ${canary}` })
      const receivers = Script.always({ status: 410, body: `gone, ${canary}` })
      const dam = yield* setUp({ store, target, receivers, textSearch: true })
      const id = yield* dam.submit(step)
      yield* toEnd(dam.get(id))
      while ((yield* dam.get(id)).deliveryState === "pending") yield* Effect.yieldNow
      yield* store.fillTexts(100)
      const bytes = () =>
        readdirSync(path)
          .map((name) => readFileSync(join(path, name), "latin1"))
          .join("")
      assert.include(bytes(), canary)
      const left = yield* Erasing.erase(store, yield* dam.get(id))
      assert.deepInclude(left, { id, state: "failed", deliveryState: "undelivered" })
      assert.notInclude(bytes(), canary)
      const refused = yield* Effect.flip(dam.engine.rerun(left))
      assert.include(refused.message, "what it was to do was erased")
    })
  )

  it.effect("is refused for what waits or runs", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const id = yield* dam.submit(Step.retryAt(step, 3_600_000))
      const refused = yield* Effect.flip(Erasing.erase(dam.store, yield* dam.get(id)))
      assert.deepInclude(refused, { _tag: "WrongState", state: "scheduled" })
      assert.include(refused.message, "cancel it first")
    })
  )
})
