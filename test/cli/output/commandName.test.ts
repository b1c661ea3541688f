import { assert, describe, it } from "@effect/vitest"
import { commandName, typed, typedLine } from "../../../src/cli/output/commandName.ts"

describe("the name of the command", () => {
  it("is the one that can be typed: npx brings no bare command along", () => {
    for (const script of [
      undefined,
      "/usr/local/bin/ezthrottle",
      "/usr/lib/node_modules/ezthrottle-effect/dist/bin.js"
    ]) {
      assert.strictEqual(commandName(script, undefined), "ezthrottle")
    }
    for (const script of [
      "/home/ann/shop/node_modules/.bin/ezthrottle",
      "/home/ann/.npm/_npx/5f/node_modules/.bin/ezthrottle-effect",
      "C:\\npm-cache\\_npx\\5f\\node_modules\\ezthrottle-effect\\dist\\bin.js"
    ]) {
      assert.strictEqual(commandName(script, undefined), "npx ezthrottle-effect")
    }
  })

  it("is told by npx where paths do not tell it, and by npx only about what it started itself", () => {
    const script = "C:\\shop\\node_modules\\ezthrottle-effect\\dist\\bin.js"
    assert.strictEqual(commandName(script, "npx"), "npx ezthrottle-effect")
    assert.strictEqual(commandName(script, "start"), "ezthrottle")
    assert.strictEqual(commandName("/home/ann/shop/node_modules/vitest/vitest.mjs", "npx"), "ezthrottle")
  })

  it("is put into command lines wherever it begins a command", () => {
    const lines = [
      "ezthrottle dam [flags]",
      "openssl rand -hex 32 > secret.txt && ezthrottle secrets create secret.txt",
      "ls ezthrottle.db ./ezthrottle"
    ]
    assert.deepStrictEqual(
      lines.map((line) => typedLine(line, "npx ezthrottle-effect")),
      [
        "npx ezthrottle-effect dam [flags]",
        "openssl rand -hex 32 > secret.txt && npx ezthrottle-effect secrets create secret.txt",
        "ls ezthrottle.db ./ezthrottle"
      ]
    )
  })

  it("is put into messages where a command is quoted, and nowhere else", () => {
    const message = 'ezthrottle needs it: start a dam with `ezthrottle dam`, or "ezthrottle doctor"; ezthrottle-effect'
    assert.strictEqual(typed(message, "ezthrottle"), message)
    assert.strictEqual(
      typed(message, "npx ezthrottle-effect"),
      'ezthrottle needs it: start a dam with `npx ezthrottle-effect dam`, or "npx ezthrottle-effect doctor"; ezthrottle-effect'
    )
  })
})
