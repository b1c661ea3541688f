/** The table that the finder has to hold: what is used of each limit and what is refused, in percent. */
import { readFileSync } from "node:fs"
import { dialects, tellsOfCalls, type Dialect } from "./sim/Dialect.ts"
import { furtherKinds, kinds, type Kind } from "./sim/Kinds.ts"

/** Means over seeds, in percent. */
export const meanOf = (runs: ReadonlyArray<{ readonly used: number; readonly refused: number }>) => ({
  used: (100 * runs.reduce((sum, run) => sum + run.used, 0)) / runs.length,
  refused: (100 * runs.reduce((sum, run) => sum + run.refused, 0)) / runs.length
})

/** How far below the table `used` may be, and how far above it `refused`, in points. */
export const tolerance = { used: 3, refused: 0.5 }

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
