import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as Refusal from "../../src/engine/Refusal.ts"
import type { Limit, Preset } from "../../src/presets/Preset.ts"
import * as Presets from "../../src/presets/Presets.ts"
import * as Reading from "../../src/presets/Reading.ts"
import cases from "../fixtures/provider-headers.json" with { type: "json" }

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const Now = int(0, 4_102_444_800_000)
const Digits = Schema.Union([int(-5, 200), int(0, 200_000), int(1_700_000_000, 1_900_000_000), int(0, 1e15)])

// text put together, well and badly, from what answers are made of
const Piece = Schema.Union([
  Schema.Literals(["r=", "t=", "q=", "total=", "api-usage=", '"', ",", ";w=", "=", "/", " ", "-", ".", "s", "ms", "m"]),
  Schema.Literals(["1e999", "NaN", "Infinity", "9".repeat(400), "2026-11-27T12:05Z", "Fri, 27 Nov 2026 12:00:12 GMT"]),
  Digits,
  Schema.String
])
const Text = Arbitrary.map(Arbitrary.array(Arbitrary.schema(Piece), { maxLength: 6 }), (pieces) => pieces.join(""))

const namesIn = (limit: Limit): ReadonlyArray<string> =>
  JSON.stringify(limit)
    .match(/"[a-z0-9*-]+"/g)
    ?.map((name) => name.slice(1, -1).replace("*", "requests")) ?? []

const names = [
  ...new Set([
    ...Presets.all.flatMap(({ limits = [] }) => limits.flatMap(namesIn)),
    ...cases.flatMap(({ headers }) => Object.keys(headers)),
    "constructor",
    "__proto__"
  ])
]
const Headers = Arbitrary.map(
  Arbitrary.array(Arbitrary.all([Arbitrary.schema(Schema.Literals(names)), Text]), { maxLength: 12 }),
  (entries): Readonly<Record<string, string>> => Object.fromEntries(entries)
)
const texts = cases.map(({ body = "" }) => (typeof body === "string" ? body : JSON.stringify(body)))
// what providers send, and the same with other figures, cut short or put together wrongly
const Body = Arbitrary.map(
  Arbitrary.all([Arbitrary.schema(Schema.Literals(texts)), Text, Arbitrary.schema(int(0, 5))]),
  ([text, other, how]) => {
    if (how === 0) return text.slice(0, other.length)
    if (how === 1) return text.replaceAll(/\d+/g, () => other)
    return how === 2 ? other + text : how === 3 ? `[${text},${text}]` : text
  }
)
const Status = Schema.Literals([200, 201, 400, 402, 403, 429, 503, 529])
const presets = [...Presets.all, Presets.generic]
const Any = Arbitrary.map(Arbitrary.schema(int(0, presets.length - 1)), (at) => presets[at] ?? Presets.generic)

// rules of one with the limits of another
const Mixed = Arbitrary.map(
  Arbitrary.all([Any, Any, Any, Any]),
  ([one, { limits = [] }, { cost = [] }, { used_up = [] }]): Preset => ({ ...one, limits, cost, used_up })
)
const many = { arbitrary: { runs: 2000 } }

const isNumber = (number: number) => Number.isFinite(number) && number >= 0

describe("laws of presets", () => {
  it.prop(
    "whatever the answer, a reading is made, and every number in it is finite and not below zero",
    [Any, Status, Headers, Body, Now],
    ([preset, status, headers, body, now]) => {
      const { cost, kind, lane, limits, wait_ms } = Reading.read(preset, { status, headers, body }, now)
      assert.include(["ok", "too_many", "quota_used_up"], kind)
      assert.isTrue(wait_ms === null || (isNumber(wait_ms) && Number.isSafeInteger(wait_ms)))
      assert.isTrue(cost === null || isNumber(cost))
      for (const { limit = 0, name, remaining = 0, reset_ms = 0 } of limits) {
        assert.notStrictEqual(name, "")
        assert.isTrue([limit, remaining, reset_ms].every(isNumber))
        assert.isTrue(Number.isSafeInteger(remaining) && Number.isSafeInteger(reset_ms))
      }
      assert.notStrictEqual(lane, "")
    },
    many
  )

  it.prop(
    "without a preset an answer is what it is to whoever knows none",
    [Status, Headers, Now],
    ([status, headers, now]) => {
      const said = Refusal.read({ status, headers }, now)
      const { kind, wait_ms } = Reading.read(Presets.generic, { status, headers }, now)
      const kinds = { Taken: "ok", Unavailable: "ok", TooMany: "too_many", UsedUp: "quota_used_up" } as const
      assert.strictEqual(kind, kinds[said.kind])
      assert.strictEqual(wait_ms === null ? undefined : Math.min(86_400_000, wait_ms), said.wait)
    },
    many
  )

  it.prop(
    "presets put together from others read every answer too",
    [Mixed, Status, Headers, Body, Now],
    ([preset, status, headers, body, now]) => {
      const { limits, wait_ms } = Reading.read(preset, { status, headers, body }, now)
      assert.isTrue(wait_ms === null || isNumber(wait_ms))
      assert.isTrue(limits.every(({ remaining = 0, reset_ms = 0 }) => isNumber(remaining) && isNumber(reset_ms)))
    },
    many
  )
})
