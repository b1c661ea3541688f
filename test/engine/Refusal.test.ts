import { assert, describe, it } from "@effect/vitest"
import * as Refusal from "../../src/engine/Refusal.ts"
import limiters from "../fixtures/limiter-headers.json" with { type: "json" }
import providers from "../fixtures/provider-headers.json" with { type: "json" }

const now = Date.UTC(2026, 9, 21, 7, 27, 0)

const day = 86_400_000

/** What the headers of a fixture are: each row has other names. */
const headersOf = (headers: object): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

interface Row {
  readonly says: string
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly rules?: Refusal.Rules
  readonly kind: Refusal.Said["kind"]
  readonly wait?: number
}

const spent = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "40" }
const left = { "x-ratelimit-remaining": "3", "x-ratelimit-reset": "40" }

const table: ReadonlyArray<Row> = [
  { says: "nothing on a success, whatever it announces", status: 200, headers: { "retry-after": "60" }, kind: "Taken" },
  { says: "nothing with calls left", status: 200, headers: { ...left, "retry-after": "40" }, kind: "Taken" },
  { says: "nothing on work that was accepted", status: 202, headers: { "retry-after": "5" }, kind: "Taken" },
  { says: "nothing on a redirect", status: 302, headers: { "retry-after": "5" }, kind: "Taken" },
  { says: "nothing on what is not there", status: 404, headers: { "retry-after": "3600" }, kind: "Taken" },
  { says: "nothing on a failure", status: 500, headers: { "retry-after": "3600" }, kind: "Taken" },
  { says: "the reset of what is used up on a success", status: 200, headers: spent, kind: "Taken", wait: 40_000 },
  {
    says: "the reset rather than Retry-After on a success",
    status: 200,
    headers: { ...spent, "retry-after": "60" },
    kind: "Taken",
    wait: 40_000
  },
  {
    says: "Retry-After of what is used up where no reset is told",
    status: 200,
    headers: { "x-ratelimit-remaining": "0", "retry-after": "60" },
    kind: "Taken",
    wait: 60_000
  },
  { says: "a bare refusal", status: 429, kind: "TooMany" },
  {
    says: "Retry-After of a refusal",
    status: 429,
    headers: { ...spent, "retry-after": "7" },
    kind: "TooMany",
    wait: 7000
  },
  { says: "the reset of a refusal", status: 429, headers: spent, kind: "TooMany", wait: 40_000 },
  { says: "no reset of a limit that is another", status: 429, headers: left, kind: "TooMany" },
  {
    says: "the reset of a refusal that tells nothing else",
    status: 429,
    headers: { "x-ratelimit-reset-after": "2.250" },
    kind: "TooMany",
    wait: 2250
  },
  { says: "a bare 503", status: 503, kind: "Unavailable" },
  { says: "Retry-After of a 503", status: 503, headers: { "retry-after": "9" }, kind: "Unavailable", wait: 9000 },
  { says: "no limit on a plain 403", status: 403, kind: "Taken" },
  { says: "no limit on a 403 with calls left", status: 403, headers: left, kind: "Taken" },
  { says: "a 403 that announces a wait", status: 403, headers: { "retry-after": "9" }, kind: "TooMany", wait: 9000 },
  { says: "a 403 with nothing left", status: 403, headers: spent, kind: "TooMany", wait: 40_000 },
  {
    says: "a status that the host is known to refuse with",
    status: 500,
    headers: { "retry-after": "9" },
    rules: { refusals: [420, 500] },
    kind: "TooMany",
    wait: 9000
  },
  {
    says: "a refusal that shall not be repeated",
    status: 429,
    headers: { "x-should-retry": "False", "retry-after": "2" },
    kind: "UsedUp"
  },
  {
    says: "nothing of a failure that shall not be repeated",
    status: 500,
    headers: { "x-should-retry": "false" },
    kind: "Taken"
  },
  { says: "a refusal that may be", status: 429, headers: { "x-should-retry": "true" }, kind: "TooMany" },
  {
    says: "a body that the host is known for",
    status: 402,
    body: '{"error":{"code":"insufficient_quota"}}',
    rules: { usedUp: ["billing", "insufficient_quota"] },
    kind: "UsedUp"
  },
  {
    says: "nothing of such a body with a success",
    status: 200,
    body: "insufficient_quota",
    rules: { usedUp: ["insufficient_quota"] },
    kind: "Taken"
  }
]

