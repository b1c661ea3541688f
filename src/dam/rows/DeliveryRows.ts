/** Deliveries, places in a lane and settings as rows, and back. Rows are read through schemas, as in `SqliteRows.ts`. */
import * as Schema from "effect/Schema"
import {
  type DeliveryAttempt as Attempt,
  type Endpoint,
  deadReasons,
  type DeadLetter,
  type StoredDelivery
} from "../job/Delivery.ts"
import type { DueDelivery } from "../store/DeliveryRecords.ts"
import { Bit, Moment } from "./JobRows.ts"

const DeliveryAttempt = Schema.Struct({
  at: Schema.Number,
  latency: Schema.Number,
  status: Schema.UndefinedOr(Schema.Number),
  error: Schema.UndefinedOr(Schema.String),
  excerpt: Schema.UndefinedOr(Schema.String)
})

/** An attempt to deliver, as JSON. */
export const encodeDeliveryAttempt: (attempt: Attempt) => string = Schema.encodeSync(
  Schema.fromJsonString(Schema.toCodecJson(DeliveryAttempt))
)

/** A loaded dead letter. */
export const LoadedDeadLetter = Schema.Struct({
  id: Schema.String,
  job_id: Schema.String,
  customer: Schema.String,
  place: Schema.Number,
  url: Schema.String,
  regions: Schema.fromJsonString(Schema.Array(Schema.String)),
  votes: Bit,
  lane: Schema.String,
  state: Schema.Literals(["pending", "delivered", "dead"]),
  attempts: Schema.fromJsonString(Schema.toCodecJson(Schema.Array(DeliveryAttempt))),
  due_at: Schema.Number,
  begun_at: Moment,
  spent: Schema.Number,
  reason: Schema.NullOr(Schema.Literals(deadReasons)),
  dead_at: Moment
})

/** A loaded dead letter as the port knows it. */
export const toDeadLetter = ({
  begun_at: begunAt,
  dead_at: deadAt,
  due_at: dueAt,
  job_id: jobId,
  place: index,
  reason,
  votes,
  ...row
}: typeof LoadedDeadLetter.Type): DeadLetter => ({
  ...row,
  jobId,
  index,
  hasQuorumVote: votes === 1,
  dueAt,
  // a file of an earlier version knows only when it is due
  begunAt: begunAt ?? dueAt,
  dead: reason === null ? undefined : { reason, at: deadAt ?? dueAt }
})

/** A loaded delivery. */
export const LoadedDelivery = Schema.Struct({ ...LoadedDeadLetter.fields, body: Schema.Uint8Array })

/** A loaded delivery as the port knows it. */
export const toDelivery = ({ body, ...row }: typeof LoadedDelivery.Type): StoredDelivery => ({
  ...toDeadLetter(row),
  body
})

const DisabledReason = Schema.NullOr(Schema.Literals(["gone", "failing"]))

/** A loaded delivery that is due, beside its endpoint where that is disabled. */
export const LoadedDueDelivery = Schema.Struct({
  ...LoadedDelivery.fields,
  disabled_reason: DisabledReason,
  probe_at: Moment
})

/** A loaded delivery that is due as the port knows it. */
export const toDueDelivery = ({
  disabled_reason: reason,
  probe_at: probeAt,
  ...row
}: typeof LoadedDueDelivery.Type): DueDelivery => ({
  ...toDelivery(row),
  disabled: reason === null ? undefined : { reason, probeAt: probeAt ?? Number.POSITIVE_INFINITY }
})

/** A loaded endpoint. */
export const LoadedEndpoint = Schema.Struct({
  customer: Schema.String,
  url: Schema.String,
  lane: Schema.String,
  status: Schema.Literals(["enabled", "disabled"]),
  reason: DisabledReason,
  since: Schema.Number,
  failures: Schema.Number,
  probe_at: Moment
})

/** A loaded endpoint as the port knows it. */
export const toEndpoint = ({ probe_at: probeAt, reason, ...row }: typeof LoadedEndpoint.Type): Endpoint => ({
  ...row,
  reason: reason ?? undefined,
  probeAt: probeAt ?? undefined
})
