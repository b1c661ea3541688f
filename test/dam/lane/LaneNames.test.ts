import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { canonicalLane, hostIn, keyIn } from "../../../src/dam/job/LaneName.ts"
import { knownBy } from "../../../src/dam/embedded/KnownHosts.ts"
import { type HostOptions, ruleOf } from "../../../src/dam/lane/Dial.ts"
import * as LaneNames from "../../../src/dam/lane/LaneNames.ts"
import * as Vault from "../../../src/dam/secrets/Vault.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Presets from "../../../src/presets/Presets.ts"

const store = SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })

interface Asked {
  readonly hosts?: Readonly<Record<string, HostOptions>>
  readonly keysPerHost?: number
}

const namesBy = Effect.fnUntraced(function* ({ hosts, keysPerHost }: Asked = {}) {
  const { lanes } = knownBy(undefined)
  return yield* LaneNames.make(yield* store, { ruleOf: (host) => ruleOf({ hosts, lanes }, host), keysPerHost })
})

const call = (url: string, more: Partial<LaneNames.LaneCall> = {}): LaneNames.LaneCall => ({
  url,
  method: "GET",
  headers: {},
  ...more
})

const bearer = (key: string) => ({ headers: { Authorization: `Bearer ${key}` } })

const example = "api.example.com:443"

