/**
 * What became of checking a webhook's signature.
 *
 * Whoever verifies gets a value, never an exception: one closed union with a case for acceptance and one for each
 * different thing a person would have to mend. No case holds a secret, a header or a body, so a verdict can be logged
 * as it is. The sentences that the official SDKs answer with are derived from the verdict here and nowhere else.
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { TaggedError } from "../step/TaggedError.ts"

/**
 * A shared webhook secret, plain or kept out of sight in a `Redacted`.
 *
 * @category models
 * @since 0.1.0
 */
export type Secret = string | Redacted.Redacted<string>

/**
 * One secret, or several during a rotation, the primary first.
 *
 * @category models
 * @since 0.1.0
 */
export type Secrets = Secret | ReadonlyArray<Secret>

/**
 * A header as servers hand it over: absent, once, or as a list when it was sent more than once.
 *
 * **Details** — a list counts as its values joined by `, `, which is what HTTP says it means.
 *
 * @category models
 * @since 0.1.0
 */
export type HeaderValue = string | ReadonlyArray<string> | null | undefined

/**
 * The body exactly as it was received. Text counts as its UTF-8 bytes.
 *
 * @category models
 * @since 0.1.0
 */
export type RawBody = string | Uint8Array

/**
 * What a receiver states about time: when it is, and how far a message may be away from it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Freshness {
  /** Unix time in seconds; fractions are cut off. */
  readonly now: number
  /** The largest accepted distance from `now`, in seconds and in both directions. Defaults to `300`. */
  readonly toleranceSeconds?: number | undefined
}

/**
 * The signature belongs to this body and was made within the tolerance.
 *
 * @category models
 * @since 0.1.0
 */
export interface Valid {
  readonly _tag: "Valid"
  /** Position in the given secrets of the first one that matches; `0` is the primary. */
  readonly secretIndex: number
  /** When the message was signed, Unix time in seconds. */
  readonly timestamp: number
}

/**
 * Every way in which a signature can fail to prove anything.
 *
 * | case | what happened |
 * |---|---|
 * | `NoSignature` | a header that must be there is absent or empty |
 * | `MissingV1`, `MissingV1a` | there are signatures, none of them of version `v1`, or of `v1a` |
 * | `MalformedHeader` | a header is not built as it must be, or longer than 2,048 characters |
 * | `MalformedTimestamp` | the timestamp is not there exactly once as a plain whole number |
 * | `MalformedSignature` | no signature has the shape of one |
 * | `TimestampTooOld`, `TimestampTooNew` | signed further from now than the tolerance; both in seconds |
 * | `SignatureMismatch` | well-formed, but made with another secret or for another body |
 * | `UnknownKey` | made with a key that is not among the trusted ones |
 * | `WeakSecret` | the receiver's own secret is missing, too short or undecodable |
 * | `UnreadableBody` | the body given to the verifier is neither bytes nor text that has a UTF-8 form |
 * | `InvalidClock` | `now` or the tolerance given to the verifier is not a usable number |
 * | `Unsupported` | this runtime has no Ed25519 |
 *
 * @category models
 * @since 0.1.0
 */
export type Rejection =
  | { readonly _tag: "NoSignature"; readonly header: string }
  | { readonly _tag: "MissingV1" }
  | { readonly _tag: "MissingV1a" }
  | { readonly _tag: "MalformedHeader"; readonly header: string; readonly detail: string }
  | { readonly _tag: "MalformedTimestamp" }
  | { readonly _tag: "MalformedSignature" }
  | { readonly _tag: "TimestampTooOld"; readonly diff: number; readonly tolerance: number }
  | { readonly _tag: "TimestampTooNew"; readonly diff: number; readonly tolerance: number }
  | { readonly _tag: "SignatureMismatch" }
  | { readonly _tag: "UnknownKey" }
  | { readonly _tag: "WeakSecret"; readonly secretIndex: number | undefined; readonly detail: string }
  | { readonly _tag: "UnreadableBody" }
  | { readonly _tag: "InvalidClock" }
  | { readonly _tag: "Unsupported" }

/**
 * The verdict on a signature.
 *
 * @category models
 * @since 0.1.0
 */
export type Verification = Valid | Rejection

