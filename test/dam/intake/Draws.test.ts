import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Dns from "effect/net/Dns"
import * as EgressDoor from "../../../src/dam/egress/Door.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import type { KnownLimits } from "../../../src/dam/intake/Draws.ts"
import * as Intake from "../../../src/dam/intake/Intake.ts"
import * as Limits from "../../../src/dam/intake/Limits.ts"
import * as LimitOptions from "../../../src/dam/lane/LimitOptions.ts"
import { dns } from "../http/HttpDouble.ts"

const url = "https://api.example.com/orders"

const defined = new Map([
  ["tokens", LimitOptions.make({ rate: 90_000, per: "1 minute", burst: 500 })],
  ["browsers", LimitOptions.make({ concurrency: 4 })],
  ["slow", LimitOptions.make({ rate: 0.5 })]
])

const known: KnownLimits = { definition: (name) => defined.get(name), names: () => [...defined.keys()] }

const take = (dialect: "cloud" | "flat", body: object, callLimits: KnownLimits | undefined = known) =>
  Effect.gen(function* () {
    const door = yield* EgressDoor.make(EgressPolicy.publicOnly)
    const intake = Intake.make({ limits: Limits.make({ draws: 3 }), door, callLimits })
    return yield* intake[dialect]({
      customer: "acme",
      body: new TextEncoder().encode(JSON.stringify(body)),
      headers: {}
    })
  }).pipe(Effect.provideService(Dns.Dns, dns))

const refusal = (body: object, callLimits?: KnownLimits) => Effect.flip(take("cloud", body, callLimits))

describe("what a submitted job draws on", () => {
  it.effect("may be a limit that is slower than a unit a second, and one of places whatever is drawn on it", () =>
    Effect.gen(function* () {
      const limits = [{ name: "browsers", cost: 7 }, { name: "slow" }]
      const job = yield* take("cloud", { url, limits })
      assert.deepStrictEqual(
        job.step.limits.map(({ cost }) => cost),
        [7, 1]
      )
      assert.deepInclude(yield* refusal({ url, limits: [{ name: "slow", cost: 1.5 }] }), { field: "limits[0].cost" })
    })
  )

  it.effect("is read in both dialects, at every depth", () =>
    Effect.gen(function* () {
      const limits = [{ name: "tokens", cost: 500, key: "acme" }, { name: "browsers" }]
      const read = [
        { name: "browsers", key: "", cost: 1 },
        { name: "tokens", key: "acme", cost: 500 }
      ]
      const job = yield* take("cloud", { url, limits, onSuccess: { url, limits: [{ name: "browsers" }] } })
      assert.deepStrictEqual(job.step.limits, read)
      assert.deepStrictEqual(job.step.onSuccess?.limits, read.slice(0, 1))
      const flat = { user_id: "u", idempotent_key: "k", url, method: "POST", webhook_url: "https://hooks.example.com/" }
      assert.deepStrictEqual((yield* take("flat", { ...flat, limits })).step.limits, read)
    })
  )

  it.effect("is a limit of this dam, at the place where it was written, and the nearest one is told", () =>
    Effect.gen(function* () {
      const error = yield* refusal({ url, limits: [{ name: "tokens" }, { name: "browser" }] })
      assert.deepStrictEqual(
        [error.status, error.code, error.field, error.extra],
        [400, "unknown_limit", "limits[1].name", { nearest: "browsers" }]
      )
      assert.match(error.problem, /the nearest one is browsers/)
      const child = yield* refusal({
        url,
        fallback_job: { url, limits: [{ name: "tokens", key: "a" }, { name: "else" }] }
      })
      assert.deepStrictEqual([child.field, child.extra], ["fallback_job.limits[1].name", {}])
      const camel = yield* refusal({ url, onFailure: { url, limits: [{ name: "tokens" }, { name: "else" }] } })
      assert.strictEqual(camel.field, "on_failure.limits[1].name")
    })
  )

  it.effect("costs no more than the limit ever holds; where units are not counted, whatever it likes", () =>
    Effect.gen(function* () {
      const error = yield* refusal({ url, limits: [{ name: "tokens", cost: 500.5 }, { name: "browsers" }] })
      assert.deepStrictEqual([error.status, error.code, error.field], [400, "invalid_field", "limits[0].cost"])
      assert.match(error.problem, /which is 500/)
      yield* take("cloud", { url, limits: [{ name: "browsers", cost: 1e9 }] })
    })
  )

  it.effect("is nothing where no limit is defined, and bounded in number", () =>
    Effect.gen(function* () {
      const none = { definition: () => undefined, names: () => [] }
      assert.strictEqual((yield* refusal({ url, limits: [{ name: "tokens" }] }, none)).code, "unknown_limit")
      const many = ["a", "b", "c", "d"].map((key) => ({ name: "tokens", key }))
      const error = yield* refusal({ url, limits: many })
      assert.deepStrictEqual([error.field, error.problem], ["limits", "limits: are more than 3"])
    })
  )
})
