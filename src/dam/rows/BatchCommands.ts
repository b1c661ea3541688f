/** What a database must do for batches, in plain data: a part of `Commands`. */

/** What a batch needs of jobs: as they are inserted, as they are loaded, and how they end. */
export interface JobForms {
  readonly insert: unknown
  readonly loaded: unknown
  readonly finish: unknown
}

/** A batch to insert: customer, id, together, webhook, metadata, two steps, what it runs again, when it was made. */
export type BatchInsert = readonly [
  customer: string,
  id: string,
  together: number,
  webhook: string | null,
  metadata: string,
  onComplete: string | null,
  onAnyFailure: string | null,
  rerunOf: string | null,
  createdAt: number
]

/** What is noted of a line: its number, its kind, the rest as JSON. */
export type NoteInsert = readonly [line: number, kind: "Refused" | "Duplicate", detail: string]

/** Some lines as they travel. */
export interface LinesInsert<Forms extends JobForms> {
  readonly batch: number
  readonly after: number
  readonly through: number
  readonly jobs: ReadonlyArray<Forms["insert"]>
  readonly notes: ReadonlyArray<NoteInsert>
  readonly at: number
  readonly isAgain: boolean
  /** `null`: any number. */
  readonly most: number | null
}

/** `Added` as it travels. */
export type LinesAdded<Forms extends JobForms> =
  | { readonly _tag: "Added" }
  | { readonly _tag: "Moved"; readonly batch: unknown }
  | { readonly _tag: "Known"; readonly known: ReadonlyArray<{ readonly place: number; readonly job: Forms["loaded"] }> }
  | { readonly _tag: "Crowded"; readonly jobs: number }

/** What batches need. */
export interface BatchCommands<Forms extends JobForms> {
  readonly openBatch: (batch: BatchInsert) => { readonly batch: unknown; readonly isNew: boolean }
  readonly batch: (customer: string, id: string) => unknown
  readonly batches: (customer: string, below: number, limit: number) => ReadonlyArray<unknown>
  readonly addLines: (lines: LinesInsert<Forms>) => LinesAdded<Forms>
  readonly closeBatch: (batch: number, at: number) => boolean
  readonly callOffBatch: (batch: number, at: number) => boolean
  /** A row for each state that jobs are in, and one of those that are no longer kept. */
  readonly batchCounts: (batch: number) => { readonly states: ReadonlyArray<unknown>; readonly swept: unknown }
  readonly lineNotes: (batch: number, kind: string, behind: number, limit: number) => ReadonlyArray<unknown>
  readonly dueBatches: (limit: number) => ReadonlyArray<unknown>
  readonly showLines: (batch: number, at: number, limit: number) => ReadonlyArray<unknown>
  readonly liveInBatch: (batch: number, limit: number) => ReadonlyArray<unknown>
  readonly batchCalledOff: (batch: number, at: number) => void
  readonly failureTold: (batch: number, job: string) => void
  readonly endTold: (
    batch: number,
    job: string | null,
    notice: { readonly id: string; readonly job: Forms["insert"]; readonly finish: Forms["finish"] } | null
  ) => void
  readonly failedInBatch: (batch: number, behind: number, limit: number) => ReadonlyArray<unknown>
}

/** Why a line became no job: its key is that of another call. */
export const keyReused = (jobId: string) => ({
  code: "key_reused",
  field: "idempotent_key",
  problem: `the idempotency key names job ${jobId}, which has another url, method or body`
})
