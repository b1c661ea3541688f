import { assert, describe, it } from "@effect/vitest"
import * as Runtime from "../../../src/dam/store/Runtime.ts"

class Whole {
  destroy() {}
}
class Stub {}

describe("a runtime", () => {
  it("that has everything is fit, this one among them", () => {
    assert.isUndefined(Runtime.unfit())
    assert.isUndefined(Runtime.unfit({ versions: { node: "22.19.0" }, sqlite: {}, agent: Whole }))
    assert.isUndefined(Runtime.unfit({ versions: { node: "24.0.0", deno: "2.5.0" }, sqlite: {}, agent: Whole }))
  })

  it("that lacks something is named with what it lacks, and what to do", () => {
    const old = Runtime.unfit({ versions: { node: "20.20.2" }, sqlite: undefined, agent: Whole })
    assert.strictEqual(
      old?.message,
      "a dam does not run on Node 20.20.2: it has no node:sqlite. Run it with Node 22.19 or later, npx ezthrottle-effect dam, " +
        'and point a client at it: new EZThrottle({ dam: "http://127.0.0.1:8080" })'
    )
    for (const agent of [Stub, undefined, () => undefined]) {
      const unfit = Runtime.unfit({ versions: { node: "24.3.0", bun: "1.4.5" }, sqlite: {}, agent })
      assert.deepInclude(unfit, { _tag: "UnfitRuntime", runtime: "Bun 1.4.5" })
      assert.include(unfit?.lacks, "undici")
    }
  })
})
