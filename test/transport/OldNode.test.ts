import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as OldNode from "../../src/transport/OldNode.ts"

describe("a Node", () => {
  it("is old below the version that package.json names", () => {
    const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
    assert.include(OldNode.needed("it", "20.20.2"), `Node ${engines.node.slice(2)} or newer`)
    for (const version of ["18.0.0", "20.20.2", "22.0.0", "22.18.9"]) assert.isTrue(OldNode.isOld(version), version)
    for (const version of ["22.19.0", "22.20.1", "23.0.0", "24.3.0"]) assert.isFalse(OldNode.isOld(version), version)
  })

  it("that is old is told in one line what is needed and what was found", () => {
    assert.strictEqual(OldNode.needed("ezthrottle", "20.20.2"), "ezthrottle needs Node 22.19 or newer; this is 20.20.2")
  })
})
