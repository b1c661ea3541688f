/** Batches as rows, and back. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { states } from "../../engine/JobState.ts"
import * as JsonTextSchema from "../../step/JsonTextSchema.ts"
import { StepFromJson } from "../../step/StepJson.ts"
import type { StoredJob } from "../job/Job.ts"
import {
  type Added,
  type BatchCounts,
  type BatchPort,
  batchStates,
  type LineNote,
  type NewBatch,
  type StoredBatch
} from "../store/BatchRecords.ts"
import { readable } from "../store/Readable.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { BatchInsert, NoteInsert } from "./BatchCommands.ts"
import type { Executor } from "./Running.ts"
import { Bit, encodeFinish, encodeJob, Moment, Text } from "./JobRows.ts"
import { placeOf, reader } from "./Reader.ts"

const step = Schema.NullOr(JsonTextSchema.schema(StepFromJson))

const LoadedBatch = Schema.Struct({
  n: Schema.Number,
  customer: Schema.String,
  id: Schema.String,
  together: Bit,
  webhook: Text,
  metadata: Schema.fromJsonString(Schema.JsonObject),
  on_complete: step,
  on_any_failure: step,
  rerun_of: Text,
  state: Schema.Literals(batchStates),
  through: Schema.Number,
  accepted: Schema.Number,
  duplicates: Schema.Number,
  refused: Schema.Number,
  created_at: Schema.Number,
  touched_at: Schema.Number,
  closed_at: Moment,
  ended_at: Moment,
  cancelled_at: Moment,
  failed_at: Moment,
  complete_job: Text,
  failure_job: Text,
  told: Bit
})

const toBatch = (row: typeof LoadedBatch.Type): StoredBatch => ({
  number: row.n,
  customer: row.customer,
  id: row.id,
  together: row.together === 1,
  webhook: row.webhook ?? undefined,
  metadata: row.metadata,
  onComplete: row.on_complete ?? undefined,
  onAnyFailure: row.on_any_failure ?? undefined,
  rerunOf: row.rerun_of ?? undefined,
  state: row.state,
  through: row.through,
  accepted: row.accepted,
  duplicates: row.duplicates,
  refused: row.refused,
  createdAt: row.created_at,
  touchedAt: row.touched_at,
  closedAt: row.closed_at ?? undefined,
  endedAt: row.ended_at ?? undefined,
  cancelledAt: row.cancelled_at ?? undefined,
  failedAt: row.failed_at ?? undefined,
  completeJob: row.complete_job ?? undefined,
  failureJob: row.failure_job ?? undefined,
  isTold: row.told === 1
})

/** What batches need of the store, over any database; `readJob` reads a job that was loaded. */
export const batchPort = (
  run: Executor,
  readJob: (row: unknown) => Effect.Effect<StoredJob, StoreError>
): BatchPort => ({
  openBatch: (batch) =>
    Effect.flatMap(
      Effect.suspend(() => run("openBatch", insertOf(batch))),
      ({ batch: row, isNew }) => Effect.map(readBatch(row), (stored) => ({ batch: stored, isNew }))
    ),
  batch: (customer, id) => Effect.flatMap(run("batch", customer, id), readOptional),
  batches: (customer, cursor, limit) => {
    const below = placeOf(cursor, Number.MAX_SAFE_INTEGER)
    if (below === undefined) return Effect.succeed({ batches: [], cursor: undefined })
    return Effect.flatMap(run("batches", customer, below, limit + 1), (rows) =>
      Effect.map(readable(rows.slice(0, limit), readBatch), (batches) => ({
        batches,
        cursor: rows.length > limit ? batches.at(-1)?.number.toString() : undefined
      }))
    )
  },
  addLines: ({ after, at, batch, isAgain = false, jobs, most, notes, through }) =>
    Effect.flatMap(
      Effect.suspend(() =>
        run("addLines", {
          batch: batch.number,
          after,
          through,
          jobs: jobs.map(encodeJob),
          notes: notes.map(noteOf),
          at,
          isAgain,
          most: most ?? null
        })
      ),
      (added): Effect.Effect<Added, StoreError> => {
        switch (added._tag) {
          case "Moved":
            return Effect.map(readOptional(added.batch), (now) => ({ _tag: "Moved", batch: now }))
          case "Known":
            return Effect.map(
              Effect.forEach(added.known, ({ job, place }) =>
                Effect.map(readJob(job), (read) => ({ place, job: read }))
              ),
              (known) => ({ _tag: "Known", known })
            )
          default:
            return Effect.succeed(added)
        }
      }
    ),
  closeBatch: (batch, at) => run("closeBatch", batch, at),
  callOffBatch: (batch, at) => run("callOffBatch", batch, at),
  batchCounts: (batch) => Effect.flatMap(run("batchCounts", batch), readCounts),
  lineNotes: (batch, kind, behind, limit) => Effect.flatMap(run("lineNotes", batch, kind, behind, limit), readNotes),
  dueBatches: (limit) => Effect.flatMap(run("dueBatches", limit), (rows) => readable(rows, readBatch)),
  showLines: (batch, at, limit) => Effect.flatMap(run("showLines", batch, at, limit), readShown),
  liveInBatch: (batch, limit) => Effect.flatMap(run("liveInBatch", batch, limit), readIds),
  batchCalledOff: (batch, at) => run("batchCalledOff", batch, at),
  failureTold: (batch, job) => run("failureTold", batch, job),
  endTold: (batch, job, notice) =>
    Effect.suspend(() =>
      run(
        "endTold",
        batch,
        job ?? null,
        notice === undefined
          ? null
          : { id: notice.job.id, job: encodeJob(notice.job), finish: encodeFinish(notice.finish) }
      )
    ),
  failedInBatch: (batch, behind, limit) => Effect.flatMap(run("failedInBatch", batch, behind, limit), readPlaces)
})

