/** Orders over HTTP: seen, and let go on by the customer they belong to. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Step from "../../../../src/step/Step.ts"
import { ended, job } from "../../../conformance/jobStore/Fixtures.ts"
import { answerOf, faultsIn } from "../../api/Document.ts"
import * as Double from "../HttpDouble.ts"

type Dam = Effect.Success<ReturnType<typeof Double.make>>

const ask = (dam: Pick<Dam, "url">, method: string, path: string) =>
  Effect.promise(async () => {
    const answer = await fetch(`${dam.url}/api/v1/orders${path}`, { method })
    const json = JSON.parse(await answer.text())
    const described = `/api/v1/orders${path.replace(/^\/[^/]+/, "/{key}")}`
    assert.deepStrictEqual(faultsIn(json, answerOf(method, described, answer.status)), [], `${path} ${answer.status}`)
    return { status: answer.status, json }
  })

const failed = { ...ended(), state: "failed" as const, at: 9 }

const stopping = (id: string) =>
  job(id, { step: Step.get("https://a.example/").pipe(Step.inOrder("customer 7", { onFailure: "stop" })) })

describe("orders over HTTP", () => {
  it.live("are shown, listed where a failure has stopped them, and resumed", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      assert.strictEqual((yield* ask(dam, "GET", "/customer%207")).status, 404)
      for (const id of ["first", "second"]) yield* dam.store.enqueue(stopping(id))
      const shown = { key: "customer 7", jobs: 2, first: "first", stopped_by: null, stopped_at: null }
      assert.deepStrictEqual((yield* ask(dam, "GET", "/customer%207")).json, shown)
      assert.deepInclude(yield* ask(dam, "POST", "/customer%207/resume"), { status: 409 })
      yield* dam.store.start("first", 1)
      yield* dam.store.finish("first", 1, failed)
      const stopped = { ...shown, jobs: 1, first: "second", stopped_by: "first", stopped_at: 9 }
      assert.deepStrictEqual((yield* ask(dam, "GET", "")).json, { orders: [stopped] })
      const goesOn = { ...stopped, stopped_by: null, stopped_at: null }
      assert.deepStrictEqual((yield* ask(dam, "POST", "/customer%207/resume")).json, goesOn)
      assert.deepStrictEqual((yield* ask(dam, "GET", "")).json, { orders: [] })
      assert.deepInclude(yield* ask(dam, "POST", `/${"k".repeat(129)}/resume`), { status: 400 })
    })
  )
})
