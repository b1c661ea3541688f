import * as Schema from "effect/Schema"
import { Bit, Moment } from "./JobRows.ts"
import type { StoredPace, HeldBy as Held } from "../store/LaneRecords.ts"
import type { Ticket } from "../store/JobRecords.ts"

/** A place in a lane. */
export const LoadedTicket = Schema.Struct({
  id: Schema.String,
  account: Schema.String,
  isolated: Bit,
  seq: Schema.Number
})

/** A place in a lane as the port knows it. */
export const toTicket = (row: typeof LoadedTicket.Type): Ticket => ({ ...row, isolated: row.isolated === 1 })
export const HeldBy = Schema.Struct({
  reason: Schema.Literals(["retry_after", "rate_limit", "refused"]),
  status: Schema.Number,
  jobId: Schema.UndefinedOr(Schema.String)
})

/** The answer that brought a hold, as JSON. */
export const encodeHeldBy: (heldBy: Held) => string = Schema.encodeSync(
  Schema.fromJsonString(Schema.toCodecJson(HeldBy))
)

/** A learnt pace. */
export const LoadedPace = Schema.Struct({
  lane: Schema.String,
  account: Schema.String,
  rps: Moment,
  max_concurrent: Moment,
  account_queues: Schema.NullOr(Bit),
  held_until: Moment,
  seen_at: Schema.Number,
  held_by: Schema.NullOr(Schema.fromJsonString(Schema.toCodecJson(HeldBy)))
})

/** A learnt pace as the port knows it. */
export const toPace = (row: typeof LoadedPace.Type): StoredPace => ({
  lane: row.lane,
  account: row.account,
  rps: row.rps ?? undefined,
  maxConcurrent: row.max_concurrent ?? undefined,
  accountQueues: row.account_queues === null ? undefined : row.account_queues === 1,
  heldUntil: row.held_until ?? undefined,
  heldBy: row.held_by ?? undefined,
  seenAt: row.seen_at
})
