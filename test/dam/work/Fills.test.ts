import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { breachIn } from "../../../src/dam/intake/Filled.ts"
import * as Limits from "../../../src/dam/intake/Limits.ts"
import * as Hosts from "../../../src/run/Host.ts"
import * as Interpreter from "../../../src/run/Interpreter.ts"
import type { StepError } from "../../../src/step/Outcome.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import * as Strategies from "../../../src/transport/Strategies.ts"
import { ending } from "../../run/support.ts"
import { setUp, toEnd } from "../support.ts"

const parent = Step.post("https://pay.example/payments").pipe(Step.metadata({ tenant: "acme" }))
const receipt = Step.put("https://mail.example/receipts/{id}").pipe(
  Step.fill({
    path: { id: Step.from("/response/body/id") },
    query: { tenant: Step.from("/metadata/tenant") },
    headers: { "If-Match": Step.from("/response/headers/etag") },
    body: { state: Step.from("/response/status"), all: Step.from("/response/body") }
  }),
  Step.onFailure(Step.post("https://ops.example/alarm"))
)
const report = Step.post("https://ops.example/report").pipe(Step.fill({ body: Step.answer }))
const last = Step.get("https://third.example/").pipe(
  Step.fill({ query: { tenant: Step.from("/metadata/tenant"), was: Step.from("/response/status") } })
)
const once = Step.retryPolicy({ maxRetries: 0, maxReroutes: 0 })

interface World {
  readonly step: Step.Step
  readonly pay: Script.Input
}

const answered = (body: string, status = 200): Script.Input => ({ status, headers: { ETag: '"v1"' }, body })

const targets = ({ pay }: World) => Script.all(Script.on("https://pay.example/*", pay), Script.always({ status: 201 }))

const callsOf = (
  exchanges: Effect.Effect<ReadonlyArray<{ readonly asked: { readonly request: Step.Step["request"] } }>>
) =>
  Effect.map(exchanges, (calls) =>
    calls.map(({ asked: { request } }) => {
      const { body } = request
      // what only a dam says of itself is left out
      const own = /^(?:idempotency-key|x-aqueduct-.*|x-ezthrottle-.*)$/i
      const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !own.test(name)))
      return {
        url: request.url,
        headers,
        body: body instanceof Uint8Array ? new TextDecoder().decode(body) : body
      }
    })
  )

const inClient = Effect.fnUntraced(function* (world: World) {
  const transport = yield* Script.make(targets(world))
  yield* ending(Interpreter.run(world.step, Strategies.only(transport), Hosts.client))
  return yield* callsOf(transport.exchanges)
})

const inDam = Effect.fnUntraced(function* (world: World) {
  const dam = yield* setUp({ target: targets(world), breach: breachIn(Limits.make()) })
  yield* dam.runToEnd(world.step)
  for (const n of [1, 2, 3]) {
    const child = yield* dam.store.get(`child-${n}`)
    if (child !== undefined) yield* toEnd(dam.get(child.id))
  }
  return yield* callsOf(dam.exchanges)
})

const chained = parent.pipe(once, Step.onSuccess(Step.onSuccess(receipt, last)))
const worlds: Readonly<Record<string, readonly [World, calls: number]>> = {
  "of a success": [{ step: chained, pay: answered('{"id":"in/7"}') }, 3],
  "of a success that has nothing to take": [{ step: chained, pay: answered('{"no":7}') }, 2],
  "of a success that would lead elsewhere": [{ step: chained, pay: answered('{"id":".."}') }, 2],
  "of a failure": [
    { step: parent.pipe(once, Step.onFailure(Step.onSuccess(report, last))), pay: answered("{}", 422) },
    3
  ]
}