describe("names of lanes", () => {
  it.effect("are those of hosts where nothing is known", () =>
    Effect.gen(function* () {
      const names = yield* namesBy()
      assert.strictEqual(names.laneOf(call("https://api.example.com/a", bearer("a"))), example)
      assert.strictEqual(names.ruleOf(example).rule, "host")
    })
  )

  it.effect("tell credentials apart and tell none of them", () =>
    Effect.gen(function* () {
      const hosts = { [example]: { lane: ["credential"] as const } }
      const names = yield* namesBy({ hosts })
      const others = yield* namesBy({ hosts })
      const of = (key: string) => names.laneOf(call("https://api.example.com/a", bearer(key)))
      assert.match(of("1234"), /^api\.example\.com:443#[0-9a-f]{12}$/)
      assert.strictEqual(of("1234"), of("1234"))
      assert.notStrictEqual(of("1234"), of("1235"))
      // without the key of this store nobody can try which credential it is
      assert.notStrictEqual(of("1234"), others.laneOf(call("https://api.example.com/a", bearer("1234"))))
      assert.strictEqual(names.laneOf(call("https://api.example.com/a")), example)
      assert.deepStrictEqual(names.ruleOf(of("1234")), { rule: "credential", by: "configured" })
    })
  )

  it.effect("stay over restarts", () =>
    Effect.gen(function* () {
      const one = yield* store
      const options = { ruleOf: () => ({ parts: ["credential"] as const, credential: ["authorization"], by: "test" }) }
      const before = (yield* LaneNames.make(one, options)).laneOf(call("https://a.example/", bearer("k")))
      assert.strictEqual((yield* LaneNames.make(one, options)).laneOf(call("https://a.example/", bearer("k"))), before)
    })
  )

  it.effect("have a key that a sealed file does not show", () =>
    Effect.gen(function* () {
      const plain = yield* store
      const ruled = { ruleOf: () => ({ parts: ["credential"] as const, credential: ["authorization"], by: "test" }) }
      const before = (yield* LaneNames.make(plain, ruled)).laneOf(call("https://a.example/", bearer("k")))
      const shown = yield* plain.setting("lane_key")
      const sealed = yield* Vault.make(plain, Redacted.make(Buffer.alloc(32, 1).toString("base64")))
      assert.notStrictEqual(yield* plain.setting("lane_key"), shown)
      const after = yield* LaneNames.make({ ...plain, ...sealed }, ruled)
      assert.strictEqual(after.laneOf(call("https://a.example/", bearer("k"))), before)
    })
  )

  it.effect("say what they are made of, as far as that is short, safe and no secret", () =>
    Effect.gen(function* () {
      const lane = [
        { name: "family", paths: { "/v1/*/files": "files", "/v1/**": "v1" }, otherwise: "rest" },
        { name: "tenant", metadata: "tenant" },
        { name: "plan", header: "x-plan" },
        { name: "token", header: "x-api-key" },
        { name: "model", body: "model" },
        "method"
      ] as const
      const names = yield* namesBy({ hosts: { [example]: { lane } } })
      const of = (path: string, more: Partial<LaneNames.LaneCall> = {}) =>
        names.laneOf(call(`https://api.example.com${path}`, more))
      assert.strictEqual(of("/v1/7/files"), `${example}#files~none~none~none~none~GET`)
      assert.strictEqual(of("/v1"), `${example}#v1~none~none~none~none~GET`)
      assert.strictEqual(of("/v2"), `${example}#rest~none~none~none~none~GET`)
      const told = of("/v2", {
        method: "POST",
        headers: { "X-Plan": "a b/c#d", "X-Api-Key": "sk-secret" },
        metadata: { tenant: 7 },
        body: new TextEncoder().encode('{"model":"gpt-4.1"}')
      })
      assert.match(told, /^api\.example\.com:443#rest~7~a-b-c-d-[0-9a-f]{8}~[0-9a-f]{12}~gpt-4\.1~POST$/)
      assert.strictEqual(canonicalLane(told), told)
      const long = of("/v2", { metadata: { tenant: "x".repeat(500) }, headers: { "x-plan": "y".repeat(500) } })
      assert.isAtMost(keyIn(long).length, 120)
      assert.strictEqual(canonicalLane(long), long)
    })
  )

  it.effect("tell kinds of paths, and nobody's id or token", () =>
    Effect.gen(function* () {
      const names = yield* namesBy({ hosts: { [example]: { lane: ["path"] } } })
      const of = (path: string) => names.laneOf(call(`https://api.example.com${path}?secret=1`))
      assert.strictEqual(of("/v2/users/1234/tweets"), `${example}#v2.users._.tweets`)
      assert.strictEqual(of("/v2/users/99/tweets"), `${example}#v2.users.99.tweets`)
      assert.strictEqual(of("/bot123:AAF-x_9/sendMessage"), `${example}#_.sendMessage`)
      assert.strictEqual(of("/"), `${example}#_`)
    })
  )

  it.effect("are bounded for each host: further keys share one", () =>
    Effect.gen(function* () {
      const names = yield* namesBy({ hosts: { [example]: { lane: ["credential"] } }, keysPerHost: 2 })
      const of = (key: string) => names.laneOf(call("https://api.example.com/", bearer(key)))
      const first = of("a")
      of("b")
      assert.strictEqual(of("c"), `${example}#others`)
      assert.strictEqual(of("a"), first)
      names.keep((lane) => lane === first)
      assert.notStrictEqual(of("c"), `${example}#others`)
      assert.strictEqual(of("d"), `${example}#others`)
    })
  )

  it.effect("follow what an answer names from then on, for calls that look alike", () =>
    Effect.gen(function* () {
      const names = yield* namesBy()
      const discord = (path: string) => call(`https://discord.com/api/v10${path}`, bearer("bot"))
      const messages = names.laneOf(discord("/channels/71234/messages"))
      const key = keyIn(messages).split("~")[0]
      assert.strictEqual(messages, `discord.com:443#${key}~none~71234`)
      const heard = names.heard(discord("/channels/71234/messages"), { "x-ratelimit-bucket": "b1" })
      assert.strictEqual(heard, `discord.com:443#${key}~b1~71234`)
      assert.strictEqual(names.laneOf(discord("/channels/81234/messages")), `discord.com:443#${key}~b1~81234`)
      assert.strictEqual(names.laneOf(discord("/channels/71234/pins")), `discord.com:443#${key}~none~71234`)
      assert.strictEqual(names.heard(discord("/channels/71234/messages"), {}), heard)
    })
  )

  it.effect("of GitHub know its resources before the first answer", () =>
    Effect.gen(function* () {
      const names = yield* namesBy()
      const of = (path: string) => keyIn(names.laneOf(call(`https://api.github.com${path}`, bearer("k")))).split("~")[1]
      assert.deepStrictEqual(["/repos/a/b", "/search/code", "/search/issues", "/graphql"].map(of), [
        "core",
        "code_search",
        "search",
        "graphql"
      ])
      const odd = call("https://api.github.com/app-manifests/x/conversions", { ...bearer("k"), method: "POST" })
      assert.match(names.heard(odd, { "x-ratelimit-resource": "integration_manifest" }), /~integration_manifest$/)
      assert.strictEqual(of("/repos/a/b"), "core")
      // told otherwise later, it is that
      assert.match(names.heard(odd, { "x-ratelimit-resource": "core" }), /~core$/)
    })
  )

  it.effect("of every preset can be given back as they are", () =>
    Effect.gen(function* () {
      const names = yield* namesBy()
      for (const { credential = ["authorization"], hosts, name } of Presets.all) {
        const [host = ""] = hosts
        const base = `https://${host.replace("*", "acme")}`
        const of = (key: string) =>
          names.laneOf(
            call(`${base}/v1/deployments/fast/models/small/chat`, {
              method: "POST",
              headers: { [credential[0] ?? ""]: key, "content-type": "application/json" },
              body: JSON.stringify({ model: "gpt 5/mini" })
            })
          )
        const lane = of("key a")
        assert.strictEqual(canonicalLane(lane), lane, name)
        assert.strictEqual(hostIn(lane), `${new URL(base).host}:443`, name)
        const { rule } = names.ruleOf(lane)
        assert.strictEqual(rule.includes("credential"), lane !== of("key b"), name)
        assert.notInclude(lane, "key a")
      }
    })
  )

  it.effect("are the host's own again where the configuration says so", () =>
    Effect.gen(function* () {
      const names = yield* namesBy({ hosts: { "api.github.com:443": { lane: "host" } } })
      assert.strictEqual(names.laneOf(call("https://api.github.com/", bearer("k"))), "api.github.com:443")
    })
  )
})
