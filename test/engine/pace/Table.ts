/** The table that the finder has to hold: what is used of each limit and what is refused, in percent. */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { finder } from "./sim/Clients.ts"
import { dialects, tellsOfCalls, type Dialect } from "./sim/Dialect.ts"
import { furtherKinds, kinds, type Kind } from "./sim/Kinds.ts"
import { warmed } from "./sim/Measure.ts"

/** How far below the table `used` may be, and how far above it `refused`, in points. */
const tolerance = { used: 3, refused: 0.5 }

export interface Cell {
  readonly kind: Kind
  readonly dialect: Dialect
  readonly used: number
  readonly refused: number
}

type Row = Readonly<Record<string, readonly [used: number, refused: number]>>

const table: Readonly<Record<string, Row>> = JSON.parse(readFileSync(new URL("table.json", import.meta.url), "utf8"))

/** The words that share a column. */
const columns: Partial<Record<Dialect, string>> = {
  "delta, rounded down": "delta",
  "epoch with date": "delta",
  "epoch, clock 2 s off": "clock"
}

/** Every cell; waits that are always the same, right or wrong, are obeyed and have no goal. */
export const cells: ReadonlyArray<Cell> = [...kinds, ...furtherKinds].flatMap((kind) =>
  dialects.flatMap((dialect) => {
    const [used, refused] = table[kind.name]?.[columns[dialect] ?? dialect] ?? []
    const fits = kind.isTold !== false || !tellsOfCalls(dialect)
    return used === undefined || refused === undefined || !fits ? [] : [{ kind, dialect, used, refused }]
  })
)

/** Tests a cell by the mean of some seeds. */
export const holds = (cell: Cell, seeds: ReadonlyArray<number>): void => {
  const { dialect, kind, ...goal } = cell
  const runs = seeds.map((seed) => warmed(kind, finder, dialect, seed))
  const mean = (of: (run: (typeof runs)[number]) => number) =>
    (100 * runs.reduce((sum, run) => sum + of(run), 0)) / runs.length
  assert.isAtLeast(
    mean(({ used }) => used),
    goal.used - tolerance.used,
    "used"
  )
  assert.isAtMost(
    mean(({ refused }) => refused),
    goal.refused + tolerance.refused,
    "refused"
  )
}
