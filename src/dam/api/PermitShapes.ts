/**
 * Permits, as they are asked for, shown and given back.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "../../step/Fields.ts"
import type { After, Lease } from "../lane/Permits.ts"
import { between, Count, length, Moment, optional, Status } from "./Parts.ts"

/** The longest that a lease may be, and how long one is by default, in milliseconds. */
const longestLease = 60_000
export const usualLease = 30_000

const leaseMillis = between(1000, longestLease)
const waitMillis = between(0, 3_600_000)

/** Header names in any case. */
const Headers = Schema.Record(Schema.String, Schema.String)

/** The call that a permit is asked for: by its URL or by its lane. */
export const PermitChoice = Schema.Struct({
  /** With method and headers it says which lane: only what the rule of its host looks at counts. */
  url: optional(length(1, 8192)),
  method: optional(Fields.Method),
  lane: optional(length(1, 300)),
  /** Whose turn in the lane it takes, among those of the customer: any name. */
  account: optional(length(1, 256)),
  /** Those of the call that carry a credential tell accounts and lanes apart, as they do for jobs; none is kept. */
  headers: optional(Headers),
  /** What it draws on, as a job says it. */
  limits: optional(Fields.Limits),
  wait_ms: optional(waitMillis),
  lease_ms: optional(leaseMillis),
  /** Whether it is sent at once: it departs with the grant. */
  depart: optional(Schema.Boolean)
}).annotate({ identifier: "PermitChoice" })

/** How long the lease shall be from now on. */
export const RenewChoice = Schema.Struct({ lease_ms: optional(leaseMillis) }).annotate({ identifier: "RenewChoice" })

/** How long to wait for the moment in which the call may be sent. */
export const DepartChoice = Schema.Struct({ wait_ms: optional(waitMillis) }).annotate({ identifier: "DepartChoice" })

/** What a call was answered; without a status it ended without an answer. */
export const PermitReport = Schema.Struct({
  status: optional(Status),
  headers: optional(Headers),
  /** The beginning of the body, where its words tell refusals apart. */
  body: optional(length(0, 16_384)),
  /** When it was sent, by the clock of whoever sent it. */
  sent_at: optional(Moment)
}).annotate({ identifier: "PermitReport" })

/** A permit that is held. */
export const HeldPermit = Schema.Struct({
  permit_id: Schema.String,
  lane: Schema.String,
  lease_ms: Count,
  expires_at: Moment,
  /** Whether the call may be sent, and counts as sent. */
  departed: Schema.Boolean
}).annotate({ identifier: "HeldPermit" })

/** Shows a permit that is held. */
export const held = ({ departed, expiresAt, id, lane, leaseMillis: millis }: Lease): typeof HeldPermit.Encoded => ({
  permit_id: id,
  lane,
  lease_ms: millis,
  expires_at: expiresAt,
  departed
})

/** How its lane stands once a permit was given back. */
export const EndedPermit = Schema.Struct({
  permit_id: Schema.String,
  lane: Schema.String,
  /** For how long the lane lets nobody of this account through. */
  held_ms: Count
}).annotate({ identifier: "EndedPermit" })

/** Shows it. */
export const ended = (id: string, { heldMillis, lane }: After): typeof EndedPermit.Encoded => ({
  permit_id: id,
  lane,
  held_ms: heldMillis
})
