import { describe, it } from "@effect/vitest"
import { cells, holds } from "../engine/pace/Table.ts"

const seeds = Array.from({ length: 20 }, (_, index) => index + 1)

describe("a finder before a hidden limit, twenty times", () => {
  it.each(cells)("uses $used % of $kind.name, told by $dialect, with $refused % refused", (cell) => holds(cell, seeds))
})
