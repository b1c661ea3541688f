/** Lines of batches, as any database keeps them: where things stand in them, and what becomes of one that is shown. */
import { keyReused } from "./BatchCommands.ts"
import { type Cell, type JobColumn, jobColumns, type JobInsert, type LoadedJob, type Row } from "./Commands.ts"

/** Whether a job was there already; one behind others is new as well. */
export const isKnown = (first: LoadedJob | "behind" | undefined): first is LoadedJob =>
  first !== undefined && first !== "behind"

/** What a line says in one of its columns. */
export const valueIn = ({ columns }: JobInsert, column: JobColumn): Cell => columns[places[column]] ?? null

const places = Object.fromEntries(jobColumns.map((name, place) => [name, place])) as Record<JobColumn, number> // one of each

/** What became of a line that was shown: a job, or a note and how the batch counts it. */
export type Shown =
  | { readonly _tag: "Job"; readonly row: Row }
  | {
      readonly _tag: "Noted"
      readonly kind: "Duplicate" | "Refused"
      readonly detail: string
      readonly duplicates: number
      readonly refused: number
    }

/** Tells it from what filing it has answered. */
export const shown = (insert: JobInsert, first: LoadedJob | "behind" | undefined): Shown => {
  if (!isKnown(first)) {
    const row = {
      id: valueIn(insert, "id"),
      customer: valueIn(insert, "customer"),
      lane: valueIn(insert, "lane"),
      queue: valueIn(insert, "account"),
      state: first === undefined ? insert.state : "scheduled"
    }
    return { _tag: "Job", row }
  }
  const { id = null, payload } = first.job
  const isOther = valueIn(insert, "key_given") === 1 && valueIn(insert, "payload") !== payload
  return isOther
    ? { _tag: "Noted", kind: "Refused", detail: JSON.stringify(keyReused(String(id))), duplicates: 0, refused: 1 }
    : { _tag: "Noted", kind: "Duplicate", detail: JSON.stringify({ jobId: id }), duplicates: 1, refused: 0 }
}
