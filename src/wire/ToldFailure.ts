/**
 * Why an attempt brought nothing back, as a dam tells it: a sentence for people, and beside it in fields what a program
 * needs. Another dam reads the fields and never the sentence.
 */
import * as Schema from "effect/Schema"
import * as Fields from "../step/Fields.ts"
import {
  AttemptTimedOut,
  ConnectionFailed,
  connectionKinds,
  excerpt,
  type Failure,
  HeadersTooLarge,
  InvalidEncoding,
  InvalidResponse,
  ResponseTooLarge,
  tlsKinds,
  TlsError,
  Unsendable
} from "../step/Failure.ts"

/** The fields of a failure, beside the others of an attempt; all are left out where there was none. */
export const schema = Schema.Struct({
  /** The sentence. */
  error: Schema.optionalKey(Schema.String.annotate({ description: "Why there was no answer, for people" })),
  error_tag: Schema.optionalKey(Schema.String.annotate({ description: "Which failure it was" })),
  error_kind: Schema.optionalKey(
    Schema.String.annotate({
      description: "Which kind of ConnectionFailed, TlsError or SecretRefused it was, such as refused or expired"
    })
  ),
  error_detail: Schema.optionalKey(
    Schema.String.annotate({ description: "What the network or the target said, without the words around it" })
  ),
  error_status: Schema.optionalKey(
    Fields.Count.annotate({ description: "The status of an answer that was too large" })
  ),
  error_limit_bytes: Schema.optionalKey(Fields.Count.annotate({ description: "How many bytes of it are kept" }))
})

/** The fields of a failure. */
export type ToldFailure = typeof schema.Type

/** Tells a failure. */
export const tell = (failure: Failure): ToldFailure => ({
  error: excerpt(failure.message),
  error_tag: failure._tag,
  ...detailsOf(failure)
})

/**
 * The failure that another dam told, as if it had happened here. What it says of a connection is told as from there; a
 * failure that is not known here, or none, is a connection that failed.
 */
export const heard = (told: ToldFailure, otherwise: string, timeoutMillis: number): Failure => {
  const detail = told.error_detail ?? told.error ?? otherwise
  switch (told.error_tag) {
    case "AttemptTimedOut":
      return new AttemptTimedOut({ afterMillis: timeoutMillis })
    case "Unsendable":
      return new Unsendable({ problem: detail })
    case "HeadersTooLarge":
      return new HeadersTooLarge()
    case "TooManyInterim":
    case "InvalidResponse":
      return new InvalidResponse({ received: detail })
    case "InvalidEncoding":
    case "UnsupportedEncoding":
      return new InvalidEncoding({ received: detail })
    case "ResponseTooLarge":
      return new ResponseTooLarge({ status: told.error_status ?? 0, limitBytes: told.error_limit_bytes ?? 0 })
    case "TlsError":
      return new TlsError({
        kind: isTlsKind(told.error_kind) ? told.error_kind : "other",
        detail: `from there: ${detail}`
      })
    default:
      return new ConnectionFailed({
        kind: isKind(told.error_kind) ? told.error_kind : "other",
        detail: `from there: ${detail}`
      })
  }
}

const detailsOf = (failure: Failure): ToldFailure => {
  switch (failure._tag) {
    case "ConnectionFailed":
    case "TlsError":
      return { error_kind: failure.kind, error_detail: excerpt(failure.detail) }
    case "InvalidResponse":
    case "InvalidEncoding":
      return { error_detail: excerpt(failure.received) }
    case "SecretRefused":
      return { error_kind: failure.kind, error_detail: excerpt(failure.detail) }
    case "TokenUnavailable":
      return { error_detail: excerpt(failure.detail) }
    case "Unsendable":
      return { error_detail: excerpt(failure.problem) }
    case "ResponseTooLarge":
      return { error_status: failure.status, error_limit_bytes: failure.limitBytes }
    default:
      return {}
  }
}

const isKind = Schema.is(Schema.Literals(connectionKinds))
const isTlsKind = Schema.is(Schema.Literals(tlsKinds))
