import { assert, describe, it } from "@effect/vitest"
import * as Refusal from "../../src/engine/Refusal.ts"
import type { Answer } from "../../src/presets/Answered.ts"
import type { Preset } from "../../src/presets/Preset.ts"
import * as Presets from "../../src/presets/Presets.ts"
import * as Reading from "../../src/presets/Reading.ts"
import limiters from "../fixtures/limiter-headers.json" with { type: "json" }
import cases from "../fixtures/provider-headers.json" with { type: "json" }

/** What the headers of a fixture are: each row has other names. */
const headersOf = (headers: object): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

const textOf = (body: unknown): string | undefined =>
  body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body)

const day = 86_400_000
const now = Date.UTC(2026, 10, 27, 12)

describe("a preset reads what its provider sends", () => {
  for (const [place, row] of cases.entries()) {
    const { body, expect, headers, provider, status } = row
    it(`${provider}, ${status}, row ${place + 1}`, () => {
      const preset = Presets.named(provider)
      assert.isDefined(preset, `there is no preset ${provider}`)
      const answer = { status, headers: headersOf(headers), body: textOf(body) }
      const { cost, kind, limits, wait_ms } = Reading.read(preset ?? Presets.generic, answer, Date.parse(row.now))
      assert.deepStrictEqual(
        { kind, limits, cost, wait_ms: expect.kind === "ok" ? undefined : wait_ms },
        { kind: expect.kind, limits: expect.limits ?? [], cost: expect.cost ?? null, wait_ms: expect.wait_ms }
      )
      const bytes = { ...answer, body: new TextEncoder().encode(answer.body ?? "") }
      assert.strictEqual(Reading.read(preset ?? Presets.generic, bytes, Date.parse(row.now)).kind, kind)
    })
  }

  it("with a case of every provider that has one of its own", () => {
    const told = new Set(cases.map(({ provider }) => provider))
    assert.isAtLeast(told.size, 40)
  })
})

describe("without a preset", () => {
  it("every answer of real limiters is read as what it is, and the next call made when it may be", () => {
    for (const { answer, expect, headers, limiter, now, status } of limiters) {
      const told = { status, headers: headersOf(headers) }
      const { kind, wait_ms } = Reading.read(Presets.generic, told, Date.parse(now))
      assert.strictEqual(kind === "too_many", expect.refused, `${limiter}, ${answer}`)
      const [, latest = 0] = expect.next_call_ms
      assert.isAtMost(wait_ms ?? 0, latest, `${limiter}, ${answer}`)
      // the same as where no preset is looked for
      const said = Refusal.read(told, Date.parse(now))
      assert.strictEqual(said.wait, wait_ms === null ? undefined : Math.min(day, wait_ms), `${limiter}, ${answer}`)
    }
  })

  it("limits have their names, every one of them", () => {
    const headers = {
      RateLimit: '"burst";r=3;t=1, "day, of all";r=90;t=60',
      "RateLimit-Policy": '"burst";q=5;w=1, "day, of all";q=100;w=86400'
    }
    assert.deepStrictEqual(Reading.read(Presets.generic, { status: 200, headers }, now).limits, [
      { name: "burst", limit: 5, remaining: 3, reset_ms: 1000 },
      { name: "day, of all", limit: 100, remaining: 90, reset_ms: 60_000 }
    ])
  })

  it("a plain 403 is none, and one that announces a wait is", () => {
    const read = (headers: Record<string, string>) => Reading.read(Presets.generic, { status: 403, headers }, now).kind
    assert.strictEqual(read({}), "ok")
    assert.strictEqual(read({ "retry-after": "9" }), "too_many")
    assert.strictEqual(read({ "x-ratelimit-remaining": "0" }), "too_many")
  })
})

