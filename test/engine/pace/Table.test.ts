import { describe, it } from "@effect/vitest"
import { cells, holds } from "./Table.ts"

// a pair that stands for the twenty of the long run
const seeds = [2, 13]

describe("a finder before a hidden limit", () => {
  it.each(cells)("uses $used % of $kind.name, told by $dialect, with $refused % refused", (cell) => holds(cell, seeds))
})
