/** All jobs that a filter finds: called off, run again and deleted in one call, and looked at before. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { StorageFailed } from "../../../../src/dam/store/StoreError.ts"
import * as Bulk from "../../../../src/dam/work/Bulk.ts"
import { answerOf, faultsIn } from "../../api/Document.ts"
import { ended, job } from "../../../conformance/jobStore/Fixtures.ts"
import * as Double from "../HttpDouble.ts"

type Dam = Effect.Success<ReturnType<typeof Double.make>>

const bulk = (dam: Pick<Dam, "url">, body: unknown) =>
  Effect.promise(async () => {
    const answer = await fetch(`${dam.url}/api/v1/jobs/bulk`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" }
    })
    const json = JSON.parse(await answer.text())
    assert.deepStrictEqual(faultsIn(json, answerOf("POST", "/api/v1/jobs/bulk", answer.status)), [])
    return { status: answer.status, json }
  })

const hosts = { a: "a.example:443", b: "b.example:443" }

/** Jobs of two hosts; of the first, some have failed and some succeeded. */
const filled = Effect.gen(function* () {
  const dam = yield* Double.make()
  for (let n = 0; n < 120; n++) yield* dam.store.enqueue(job(`a-${n}`, { lane: hosts.a }))
  for (let n = 0; n < 10; n++) yield* dam.store.enqueue(job(`b-${n}`, { lane: hosts.b }))
  for (let n = 0; n < 20; n++) {
    yield* dam.store.finishIdle(`a-${n}`, ended({ state: n < 5 ? "failed" : "succeeded" }))
  }
  return dam
})

const left = (dam: Dam) => Effect.map(dam.store.stats, ({ jobs }) => jobs)

describe("many jobs at once over HTTP", () => {
  it.live("say how many they are, and show a few, before anything is done", () =>
    Effect.gen(function* () {
      const dam = yield* filled
      const { json } = yield* bulk(dam, { action: "cancel", filter: { lane: hosts.a }, dry_run: true })
      assert.deepInclude(json, { action: "cancel", dry_run: true, jobs: 100, is_exact: true, skipped: 0, cursor: null })
      assert.lengthOf(json.examples, 5)
      assert.deepInclude(yield* left(dam), { queued: 110, cancelled: 0 })
    })
  )

  it.live("are called off, over all pages", () =>
    Effect.gen(function* () {
      const dam = yield* filled
      const { json } = yield* bulk(dam, { action: "cancel", filter: { lane: hosts.a } })
      assert.deepInclude(json, { jobs: 100, skipped: 0, cursor: null })
      assert.deepInclude(yield* left(dam), { queued: 10, cancelled: 100 })
    })
  )

  it.live("are run again where they failed, or where it is said", () =>
    Effect.gen(function* () {
      const dam = yield* filled
      assert.strictEqual((yield* bulk(dam, { action: "rerun", filter: {} })).json.jobs, 5)
      const { json } = yield* bulk(dam, { action: "rerun", filter: { status: ["succeeded"] } })
      assert.strictEqual(json.jobs, 15)
      assert.deepInclude(yield* left(dam), { queued: 130, failed: 5, succeeded: 15 })
    })
  )

  it.live("are run again once, also where there was no room for all of them", () =>
    Effect.gen(function* () {
      const dam = yield* filled
      let room = 3
      const again: Array<string> = []
      const failed = new StorageFailed({ detail: "gone" })
      const rerun = ({ id }: { readonly id: string }) =>
        Effect.suspend(() => (room-- > 0 ? Effect.sync(() => again.push(id)) : Effect.fail(failed)))
      const bulk = Bulk.make(dam.store, { rerun, cancel: rerun })
      const filter = { customer: "local" }
      const first = yield* bulk.run({ action: "rerun", filter })
      assert.deepInclude(first, { done: 3, skipped: 0 })
      assert.strictEqual((yield* Effect.flip(bulk.run({ action: "rerun", filter })))._tag, "StorageFailed")
      room = 10
      const rest = yield* bulk.run({ action: "rerun", filter: { ...filter, cursor: first.cursor } })
      assert.deepInclude(rest, { done: 2, cursor: undefined })
      assert.deepStrictEqual(again, ["a-4", "a-3", "a-2", "a-1", "a-0"])
    })
  )

  it.live("are deleted where they have ended", () =>
    Effect.gen(function* () {
      const dam = yield* filled
      const { json } = yield* bulk(dam, { action: "delete", filter: { lane: hosts.a, status: ["failed"] } })
      assert.strictEqual(json.jobs, 5)
      assert.isUndefined(yield* dam.store.get("a-0"))
      assert.strictEqual((yield* bulk(dam, { action: "delete", filter: {} })).json.jobs, 15)
      assert.deepInclude(yield* left(dam), { queued: 110, failed: 0, succeeded: 0 })
    })
  )

  it.live("are found by whatever a list finds them by", () =>
    Effect.gen(function* () {
      const dam = yield* filled
      const found = (filter: object) =>
        Effect.map(bulk(dam, { action: "cancel", filter, dry_run: true }), ({ json }) => json.jobs)
      assert.strictEqual(yield* found({ order: "k" }), 0)
      assert.strictEqual(yield* found({ priority: "normal" }), 110)
      assert.strictEqual(yield* found({ priority: "high" }), 0)
    })
  )

  it.live("are told what is wrong with a filter, which never means more than was meant", () =>
    Effect.gen(function* () {
      const dam = yield* filled
      const refusal = (body: unknown) =>
        Effect.map(bulk(dam, body), ({ json, status }) => [status, json.code, json.field])
      assert.deepStrictEqual(yield* refusal({ action: "delete", filter: { statsu: ["failed"] } }), [
        400,
        "unknown_field",
        "filter.statsu"
      ])
      assert.deepStrictEqual(yield* refusal({ action: "delete" }), [400, "invalid_field", "filter"])
      assert.deepStrictEqual(yield* refusal({ action: "burn", filter: {} }), [400, "invalid_field", "action"])
      assert.deepStrictEqual(yield* refusal({ action: "delete", filter: { status: ["queued"] } }), [
        400,
        "invalid_field",
        "filter.status"
      ])
      assert.deepInclude(yield* left(dam), { queued: 110, failed: 5, succeeded: 15 })
    })
  )
})