describe("a reading", () => {
  const read = (rules: Omit<Preset, "name" | "hosts">, answer: Answer) =>
    Reading.read({ name: "mine", hosts: [], ...rules }, answer, now)

  it("waits for what is used up of an accepted call, and not for what a success announces", () => {
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "40", "retry-after": "60" }
    assert.strictEqual(read({}, { status: 200, headers }).wait_ms, 40_000)
    assert.isNull(read({}, { status: 200, headers: { "retry-after": "60" } }).wait_ms)
    assert.strictEqual(read({}, { status: 503, headers: { "retry-after": "60" } }).wait_ms, 60_000)
    assert.strictEqual(read({}, { status: 503, headers: { "retry-after": "60" } }).kind, "ok")
  })

  it("believes a figure of the body only where no header tells the wait, and a fixed one last", () => {
    const rules: Omit<Preset, "name" | "hosts"> = {
      too_many: [{ status: [429], wait_seconds: 30 }],
      body_wait: [{ path: "retry", in: "seconds" }]
    }
    const refused = (headers: Record<string, string>, body: string) =>
      read(rules, { status: 429, headers, body }).wait_ms
    assert.strictEqual(refused({ "retry-after": "9" }, '{"retry":7}'), 9000)
    assert.strictEqual(refused({}, '{"retry":7}'), 7000)
    assert.strictEqual(refused({}, '{"retry":"soon"}'), 30_000)
    assert.strictEqual(refused({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": "3" }, ""), 3000)
  })

  it("rounds a fraction of a millisecond up, and takes none for one that is not there", () => {
    const rules: Omit<Preset, "name" | "hosts"> = { body_wait: [{ path: "retry", in: "length" }] }
    const refused = (retry: string) =>
      read(rules, { status: 429, headers: {}, body: JSON.stringify({ retry }) }).wait_ms
    assert.deepStrictEqual(["0.0001s", "4.35s", "1.1s", "2m0.0005s"].map(refused), [1, 4350, 1100, 120_001])
  })

  it("takes a name from a header, and does without where that is missing", () => {
    const rules: Omit<Preset, "name" | "hosts"> = {
      limits: [{ dialect: "headers", name: "bucket:{x-bucket}", limit: "x-limit" }]
    }
    const names = (headers: Record<string, string>) =>
      read(rules, { status: 200, headers }).limits.map(({ name }) => name)
    assert.deepStrictEqual(names({ "X-Limit": "5", "X-Bucket": "a" }), ["bucket:a"])
    assert.deepStrictEqual(names({ "X-Limit": "5" }), ["requests"])
    assert.deepStrictEqual(names({ "X-Limit": "none" }), [])
  })

  it("finds no header that nobody sent", () => {
    const rules: Omit<Preset, "name" | "hosts"> = {
      limits: [{ dialect: "headers", limit: "constructor" }],
      cost: [{ header: "valueof" }, { sum: ["constructor.length"] }],
      too_many: [{ headers: { constructor: "*" } }]
    }
    const { cost, kind, limits } = read(rules, { status: 200, headers: {}, body: "{}" })
    assert.deepStrictEqual({ cost, kind, limits }, { cost: null, kind: "ok", limits: [] })
  })

  it("waits for the next midnight, also right at one", () => {
    const rules: Omit<Preset, "name" | "hosts"> = { used_up: [{ status: [402], until: "midnight_utc" }] }
    const preset: Preset = { name: "mine", hosts: [], ...rules }
    const at = (nowMillis: number) => Reading.read(preset, { status: 402, headers: {} }, nowMillis).wait_ms
    assert.deepStrictEqual([now, day - 1, day].map(at), [day / 2, 1, day])
  })

  it("says that a quota is used up where a refusal shall not be repeated", () => {
    const headers = { "X-Should-Retry": "False", "retry-after": "2" }
    assert.strictEqual(read({}, { status: 429, headers }).kind, "quota_used_up")
    assert.strictEqual(read({}, { status: 500, headers }).kind, "ok")
  })

  it("tells the cost of a stream from its last word", () => {
    const body = [1, 5, 9].map((tokens) => `data: {"usage":{"total_tokens":${tokens}}}`).join("\r\n\r\n")
    const headers = { "content-type": "text/event-stream; charset=utf-8" }
    const openAi = Presets.named("openai") ?? Presets.generic
    const stream = `${body}\r\n\r\ndata: [DONE]\r\n\r\n`
    assert.strictEqual(Reading.read(openAi, { status: 200, headers, body: stream }, now).cost, 9)
  })
})

describe("what a limit belongs to", () => {
  const openAi = Presets.named("openai") ?? Presets.generic
  const url = "https://api.openai.com/v1/chat/completions"
  const laneOf = (preset: Preset, call?: Parameters<typeof Reading.read>[3]) =>
    Reading.read(preset, { status: 200, headers: { "x-ratelimit-bucket": "b1" } }, now, call).lane

  it("is told by the rule's name where the call is not known", () => {
    assert.strictEqual(laneOf(openAi), "credential/model")
    assert.strictEqual(laneOf(openAi, { url }), "credential/model")
    assert.strictEqual(laneOf(Presets.generic), "host")
  })

  it("is a key that calls share, and that tells no credential", () => {
    const call = { url, headers: { Authorization: "Bearer sk-secret" }, body: '{"model":"small"}' }
    const key = laneOf(openAi, call)
    assert.match(key, /^openai\/[0-9a-f]{16}\/small$/)
    assert.strictEqual(laneOf(openAi, { ...call, method: "POST" }), key)
    assert.notStrictEqual(laneOf(openAi, { ...call, headers: { authorization: "Bearer other" } }), key)
    assert.strictEqual(laneOf(openAi, { headers: {}, body: "" }), "openai/none/none")
  })

  it("is made of the host, the path, a piece of it, and what the answer names", () => {
    const azure = Presets.named("azure-openai") ?? Presets.generic
    const deployed = "https://acme.openai.azure.com/openai/deployments/fast/chat?api-version=1"
    assert.strictEqual(laneOf(azure, { url: deployed }), "azure-openai/acme.openai.azure.com/fast")
    assert.strictEqual(laneOf(Presets.generic, { host: "API.example.com" }), "generic/api.example.com")
    const discord = Presets.named("discord") ?? Presets.generic
    const channel = { url: "https://discord.com/api/v10/channels/7/messages", headers: {} }
    assert.strictEqual(laneOf(discord, channel), "discord/none/b1/7")
    const gemini = Presets.named("gemini") ?? Presets.generic
    const model = { url: "https://generativelanguage.googleapis.com/v1/models/fast:generate", headers: {} }
    assert.strictEqual(laneOf(gemini, model), "gemini/none/fast")
  })
})
