/** Lines of jobs as rows, and back. Rows are read through schemas, as in `JobRows`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { OrderLine, OrderPort } from "../store/OrderRecords.ts"
import type { Executor } from "./Running.ts"
import { Moment, Text } from "./JobRows.ts"
import { reader } from "./Reader.ts"

const LoadedOrder = Schema.Struct({
  key: Schema.String,
  jobs: Schema.Number,
  first_id: Text,
  stopped_by: Text,
  stopped_at: Moment
})

const toLine = ({ first_id, jobs, key, stopped_at, stopped_by }: typeof LoadedOrder.Type): OrderLine => ({
  key,
  jobs,
  first: first_id ?? undefined,
  stopped: stopped_by === null || stopped_at === null ? undefined : { jobId: stopped_by, at: stopped_at }
})

/** Lines of jobs over any database. */
export const orderPort = (run: Executor): OrderPort => ({
  order: (customer, key) => Effect.flatMap(run("order", customer, key), readOptional),
  stoppedOrders: (customer, limit) => Effect.flatMap(run("stoppedOrders", customer, limit), readAll),
  beforeInOrder: (jobId) => run("beforeInOrder", jobId),
  resumeOrder: (customer, key) => run("resumeOrder", customer, key)
})

const readOptional = reader(Schema.UndefinedOr(LoadedOrder), (row) => row && toLine(row))

const readAll = reader(Schema.Array(LoadedOrder), (rows) => rows.map(toLine))
