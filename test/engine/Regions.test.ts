import { assert, describe, it } from "@effect/vitest"
import { plan } from "../../src/engine/Regions.ts"

const step = (regions: ReadonlyArray<string>, regionPolicy: "fallback" | "strict" = "fallback") => ({
  regions,
  regionPolicy
})

describe("the regions of a path", () => {
  it("are the transport's own business when neither side names any", () => {
    assert.deepStrictEqual(plan(step([]), []), { starts: [undefined], spare: [] })
  })

  it("start at the first healthy one when the step names none, the others to spare", () => {
    assert.deepStrictEqual(plan(step([]), ["iad", "lax", "ord"]), { starts: ["iad"], spare: ["lax", "ord"] })
  })

  it("start at home when the step names none and the transport has one, and do not come back by another name", () => {
    const egress = (region: string) => (region === "dc" ? "home" : region)
    const regions = ["dc", "iad", "lax"]
    assert.deepStrictEqual(plan(step([]), regions, egress, "home"), { starts: [undefined], spare: ["iad", "lax"] })
    assert.deepStrictEqual(plan(step([], "strict"), regions, egress, "home"), { starts: [undefined], spare: [] })
    assert.deepStrictEqual(plan(step(["lax"]), regions, egress, "home"), { starts: ["lax"], spare: ["dc", "iad"] })
  })

  it("start in all regions of the step at once, the transport's others to spare", () => {
    assert.deepStrictEqual(plan(step(["lax", "fra"]), ["iad", "lax", "fra"]), {
      starts: ["lax", "fra"],
      spare: ["iad"]
    })
  })

  it("never leave the step's list under strict", () => {
    assert.deepStrictEqual(plan(step(["lax"], "strict"), ["iad", "lax", "ord"]), { starts: ["lax"], spare: [] })
    assert.deepStrictEqual(plan(step(["sfo"], "strict"), ["iad", "lax"]), { starts: ["sfo"], spare: [] })
    assert.deepStrictEqual(plan(step([], "strict"), ["iad", "lax"]), { starts: [undefined], spare: [] })
  })

  it("begin with the healthy ones, each group in the order of the step", () => {
    assert.deepStrictEqual(plan(step(["sfo", "lax", "fra", "iad"], "strict"), ["iad", "lax"]).starts, [
      "lax",
      "iad",
      "sfo",
      "fra"
    ])
  })

  it("keep the step's order where the transport does not tell regions apart", () => {
    assert.deepStrictEqual(plan(step(["lax", "iad"]), []), { starts: ["lax", "iad"], spare: [] })
  })

  it("count a region that is named twice once", () => {
    assert.deepStrictEqual(plan(step(["iad", "iad", "lax"]), []).starts, ["iad", "lax"])
  })

  it("count names that leave from one place as one start, and as no reroute of each other", () => {
    const place = (region: string) => (region === "iad" || region === "ord" ? "here" : region)
    assert.deepStrictEqual(plan(step(["iad", "ord", "lax"]), ["ord", "iad", "lax", "fra"], place), {
      starts: ["iad", "lax"],
      spare: ["fra"]
    })
    assert.deepStrictEqual(plan(step(["iad"]), ["ord"], place), { starts: ["iad"], spare: [] })
  })
})
