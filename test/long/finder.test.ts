import { assert, describe, it } from "@effect/vitest"
import { finder } from "../engine/pace/sim/Clients.ts"
import { warmed } from "../engine/pace/sim/Measure.ts"
import { cells, meanOf, tolerance } from "../engine/pace/Table.ts"

const seeds = Array.from({ length: 20 }, (_, index) => index + 1)

describe("a finder before a hidden limit, twenty times", () => {
  it.each(cells)(
    "uses $used % of $kind.name, told by $dialect, with $refused % refused",
    ({ dialect, kind, ...goal }) => {
      const { refused, used } = meanOf(seeds.map((seed) => warmed(kind, () => finder(), dialect, seed)))
      assert.isAtLeast(used, goal.used - tolerance.used, "used")
      assert.isAtMost(refused, goal.refused + tolerance.refused, "refused")
    }
  )
})
