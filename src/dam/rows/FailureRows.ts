/** Failed jobs as rows, and back as groups. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { JobResult } from "../job/Job.ts"
import type { FailureGroup, FailurePort } from "../store/FailureRecords.ts"
import type { Executor } from "./Running.ts"
import { reader } from "./Reader.ts"

/** What failed jobs are grouped by, beside their lane, as columns: the status, and the tag with the kind behind it. */
export const failureOf = ({ error, response }: JobResult) => ({
  status: response?.status ?? null,
  reason: error === undefined ? null : error.kind === undefined ? error.tag : `${error.tag} ${error.kind}`
})

const LoadedGroup = Schema.Struct({
  lane: Schema.String,
  failed_status: Schema.NullOr(Schema.Number),
  failed_reason: Schema.NullOr(Schema.String),
  jobs: Schema.Number,
  first_at: Schema.Number,
  last_at: Schema.Number,
  id: Schema.String,
  customer: Schema.String,
  message: Schema.NullOr(Schema.String)
})

/** Failures over any database. */
export const failurePort = (run: Executor): FailurePort => ({
  failures: ({ customer, from = 0, host, limit, sort, to = Number.MAX_SAFE_INTEGER }) => {
    const query = { customer, from, host, sort, to, limit: Math.min(Math.max(1, Math.trunc(limit)), 200) }
    return Effect.flatMap(run("failures", query), ({ groups, ...rest }) =>
      Effect.map(readGroups(groups), (read) => ({ groups: read, ...rest }))
    )
  }
})

const readGroups = reader(Schema.Array(LoadedGroup), (rows) =>
  rows.map(({ customer, failed_reason: reason, failed_status: status, id, message, ...row }): FailureGroup => {
    const [tag, kind] = reason?.split(" ") ?? []
    return {
      lane: row.lane,
      status: status ?? undefined,
      tag,
      kind,
      jobs: row.jobs,
      firstAt: row.first_at,
      lastAt: row.last_at,
      newest: { id, customer, message: message ?? undefined }
    }
  })
)
