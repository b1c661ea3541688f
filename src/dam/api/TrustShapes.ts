/**
 * L8 as the dam speaks of it: its own key, and the trust in receivers.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { StoredTrust } from "../store/TrustRecords.ts"
import { between, Moment, word } from "./Parts.ts"

/** What a stranger asks. The answers to strangers are written by `Responder`, in the spelling of the protocol. */
export const Challenge = Schema.Struct({
  challenge_id: Schema.String,
  nonce: Schema.String,
  timestamp: between(0, Number.MAX_SAFE_INTEGER),
  sender_public_key: Schema.String,
  signature: Schema.String
}).annotate({ identifier: "L8Challenge" })

/** What it is answered. */
export const ChallengeAnswer = Schema.Struct({
  challenge_id: Schema.String,
  nonce: Schema.String,
  receiver_signature: Schema.String,
  receiver_public_key: Schema.String
}).annotate({ identifier: "L8ChallengeAnswer" })

/** What is published of the dam's own key. */
export const Document = Schema.Struct({
  protocol_version: word(["0.1"]),
  service_name: Schema.String,
  public_key: Schema.String,
  challenge_endpoint: Schema.String,
  supported_algorithms: Schema.Array(Schema.String),
  capabilities: Schema.Array(Schema.String)
}).annotate({ identifier: "L8Document" })

const statuses = ["trusted", "expired", "key_changed", "revoked"] as const

/** What is known of a receiver. */
export const Trust = Schema.Struct({
  origin: Schema.String,
  status: word(statuses),
  public_key: Schema.NullOr(Schema.String),
  proved_at: Schema.NullOr(Moment),
  changed_key: Schema.NullOr(Schema.String),
  revoked_at: Schema.NullOr(Moment)
}).annotate({ identifier: "L8Trust" })

/** Shows what is known of a receiver whose proof lasts so long, in milliseconds. */
export const trust = (self: StoredTrust, now: number, lasting: number): typeof Trust.Encoded => ({
  origin: self.origin,
  status: statusOf(self, now, lasting),
  public_key: self.publicKey ?? null,
  proved_at: self.provedAt ?? null,
  changed_key: self.changedKey ?? null,
  revoked_at: self.revokedAt ?? null
})

const statusOf = (
  { changedKey, provedAt = -Infinity, revokedAt }: StoredTrust,
  now: number,
  lasting: number
): (typeof statuses)[number] => {
  if (revokedAt !== undefined) return "revoked"
  if (changedKey !== undefined) return "key_changed"
  return now - provedAt < lasting ? "trusted" : "expired"
}

/** What is known of all receivers. */
export const Trusts = Schema.Struct({ trust: Schema.Array(Trust) }).annotate({ identifier: "L8Trusts" })

/** Shows what is known of all receivers. */
export const trusts = (all: ReadonlyArray<StoredTrust>, now: number, lasting: number): typeof Trusts.Encoded => ({
  trust: all.map((one) => trust(one, now, lasting))
})

/** Whether anything was known of a receiver that is forgotten now. */
export const Forgotten = Schema.Struct({ forgotten: Schema.Boolean }).annotate({ identifier: "L8Forgotten" })

/** Says whether anything was known. */
export const forgotten = (known: boolean): typeof Forgotten.Encoded => ({ forgotten: known })

/**
 * The receiver whose trust is meant.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OriginChoice = Schema.Struct({ origin: Schema.NonEmptyString }).annotate({ identifier: "OriginChoice" })