const insertOf = (batch: NewBatch): BatchInsert => [
  batch.customer,
  batch.id,
  Number(batch.together),
  batch.webhook ?? null,
  JSON.stringify(batch.metadata),
  batch.onComplete === undefined ? null : JSON.stringify(batch.onComplete),
  batch.onAnyFailure === undefined ? null : JSON.stringify(batch.onAnyFailure),
  batch.rerunOf ?? null,
  batch.createdAt
]

const noteOf = ({ _tag, line, ...detail }: LineNote): NoteInsert => [line, _tag, JSON.stringify(detail)]

const readBatch = reader(LoadedBatch, toBatch)

const readOptional = reader(Schema.UndefinedOr(LoadedBatch), (row) => row && toBatch(row))

const readIds = reader(Schema.Array(Schema.Struct({ id: Schema.String })), (rows) => rows.map(({ id }) => id))

const readPlaces = reader(Schema.Array(Schema.Struct({ id: Schema.String, place: Schema.Number })), (rows) => rows)

const LoadedNote = Schema.Union([
  Schema.Struct({
    kind: Schema.Literal("Refused"),
    line: Schema.Number,
    detail: Schema.fromJsonString(
      Schema.Struct({ code: Schema.String, field: Schema.optionalKey(Schema.String), problem: Schema.String })
    )
  }),
  Schema.Struct({
    kind: Schema.Literal("Duplicate"),
    line: Schema.Number,
    detail: Schema.fromJsonString(Schema.Struct({ jobId: Schema.String }))
  })
])

const readNotes = reader(Schema.Array(LoadedNote), (rows) =>
  rows.map((row): LineNote =>
    row.kind === "Refused"
      ? { _tag: "Refused", line: row.line, field: row.detail.field, code: row.detail.code, problem: row.detail.problem }
      : { _tag: "Duplicate", line: row.line, jobId: row.detail.jobId }
  )
)

const readShown = reader(
  Schema.Array(
    Schema.Struct({
      id: Schema.String,
      customer: Schema.String,
      lane: Schema.String,
      queue: Schema.String,
      state: Schema.Literals(["scheduled", "queued"])
    })
  ),
  (rows) => rows
)

const LoadedCounts = Schema.Struct({
  states: Schema.Array(Schema.Struct({ state: Schema.Literals(states), jobs: Schema.Number })),
  swept: Schema.UndefinedOr(
    Schema.Struct({ succeeded: Schema.Number, failed: Schema.Number, cancelled: Schema.Number })
  )
})

const readCounts = reader(LoadedCounts, ({ states, swept }): BatchCounts => {
  const counts = { ...nothing, ...swept }
  for (const { jobs, state } of states) counts[state] += jobs
  return counts
})

const nothing = { scheduled: 0, queued: 0, running: 0, parked: 0, succeeded: 0, failed: 0, cancelled: 0 }
