/** Rows of a CSV file, as RFC 4180 writes them: read as they come, by the names of their columns. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type Problem, problem } from "../output/Problem.ts"

/** A row by the names of its columns; a row of another length has none. */
export type Row = Readonly<Record<string, string>> | undefined

/** Reads rows out of text that comes in pieces. The first names the columns and is none of them. */
export const rows = <E, R>(name: string, text: Stream.Stream<string, E, R>): Stream.Stream<Row, E | Problem, R> =>
  Stream.suspend(() => {
    const parser = makeParser()
    let columns: ReadonlyArray<string> | undefined
    return Stream.concat(
      Stream.map(text, (piece) => parser.add(piece)),
      Stream.fromEffect(
        Effect.suspend(() =>
          parser.isInQuotes()
            ? Effect.fail(problem("usage", `${name} ends inside of quotes`, { next: "close the cell that they open" }))
            : Effect.succeed(parser.end())
        )
      )
    ).pipe(
      Stream.flattenIterable,
      Stream.filter((cells) => cells.length > 1 || cells[0] !== ""),
      Stream.mapEffect((cells): Effect.Effect<Row | "head", Problem> => {
        if (columns !== undefined) return Effect.succeed(rowOf(columns, cells))
        columns = cells.map((cell) => cell.trim())
        const doubled = columns.find((column, at) => column === "" || columns?.indexOf(column) !== at)
        return doubled === undefined
          ? Effect.succeed("head")
          : Effect.fail(
              problem(
                "usage",
                `${name}: ${doubled === "" ? "a column has no name" : `two columns are called ${doubled}`}`,
                {
                  next: "the first row names the columns"
                }
              )
            )
      }),
      Stream.filter((row) => row !== "head")
    )
  })

const rowOf = (columns: ReadonlyArray<string>, cells: ReadonlyArray<string>): Row =>
  cells.length === columns.length
    ? Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? ""]))
    : undefined

/** Cuts text into rows of cells; what is not whole yet waits for the next piece. */
const makeParser = () => {
  let cells: Array<string> = []
  let cell = ""
  let isQuoted = false
  // behind a quote inside of quotes: a second one is a quote, anything else ends them
  let wasQuote = false
  let isBegun = false
  const endRow = (found: Array<ReadonlyArray<string>>): void => {
    found.push([...cells, cell])
    cells = []
    cell = ""
    isBegun = false
  }
  return {
    add: (piece: string): ReadonlyArray<ReadonlyArray<string>> => {
      const found: Array<ReadonlyArray<string>> = []
      for (const character of piece) {
        if (isQuoted && !wasQuote) {
          if (character === '"') wasQuote = true
          else cell += character
          continue
        }
        if (wasQuote) {
          wasQuote = false
          if (character === '"') {
            cell += '"'
            continue
          }
          isQuoted = false
        }
        // the mark that spreadsheets write before everything
        if (character === "\ufeff" && !isBegun) continue
        isBegun = true
        if (character === '"' && cell === "") isQuoted = true
        else if (character === ",") {
          cells.push(cell)
          cell = ""
        } else if (character === "\n") endRow(found)
        else if (character !== "\r") cell += character
      }
      return found
    },
    isInQuotes: (): boolean => isQuoted && !wasQuote,
    end: (): ReadonlyArray<ReadonlyArray<string>> => {
      const found: Array<ReadonlyArray<string>> = []
      if (isBegun) endRow(found)
      return found
    }
  }
}