describe("a chained step that takes from an answer", () => {
  for (const [what, [world, calls]] of Object.entries(worlds)) {
    it.effect(`makes the same calls in a client and in a dam: ${what}`, () =>
      Effect.gen(function* () {
        const made = yield* inDam(world)
        assert.lengthOf(made, calls)
        assert.deepStrictEqual(made, yield* inClient(world))
      })
    )
  }

  it.effect("is a job of its own in the dam, with what it took in its step and the metadata of its parent", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: targets({ step: chained, pay: answered('{"id":"in/7"}') }) })
      yield* dam.runToEnd(chained)
      const child = yield* toEnd(dam.get("child-1"))
      assert.strictEqual(child.step.request.url, "https://mail.example/receipts/in%2F7?tenant=acme")
      assert.deepStrictEqual([child.step.fills, child.step.metadata], [[], { tenant: "acme" }])
    })
  )

  it.effect("fails by name in the dam where it cannot be filled, and calls nobody", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: targets({ step: chained, pay: answered('{"id":".."}') }) })
      yield* dam.runToEnd(chained)
      const child = yield* toEnd(dam.get("child-1"))
      assert.deepInclude(child.result?.error, { tag: "NotTaken", kind: "dot_segment" })
      assert.match(child.result?.error?.message ?? "", /takes \/response\/body\/id into \/path\/id/)
      yield* toEnd(dam.get("child-2"))
      assert.deepStrictEqual(
        (yield* dam.sent).map((call) => call.split(" ")[0]),
        ["pay", "ops"]
      )
    })
  )

  it.effect("passes the door's checks when it is finished, whatever its answer has grown to", () =>
    Effect.gen(function* () {
      const step = parent.pipe(once, Step.onSuccess(receipt))
      const dam = yield* setUp({
        target: targets({ step, pay: answered(`{"id":"${"7".repeat(9000)}"}`) }),
        breach: breachIn(Limits.make())
      })
      yield* dam.runToEnd(step)
      const { error } = (yield* toEnd(dam.get("child-1"))).result ?? {}
      assert.deepInclude(error, { tag: "NotTaken", kind: "refused" })
      assert.match(error?.message ?? "", /longer than 8192 bytes/)
    })
  )

  it.effect("is refused before anything is sent where no step stands before it", () =>
    Effect.gen(function* () {
      const transport = yield* Script.make(Script.always({ status: 200 }))
      const refused = [receipt, Step.onSuccess(Step.fallback(parent, receipt), parent)]
      for (const step of refused) {
        const end = yield* ending(Interpreter.run(step, Strategies.only(transport), Hosts.client))
        assert.match((end as StepError).message, /fills: take from the answer of a step before this one/)
      }
      assert.deepStrictEqual(yield* transport.exchanges, [])
    })
  )

  it("is refused when it is made or checked, by the place that is wrong", () => {
    const problem = (step: Step.Step) => Step.check(Step.onSuccess(parent, step))?.message ?? "nothing"
    const id = Step.from("/response/body/id")
    const at = (url: string) => Step.post(url)
    assert.match(
      problem(Step.fill(at("https://a.example/"), { path: { id } })),
      /onSuccess\.fills: \/path\/id has no place/
    )
    assert.match(problem(Step.fill(at("https://a.example/?{id}"), { path: { id } })), /has no place/)
    assert.match(problem(Step.fill(at("https://u{id}@a.example/{id}"), { path: { id } })), /needs a URL without user/)
    assert.match(problem(Step.fill(at("https://a.example/?id=1"), { query: { id } })), /stands in the URL already/)
    assert.match(
      problem(Step.body(Step.fill(at("https://a.example/"), { body: { id } }), "{}")),
      /has no place in the body/
    )
    assert.match(
      problem(Step.body(Step.fill(at("https://a.example/"), { body: { id } }), "text")),
      /the body is no JSON/
    )
    assert.match(problem(Step.body(Step.fill(at("https://a.example/"), { body: id }), "text")), /has one already/)
    assert.strictEqual(problem(Step.fill(at("https://a.example/{id}"), { path: { id } })), "nothing")
    for (const wrong of [
      "",
      "id",
      "/response",
      "/response/body/~2",
      "/response/headers/a b",
      "/request/body",
      "/metadata"
    ]) {
      assert.throws(() => Step.from(wrong), /from: Expected \/response\/status/)
    }
    assert.throws(() => Step.fill(parent, { headers: { Host: id } }), /fill\.headers\.Host/)
    assert.throws(() => Step.fill(parent, { query: { id: "7" } } as never), /fill\.query\.id: Expected Step\.from/)
    assert.throws(() => Step.fill(parent, { host: id } as never), /fill\.host: is not known here/)
  })
})
