import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Dns from "effect/net/Dns"
import { readFileSync } from "node:fs"
import * as EgressDoor from "../../../src/dam/egress/Door.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as Intake from "../../../src/dam/intake/Intake.ts"
import * as Limits from "../../../src/dam/intake/Limits.ts"
import { dns } from "../http/HttpDouble.ts"

const url = "https://api.example.com/orders"
const limits = Limits.make()

const taken = (body: object) =>
  Effect.gen(function* () {
    const door = yield* EgressDoor.make(EgressPolicy.publicOnly)
    const { cloud } = Intake.make({ limits, door })
    return yield* cloud({ customer: "acme", body: new TextEncoder().encode(JSON.stringify(body)), headers: {} })
  }).pipe(Effect.provideService(Dns.Dns, dns))

const names = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, 1]))
const codes = (count: number) => Array.from({ length: count }, (_, index) => 400 + (index % 100))
const day = 86_400_000

const edges: ReadonlyArray<readonly [what: string, most: object, beyond: object, field: string]> = [
  ["32 letters of a method", { method: "M".repeat(32) }, { method: "M".repeat(33) }, "method"],
  ["256 names of metadata", { metadata: names(256) }, { metadata: names(257) }, "metadata"],
  [
    "100 retry codes",
    { retry_policy: { retry_codes: codes(100) } },
    { retry_policy: { retry_codes: codes(101) } },
    "retry_policy.retry_codes"
  ],
  [
    "100 reroute codes",
    { retry_policy: { reroute_codes: codes(100) } },
    { retry_policy: { reroute_codes: codes(101) } },
    "retry_policy.reroute_codes"
  ],
  [
    "100 codes of a trigger",
    { fallback_job: { url, trigger: { type: "on_error", codes: codes(100) } } },
    { fallback_job: { url, trigger: { type: "on_error", codes: codes(101) } } },
    "fallback_job.trigger.codes"
  ],
  [
    "a trigger after a day",
    { fallback_job: { url, trigger: { type: "on_timeout", timeout_ms: day } } },
    { fallback_job: { url, trigger: { type: "on_timeout", timeout_ms: day + 1 } } },
    "fallback_job.trigger.timeout_ms"
  ],
  [
    "a deadline of 30 days",
    { on_success: { url, on_failure_timeout_ms: 30 * day } },
    { on_success: { url, on_failure_timeout_ms: 30 * day + 1 } },
    "on_success.on_failure_timeout_ms"
  ],
  ["a total of 30 days", { total_timeout_ms: 30 * day }, { total_timeout_ms: 30 * day + 1 }, "total_timeout_ms"],
  [
    "an attempt of an hour",
    { fallback_job: { url, attempt_timeout_ms: day / 24 } },
    { fallback_job: { url, attempt_timeout_ms: day / 24 + 1 } },
    "fallback_job.attempt_timeout_ms"
  ],
  ["a quorum of 16", { webhook_quorum: 16 }, { webhook_quorum: 17 }, "webhook_quorum"]
]

describe("the bounds of a job", () => {
  it.effect.each(edges)("take %s and no more", ([, most, beyond, field]) =>
    Effect.gen(function* () {
      yield* taken({ url, ...most })
      const refusal = yield* Effect.flip(taken({ url, ...beyond }))
      assert.strictEqual(refusal._tag === "Refused" && refusal.field, field)
      assert.strictEqual(refusal._tag === "Refused" && refusal.status, 400)
    })
  )

  it.effect.each([
    [{ headers: { a: 1 } }, "headers.a"],
    [{ headers: { a: null } }, "headers.a"],
    [{ metadata: "text" }, "metadata"],
    [{ metadata: [1] }, "metadata"],
    [{ retry_policy: { max_retries: 1_000_001 } }, "retry_policy.max_retries"],
    [{ headers: { te: "trailers" } }, "headers.te"],
    [{ on_success: { url, headers: { Expect: "100-continue" } } }, "on_success.headers.Expect"],
    [{ fallback_job: { url, headers: { Upgrade: "h2c" }, trigger: {} } }, "fallback_job.headers.Upgrade"]
  ] as const)("refuse %j", ([job, field]) =>
    Effect.gen(function* () {
      const refusal = yield* Effect.flip(taken({ url, ...job }))
      assert.strictEqual(refusal._tag === "Refused" && refusal.field, field)
    })
  )

  it("stand in the guide, each with its default", () => {
    const guide = readFileSync(new URL("../../../docs/guide/dam.md", import.meta.url), "utf8")
    for (const [name, value] of Object.entries(Limits.toJson(limits))) {
      assert.include(guide, `| \`${name}\` | ${value} |`, name)
    }
  })
})
