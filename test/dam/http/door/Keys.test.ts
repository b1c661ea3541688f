import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"

const parsed = (text: string) => Result.getOrThrow(Keys.parse(text))

const refusal = (text: string) => Result.getOrThrow(Result.flip(Keys.parse(text)))

describe("API keys", () => {
  it("are read from lines of two forms, between comments and blank lines", () => {
    const keys = parsed(`# ours\nacme:first-key\n\n  {"customer":"zebra","key":"second-key"}\r\n`)
    assert.deepStrictEqual([...keys.customers], ["acme", "zebra"])
    assert.strictEqual(keys.authenticate("Bearer first-key")?.customer, "acme")
    assert.strictEqual(keys.authenticate("bearer  second-key ")?.customer, "zebra")
  })

  it("let one customer have several", () => {
    const keys = parsed("acme:one\nacme:two")
    assert.deepStrictEqual(
      ["one", "two"].map((key) => keys.authenticate(`Bearer ${key}`)?.customer),
      ["acme", "acme"]
    )
  })

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    "Bearer first-key first-key",
    "Bearer first-key,",
    "Basic first-key",
    "first-key",
    `Bearer ${"first-key".repeat(1000)}`
  ])("refuse %j", (authorization) => {
    assert.isUndefined(parsed("acme:first-key").authenticate(authorization))
  })

  it.each([
    ["", 1, "there is none"],
    ["acme", 1, "no colon"],
    ["acme:one\nac me:two", 2, "the customer"],
    ["acme:", 1, "the key"],
    ["acme:with space", 1, "the key"],
    ["acme:shared\nzebra:shared", 2, "another customer"],
    ['{"customer":"acme"}', 1, "no such JSON"],
    ["acme:shared:root", 1, "no role"],
    ["acme:shared:operator:x", 1, "no role"],
    ['{"customer":"acme","key":"shared","role":"root"}', 1, "no such JSON"],
    ["acme:shared\nacme:shared:operator", 2, "another role"]
  ])("%j is refused by entry and problem, without the key", (text, entry, problem) => {
    const refused = refusal(text)
    assert.strictEqual(refused.entry, entry)
    assert.include(refused.message, problem)
    assert.notInclude(refused.message, "shared")
  })

  it("have a role, which is a customer's where none is named", () => {
    const text = 'acme:one\nops:two:operator\n{"customer":"ops","key":"three","role":"operator"}'
    const keys = parsed(text)
    const roleOf = (key: string) => keys.authenticate(`Bearer ${key}`)?.role
    assert.deepStrictEqual(["one", "two", "three"].map(roleOf), ["customer", "operator", "operator"])
    assert.deepStrictEqual([keys.nameOperators, parsed("acme:one").nameOperators], [true, false])
  })

  it("are recalled by what they are known by, as long as they are there", () => {
    const { keyId = "" } = parsed("acme:one").authenticate("Bearer one") ?? {}
    assert.notInclude(keyId, "one")
    assert.deepInclude(parsed("acme:two\nacme:one:operator").recall(keyId), { customer: "acme", role: "operator" })
    assert.isUndefined(parsed("acme:two").recall(keyId))
  })

  it("are kept as hashes only", () => {
    const keys = parsed("acme:first-key")
    assert.notInclude(JSON.stringify(keys), "first-key")
  })

  it.effect("come from the environment, where commas set them apart", () =>
    Effect.gen(function* () {
      const provided = (env: Record<string, string>) =>
        Effect.provide(Keys.fromEnvironment, ConfigProvider.layer(ConfigProvider.fromUnknown(env)))
      const keys = yield* provided({ EZTHROTTLE_DAM_KEYS: "acme:one, zebra:two" })
      assert.strictEqual(keys?.authenticate("Bearer two")?.customer, "zebra")
      assert.isUndefined(yield* provided({}))
    })
  )
})
