import { assert, describe, it } from "@effect/vitest"
import * as Pacing from "../../src/engine/Pacing.ts"

describe("Pacing", () => {
  it.each(["x-aqueduct-", "x-ezthrottle-", "x-aquifer-"])("reads all three headers of %s", (prefix) => {
    assert.deepStrictEqual(
      Pacing.parse({
        [`${prefix}rps`]: "12.5",
        [`${prefix}max-concurrent`]: "7",
        [`${prefix}account-queue`]: "enabled"
      }),
      { rps: 12.5, maxConcurrent: 7, accountQueue: "enabled", ignored: [] }
    )
  })

  it("lets the first namespace present decide alone", () => {
    assert.deepStrictEqual(
      Pacing.parse({ "x-aquifer-max-concurrent": "9", "x-aquifer-rps": "8", "x-ezthrottle-rps": "5" }),
      { rps: 5, ignored: [] }
    )
    assert.deepStrictEqual(Pacing.parse({ "x-ezthrottle-rps": "5", "x-aqueduct-account-queue": "disabled" }), {
      accountQueue: "disabled",
      ignored: []
    })
  })

  it("counts a namespace as present even where it says only nonsense", () => {
    assert.deepStrictEqual(Pacing.parse({ "x-aqueduct-rps": "NaN", "x-aquifer-rps": "8" }), {
      ignored: ["x-aqueduct-rps"]
    })
  })

  it.each(["NaN", "-1", "0", "0.0", "5;x", "1e9", "Infinity", "", " ", "0x10", "1.", ".5", "1,5", "5, 6", "+5"])(
    "ignores and names a rate of %j",
    (value) => {
      assert.deepStrictEqual(Pacing.parse({ "x-aqueduct-rps": value }), { ignored: ["x-aqueduct-rps"] })
    }
  )

  it.each(["0", "1.5", "-1", "2e9", "NaN", "5;x", ""])("ignores and names a concurrency of %j", (value) => {
    assert.deepStrictEqual(Pacing.parse({ "x-aquifer-max-concurrent": value }), {
      ignored: ["x-aquifer-max-concurrent"]
    })
  })

  it("keeps what can be read beside what cannot", () => {
    assert.deepStrictEqual(
      Pacing.parse({
        "x-ezthrottle-rps": "3",
        "x-ezthrottle-max-concurrent": "many",
        "x-ezthrottle-account-queue": "perhaps"
      }),
      { rps: 3, ignored: ["x-ezthrottle-max-concurrent", "x-ezthrottle-account-queue"] }
    )
  })

  it("clamps what is too fast or too slow", () => {
    assert.strictEqual(Pacing.parse({ "x-aqueduct-rps": "5000" })?.rps, 1000)
    assert.strictEqual(Pacing.parse({ "x-aqueduct-rps": "9".repeat(400) })?.rps, 1000)
    assert.strictEqual(Pacing.parse({ "x-aqueduct-rps": "0.001" })?.rps, 0.01)
    assert.strictEqual(Pacing.parse({ "x-aqueduct-max-concurrent": "2000000000" })?.maxConcurrent, 100)
  })

  it("clamps to the bounds it is given", () => {
    const bounds: Pacing.Bounds = { minRps: 1, maxRps: 2, minConcurrent: 3, maxConcurrent: 4 }
    const read = (rps: string, concurrent: string) =>
      Pacing.parse({ "x-aqueduct-rps": rps, "x-aqueduct-max-concurrent": concurrent }, bounds)
    assert.deepStrictEqual(read("0.5", "1"), { rps: 1, maxConcurrent: 3, ignored: [] })
    assert.deepStrictEqual(read("9", "9"), { rps: 2, maxConcurrent: 4, ignored: [] })
    assert.deepStrictEqual(read("1.5", "4"), { rps: 1.5, maxConcurrent: 4, ignored: [] })
  })

  it("reads the words for account queues in any case", () => {
    assert.strictEqual(Pacing.parse({ "x-aqueduct-account-queue": " Enabled " })?.accountQueue, "enabled")
    assert.strictEqual(Pacing.parse({ "x-aqueduct-account-queue": "DISABLED" })?.accountQueue, "disabled")
  })

  it("says nothing where no pacing header is present", () => {
    assert.isUndefined(Pacing.parse({}))
    assert.isUndefined(Pacing.parse({ "x-aqueduct-total-jobs": "4", rps: "5" }))
  })
})