/**
 * A message whose signature proves nothing; `reason` says why.
 *
 * @category errors
 * @since 0.1.0
 */
export class SignatureRejected extends TaggedError("SignatureRejected")<{ readonly reason: Rejection }> {
  override get message(): string {
    return `The webhook was not accepted: ${explain(this.reason)}`
  }
}

/**
 * A signature that cannot be made, because a receiver would have to refuse it; `reason` says why it would.
 *
 * @category errors
 * @since 0.1.0
 */
export class CannotSign extends TaggedError("CannotSign")<{ readonly reason: Rejection }> {
  override get message(): string {
    return `The webhook cannot be signed: ${explain(this.reason)}`
  }
}

/**
 * Says a verdict in a sentence for people.
 *
 * @category rendering
 * @since 0.1.0
 */
export const explain = (verification: Verification): string => {
  switch (verification._tag) {
    case "Valid":
      return "the signature is valid"
    case "NoSignature":
      return `the header ${verification.header} is missing or empty`
    case "MissingV1":
      return "the signature header holds no v1 signature"
    case "MissingV1a":
      return "the signature header holds no v1a signature"
    case "MalformedHeader":
      return `the header ${verification.header} ${verification.detail}`
    case "MalformedTimestamp":
      return "the timestamp is not there exactly once as a whole number of Unix seconds"
    case "MalformedSignature":
      return "no signature has the length and the alphabet of one"
    case "TimestampTooOld":
      return `it was signed ${verification.diff} s ago, more than the ${verification.tolerance} s allowed`
    case "TimestampTooNew":
      return `it was signed ${verification.diff} s in the future, more than the ${verification.tolerance} s allowed`
    case "SignatureMismatch":
      return "the signature was made with another secret or for another body"
    case "UnknownKey":
      return "it was signed with a key that is not trusted here"
    case "WeakSecret":
      return verification.secretIndex === undefined
        ? `the webhook secrets cannot be used: ${verification.detail}`
        : `webhook secret ${verification.secretIndex + 1} ${verification.detail}`
    case "UnreadableBody":
      return "the body is neither raw bytes nor text with a UTF-8 form; pass it as received, not parsed"
    case "InvalidClock":
      return "the verifier was given a time or a tolerance that is not a usable number of seconds"
    case "Unsupported":
      return "this runtime cannot check Ed25519 signatures"
  }
}

/**
 * Says a verdict in the words of the official SDKs.
 *
 * **Details** — `valid`, `no_signature_header`, `missing_v1_signature`, `timestamp_expired (diff=Ns, tolerance=Ns)`,
 * `signature_mismatch`, and `verification_error: <case>` for the cases those SDKs do not know.
 *
 * @category rendering
 * @since 0.1.0
 */
export const legacyReason = (verification: Verification): string => {
  switch (verification._tag) {
    case "Valid":
      return "valid"
    case "NoSignature":
      return "no_signature_header"
    case "MissingV1":
      return "missing_v1_signature"
    case "TimestampTooOld":
    case "TimestampTooNew":
      return `timestamp_expired (diff=${verification.diff}s, tolerance=${verification.tolerance}s)`
    case "SignatureMismatch":
    case "MalformedSignature":
      return "signature_mismatch"
    default:
      return `verification_error: ${verification._tag}`
  }
}

/**
 * Says the verdicts of a primary and a secondary secret in the words of the official SDKs.
 *
 * **Details** — `valid_primary`, `valid_secondary`, or `both_secrets_failed (primary: <reason>)`, which they also say
 * when there is no secondary.
 *
 * @category rendering
 * @since 0.1.0
 */
export const legacyReasonOfTwo = (primary: Verification, secondary: Verification | undefined): string =>
  primary._tag === "Valid"
    ? "valid_primary"
    : secondary?._tag === "Valid"
      ? "valid_secondary"
      : `both_secrets_failed (primary: ${legacyReason(primary)})`

/**
 * Turns a verdict into an effect that goes on only when it is `Valid`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const accept = (verification: Verification): Effect.Effect<Valid, SignatureRejected> =>
  verification._tag === "Valid"
    ? Effect.succeed(verification)
    : Effect.fail(new SignatureRejected({ reason: verification }))
