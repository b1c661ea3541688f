import { assert, describe, it } from "@effect/vitest"
import { finder } from "./sim/Clients.ts"
import { warmed } from "./sim/Measure.ts"
import { cells, meanOf, tolerance } from "./Table.ts"

// a pair that stands for the twenty of the long run
const seeds = [2, 13]

describe("a finder before a hidden limit", () => {
  it.each(cells)(
    "uses $used % of $kind.name, told by $dialect, with $refused % refused",
    ({ dialect, kind, ...goal }) => {
      const { refused, used } = meanOf(seeds.map((seed) => warmed(kind, () => finder(), dialect, seed)))
      assert.isAtLeast(used, goal.used - tolerance.used, "used")
      assert.isAtMost(refused, goal.refused + tolerance.refused, "refused")
    }
  )
})
