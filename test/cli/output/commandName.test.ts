import { assert, describe, it } from "@effect/vitest"
import { commandName, typed } from "../../../src/cli/output/commandName.ts"

describe("the name of the command", () => {
  it("is the one that can be typed: npx brings no bare command along", () => {
    for (const script of [
      undefined,
      "/usr/local/bin/ezthrottle",
      "/usr/lib/node_modules/ezthrottle-effect/dist/bin.js"
    ]) {
      assert.strictEqual(commandName(script), "ezthrottle")
    }
    for (const script of [
      "/home/ann/shop/node_modules/.bin/ezthrottle",
      "/home/ann/.npm/_npx/5f/node_modules/.bin/ezthrottle-effect",
      "C:\\npm-cache\\_npx\\5f\\node_modules\\ezthrottle-effect\\dist\\bin.js"
    ]) {
      assert.strictEqual(commandName(script), "npx ezthrottle-effect")
    }
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
