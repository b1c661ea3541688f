import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import { plan } from "../../src/engine/Regions.ts"
import type { RegionPolicy } from "../../src/step/StepModel.ts"
import { oneOf } from "../../src/testing/Generators.ts"

const names = ["iad", "lax", "ord", "fra", "sin"] as const
const Names = Arbitrary.array(oneOf(names), { maxLength: 6 })
const Policy = oneOf<RegionPolicy>(["fallback", "strict"])
const Places = Arbitrary.map(Arbitrary.array(oneOf(["a", "b", "c"]), { minLength: 5, maxLength: 5 }), (places) => {
  const byName = new Map<string, string>(names.map((name, index) => [name, places[index] ?? name]))
  return (region: string) => byName.get(region) ?? region
})
const runs = { arbitrary: { runs: 1000 } }

describe("laws of the regions", () => {
  it.prop(
    "no place is left from twice, neither among the starts nor by a reroute",
    [Names, Names, Policy, Places],
    ([regions, healthy, regionPolicy, egress]) => {
      const { spare, starts } = plan({ regions, regionPolicy }, healthy, egress)
      const places = [...starts, ...spare].map((region) => (region === undefined ? region : egress(region)))
      assert.strictEqual(new Set(places).size, places.length)
    },
    runs
  )

  it.prop(
    "strict never leaves the step's list",
    [Names, Names, Places],
    ([regions, healthy, egress]) => {
      const { spare, starts } = plan({ regions, regionPolicy: "strict" }, healthy, egress)
      for (const region of [...starts, ...spare]) if (region !== undefined) assert.include(regions, region)
    },
    runs
  )

  it.prop(
    "every place the step names is started from, and fallback spares every other healthy one",
    [Names, Names, Places],
    ([regions, healthy, egress]) => {
      const { spare, starts } = plan({ regions, regionPolicy: "fallback" }, healthy, egress)
      const started = new Set(starts.map((region) => (region === undefined ? region : egress(region))))
      if (regions.length > 0) assert.deepStrictEqual(started, new Set(regions.map(egress)))
      const all = new Set([...started, ...spare.map(egress)])
      for (const region of [...regions, ...healthy]) assert.isTrue(all.has(egress(region)))
    },
    runs
  )

  it.prop("what is spare is healthy", [Names, Names, Policy], ([regions, healthy, regionPolicy]) => {
    for (const region of plan({ regions, regionPolicy }, healthy).spare) assert.include(healthy, region)
  })
})
