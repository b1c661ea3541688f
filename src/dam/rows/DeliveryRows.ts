/** Deliveries, places in a lane and settings as rows, and back. Rows are read through schemas, as in `SqliteRows.ts`. */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import {
  type DeadLetter,
  deadReasons,
  type DeliveryAttempt as Attempt,
  type Endpoint,
  type StoredDelivery
} from "../job/Job.ts"
import type { DueDelivery, StoredPace, StoredSecrets, StoredTrust, Ticket } from "../store/JobStore.ts"
import type { TrustRow } from "../sqlite/TrustCommands.ts"
import { Bit, Moment, Text } from "./JobRows.ts"
import type { HeldBy as Held } from "../lane/Steering.ts"

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

/** A place in a lane. */
export const LoadedTicket = Schema.Struct({
  id: Schema.String,
  account: Schema.String,
  isolated: Bit,
  seq: Schema.Number
})

/** A place in a lane as the port knows it. */
export const toTicket = (row: typeof LoadedTicket.Type): Ticket => ({ ...row, isolated: row.isolated === 1 })

/** The secrets of a customer. */
export const LoadedSecrets = Schema.Struct({ primary_secret: Schema.String, secondary_secret: Text })

/** The secrets of a customer as the port knows them. */
export const toSecrets = (row: typeof LoadedSecrets.Type): StoredSecrets => ({
  primary: Redacted.make(row.primary_secret),
  secondary: row.secondary_secret === null ? undefined : Redacted.make(row.secondary_secret)
})

/** The secrets of a customer as they are written: primary and secondary. */
export const encodeSecrets = ({ primary, secondary }: StoredSecrets) =>
  [Redacted.value(primary), secondary === undefined ? null : Redacted.value(secondary)] as const

/** A row of what is known of an origin. */
export const LoadedTrust = Schema.Struct({
  origin: Schema.String,
  public_key: Text,
  proved_at: Moment,
  changed_key: Text,
  revoked_at: Moment
})

/** What is known of an origin, as the port has it. */
export const toTrust = (row: typeof LoadedTrust.Type): StoredTrust => ({
  origin: row.origin,
  publicKey: row.public_key ?? undefined,
  provedAt: row.proved_at ?? undefined,
  changedKey: row.changed_key ?? undefined,
  revokedAt: row.revoked_at ?? undefined
})

/** What is known of an origin, as it is written. */
export const encodeTrust = (self: StoredTrust): TrustRow => [
  self.origin,
  self.publicKey ?? null,
  self.provedAt ?? null,
  self.changedKey ?? null,
  self.revokedAt ?? null
]

const HeldBy = Schema.Struct({
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
