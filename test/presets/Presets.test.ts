import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Result from "effect/Result"
import { readdirSync } from "node:fs"
import { Preset } from "../../src/presets/Preset.ts"
import * as Presets from "../../src/presets/Presets.ts"

const nameOf = (host: string, known?: ReadonlyArray<Preset>) => Presets.forHost(host, known)?.name

const mine: Preset = { name: "mine", hosts: ["api.example.com"] }

const problems = (options: unknown) => Presets.problemsOf(options).map(({ path, problem }) => `${path}: ${problem}`)

describe("the presets of the package", () => {
  it("have the form of anybody's", () => {
    const decode = Schema.decodeUnknownResult(Preset, { errors: "all", onExcessProperty: "error" })
    for (const preset of [...Presets.all, Presets.generic]) {
      assert.isTrue(Result.isSuccess(decode(JSON.parse(JSON.stringify(preset)))), preset.name)
    }
  })

  it("are one to a file, each with a name and hosts of its own", () => {
    const files = readdirSync(new URL("../../src/presets/providers", import.meta.url))
    const named = files.map((file) => file.replace(/\.ts$/, "").toLowerCase())
    assert.sameMembers(
      Presets.all.map(({ name }) => name.replaceAll("-", "")),
      named
    )
    const hosts = Presets.all.flatMap(({ hosts }) => hosts)
    assert.isTrue(Presets.all.every(({ hosts, title }) => hosts.length > 0 && title !== undefined))
    assert.deepStrictEqual(hosts, [...new Set(hosts)])
  })

  it("say something to people, in whole sentences", () => {
    for (const { advice = [], name } of Presets.all) {
      assert.isNotEmpty(advice, name)
      for (const sentence of advice) assert.match(sentence, /^[A-Za-z0-9].*\.$/, name)
    }
  })
})

describe("a host", () => {
  it("is known as a name, with a port and as a URL, in any case", () => {
    for (const host of [
      "api.openai.com",
      "API.OpenAI.com",
      "api.openai.com:443",
      "https://api.openai.com/v1",
      "api.openai.com."
    ]) {
      assert.strictEqual(nameOf(host), "openai", host)
    }
  })

  it("is known by a part of its name", () => {
    assert.strictEqual(nameOf("acme.zendesk.com"), "zendesk")
    assert.strictEqual(nameOf("acme.eu.auth0.com"), "auth0")
    assert.strictEqual(nameOf("sellingpartnerapi-eu.amazon.com"), "amazon-sp-api")
    assert.strictEqual(nameOf("us-central1-aiplatform.googleapis.com"), "gemini")
  })

  it("is not known by what stands around it", () => {
    for (const host of [
      "zendesk.com",
      ".zendesk.com",
      "evilzendesk.com",
      "api.openai.com.example.org",
      "",
      "::",
      "*"
    ]) {
      assert.isUndefined(nameOf(host), host)
    }
  })

  it("belongs to the preset that says most of it, and of two that say the same to the first", () => {
    const own: ReadonlyArray<Preset> = [
      { name: "some", hosts: ["*.example.com"] },
      { name: "more", hosts: ["*.eu.example.com", "api.example.com"] },
      { name: "same", hosts: ["api.example.com"] }
    ]
    const known = Presets.settle({ own })
    assert.strictEqual(nameOf("x.example.com", known), "some")
    assert.strictEqual(nameOf("x.eu.example.com", known), "more")
    assert.strictEqual(nameOf("api.example.com", known), "more")
    assert.strictEqual(nameOf("api.github.com", known), "github")
  })
})

describe("which presets hold", () => {
  it("is all of them until something is said", () => {
    assert.deepStrictEqual(Presets.settle({}), Presets.all)
  })

  it("leaves out what is off, and lets yours stand in for ours", () => {
    const known = Presets.settle({ off: ["stripe"], own: [mine, { ...mine, name: "slack", hosts: ["slack.com"] }] })
    assert.isUndefined(nameOf("api.stripe.com", known))
    assert.strictEqual(nameOf("api.example.com", known), "mine")
    assert.deepStrictEqual(Presets.forHost("slack.com", known), { ...mine, name: "slack", hosts: ["slack.com"] })
    assert.strictEqual(known.length, Presets.all.length)
  })

  it("is asked for by name, the generic one included", () => {
    assert.strictEqual(Presets.named("mine", Presets.settle({ own: [mine] })), mine)
    assert.strictEqual(Presets.named("generic"), Presets.generic)
    assert.isUndefined(Presets.named("toString"))
  })
})

describe("a preset that somebody wrote", () => {
  it("may say no more than its name and hosts", () => assert.isEmpty(problems({ own: [mine] })))

  it("is told every mistake with its place", () => {
    const own = [
      {
        name: "My Own",
        hosts: ["https://api.example.com"],
        limits: [
          { dialect: "headers", limit: "X-Limit", reset: [{ header: "x-reset", in: "minutes" }] },
          { dialect: "json" }
        ],
        too_many: [{ status: [99] }, {}],
        used_up: [{ body: [{ path: "errors[0].code" }] }],
        idempotency: { header: "Key", methods: [] },
        colour: "red"
      },
      mine,
      mine
    ]
    const told = problems({ off: ["stripe"], own, on: [] }).map((problem) => problem.split(":")[0])
    assert.sameMembers(told, [
      "presets.on",
      "presets.own[0].colour",
      "presets.own[0].name",
      "presets.own[0].hosts[0]",
      "presets.own[0].limits[0].limit",
      "presets.own[0].limits[0].reset[0].in",
      "presets.own[0].limits[1]",
      "presets.own[0].too_many[0].status[0]",
      "presets.own[0].too_many[1]",
      "presets.own[0].used_up[0].body[0].path",
      "presets.own[0].idempotency.methods[0]"
    ])
  })

  it("has a name that no other has, and what is off is there", () => {
    assert.deepStrictEqual(problems({ own: [mine, mine] }), ["presets.own[1].name: Expected each name once"])
    assert.deepStrictEqual(problems({ off: ["stripe", "strip"] }), ["presets.off[1]: There is no preset strip"])
  })
})

describe("reading an answer", () => {
  const now = Date.UTC(2026, 10, 27, 12)
  const answer = {
    status: 403,
    headers: { "x-ratelimit-remaining": "4200" },
    body: '{"message":"secondary rate limit"}'
  }

  it("takes the preset of what was called, the one that is given, or the generic one", () => {
    const call = { url: "https://api.github.com/user" }
    assert.strictEqual(Presets.read(answer, { call, now }).wait_ms, 60_000)
    assert.strictEqual(Presets.read(answer, { call: { host: "api.github.com" }, now }).kind, "too_many")
    assert.strictEqual(Presets.read(answer, { preset: Presets.named("github"), now }).kind, "too_many")
    assert.strictEqual(Presets.read(answer, { now }).kind, "ok")
    assert.strictEqual(Presets.read(answer, { call, now, known: Presets.settle({ off: ["github"] }) }).kind, "ok")
    assert.strictEqual(Presets.read(answer, { call, now, preset: Presets.named("slack") }).kind, "ok")
  })
})