describe("Refusal reads", () => {
  for (const { body, headers = {}, kind, rules, says, status, wait } of table) {
    it(`${says}`, () => {
      const answer = { status, headers, body: body === undefined ? undefined : new TextEncoder().encode(body) }
      const said = Refusal.read(answer, now, rules)
      assert.deepStrictEqual({ kind: said.kind, wait: said.wait }, { kind, wait })
    })
  }

  it("every answer of real limiters as what it is", () => {
    for (const { answer, expect, headers, limiter, now, status } of limiters) {
      const said = Refusal.read({ status, headers: headersOf(headers) }, Date.parse(now))
      assert.strictEqual(said.kind === "TooMany", expect.refused, `${limiter}, ${answer}`)
    }
  })
})

/** What a configuration can say of providers whose refusals look otherwise. */
const rules: Readonly<Record<string, Refusal.Rules>> = {
  airtable: { usedUp: ["BILLING_LIMIT_EXCEEDED"] },
  anthropic: { refusals: [529], usedUp: ["credit balance is too low"] },
  gemini: { usedUp: ["PerDay"] },
  hubspot: { usedUp: ['"policyName":"DAILY"'] },
  linear: { refusals: [400] },
  mailchimp: { refusals: [403] },
  monday: { usedUp: ["DAILY_LIMIT_EXCEEDED"] },
  notion: { refusals: [529] },
  openai: { usedUp: ["insufficient_quota"] },
  openrouter: { usedUp: ["Insufficient credits"] },
  resend: { usedUp: ["_quota_exceeded"] },
  salesforce: { usedUp: ["REQUEST_LIMIT_EXCEEDED"] },
  zoom: { usedUp: [] }
}

/** Refused within a success, told in a body, or by a rule of the vendor's own: that takes more than headers. */
const isBeyondHeaders = ({ body, expect, headers, provider, status }: (typeof providers)[number]): boolean =>
  (status === 200 && expect.kind !== "ok") ||
  JSON.stringify(body ?? "").includes("secondary rate limit. Please wait") ||
  JSON.stringify(body ?? "").includes("retryDelay") ||
  (provider === "airtable" && expect.wait_ms === 30_000) ||
  "x-hubspot-ratelimit-interval-milliseconds" in headers ||
  provider === "zoom"

const kindOf = { Taken: "ok", Unavailable: "ok", TooMany: "too_many", UsedUp: "quota_used_up" } as const

describe("Refusal reads what providers send", () => {
  const rows = providers.filter((row) => !isBeyondHeaders(row))

  it("as far as headers and a configuration go", () => {
    assert.isAtLeast(rows.length, 75)
    for (const [place, { body, expect, headers, now, provider, status }] of rows.entries()) {
      const answer = { status, headers: headersOf(headers), body: new TextEncoder().encode(JSON.stringify(body ?? "")) }
      const said = Refusal.read(answer, Date.parse(now), rules[provider])
      const told = `${provider}, ${status}, row ${place}`
      assert.strictEqual(kindOf[said.kind], expect.kind, told)
      if (expect.kind !== "too_many") continue
      const wait = expect.wait_ms ?? undefined
      assert.strictEqual(said.wait, wait === undefined ? undefined : Math.min(day, wait), told)
    }
  })
})

describe("a host that is known", () => {
  const refused: Refusal.Said = { kind: "TooMany", wait: 9, by: "retry_after", limit: undefined, isExhausted: false }
  const read = ({ status }: Refusal.Answer): Refusal.Said => ({
    ...refused,
    kind: status === 200 ? "TooMany" : "Taken"
  })
  const kindOf = (status: number, rules: Refusal.Rules, body = "") =>
    Refusal.read({ status, headers: {}, body: new TextEncoder().encode(body) }, now, rules).kind

  it("is read as it is known, a success and a 429 too", () => {
    assert.strictEqual(kindOf(200, { read }), "TooMany")
    assert.strictEqual(kindOf(429, { read }), "Taken")
  })

  it("is read as it is configured, where the configuration speaks of the answer", () => {
    assert.strictEqual(kindOf(420, { read, refusals: [420] }), "TooMany")
    assert.strictEqual(kindOf(400, { read, usedUp: ["plan"] }, "your plan"), "UsedUp")
    assert.strictEqual(kindOf(400, { read, usedUp: ["plan"] }, "a mistake"), "Taken")
  })
})

describe("our own back-off", () => {
  it("begins with a second and doubles up to a minute", () => {
    assert.deepStrictEqual([0, 1, 2, 5, 6, 40].map(Refusal.backOff), [1000, 2000, 4000, 32_000, 60_000, 60_000])
  })
})
