/**
 * Why a transport brought nothing back: a closed set of reasons, each with what a caller needs to act.
 *
 * Messages are for people and never hold a URL query, a header, a body of ours or a secret.
 *
 * @since 0.1.0
 */
import type { Response } from "./ReplyModel.ts"
import { TaggedError } from "./TaggedError.ts"
import type { BreakerOpen, BudgetExhausted } from "./Withheld.ts"

/**
 * What can have become of a connection.
 *
 * @category models
 * @since 0.1.0
 */
export const connectionKinds = ["refused", "notFound", "unreachable", "reset", "shortage", "other"] as const

/**
 * What can be wrong with a TLS connection.
 *
 * @category models
 * @since 0.1.0
 */
export const tlsKinds = ["expired", "name", "issuer", "other"] as const

/**
 * The connection could not be made, or broke before an answer was complete.
 *
 * **Details** — `refused`, `notFound` and `unreachable`: the target never saw the call. Neither did it with `shortage`,
 * which is not the target's doing: this machine lacks what a call needs. For the others it may have.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectionFailed extends TaggedError("ConnectionFailed")<{
  readonly kind: (typeof connectionKinds)[number]
  readonly detail: string
}> {
  override get message() {
    return `no connection (${this.kind}): ${this.detail}`
  }
}

/**
 * There is no connection to be trusted: the target's certificate, or the TLS it speaks, is not good.
 *
 * **Details** — nothing was sent. `name` (a certificate of another host) and `issuer` (signed by nobody who is trusted)
 * are not tried again: they would end the same way.
 *
 * @category errors
 * @since 0.1.0
 */
export class TlsError extends TaggedError("TlsError")<{
  readonly kind: (typeof tlsKinds)[number]
  readonly detail: string
}> {
  override get message() {
    return `no trusted TLS connection (${this.kind}): ${this.detail}`
  }
}

/**
 * One attempt took longer than its limit (`localTimeout`, 30 seconds unless the step says otherwise).
 *
 * @category errors
 * @since 0.1.0
 */
export class AttemptTimedOut extends TaggedError("AttemptTimedOut")<{
  readonly afterMillis: number
}> {
  override get message() {
    return `no answer within ${this.afterMillis} ms`
  }
}

/**
 * What came back was not a whole HTTP answer.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidResponse extends TaggedError("InvalidResponse")<{
  readonly received: string
}> {
  override get message() {
    return `the answer was not a whole HTTP response: ${this.received}`
  }
}

/**
 * The head of the answer was larger than the transport reads. The call was made; it is neither repeated nor forwarded.
 *
 * @category errors
 * @since 0.1.0
 */
export class HeadersTooLarge extends TaggedError("HeadersTooLarge") {
  override get message() {
    return "the answer has more headers than the transport reads"
  }
}

/**
 * The target went on announcing an answer (1xx) and gave none.
 *
 * @category errors
 * @since 0.1.0
 */
export class TooManyInterim extends TaggedError("TooManyInterim")<{ readonly limit: number }> {
  override get message() {
    return `more than ${this.limit} interim (1xx) answers and no other`
  }
}

/**
 * The body is wrapped in more layers of `Content-Encoding` than the transport undoes. The call was made; it is neither
 * repeated nor forwarded.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnsupportedEncoding extends TaggedError("UnsupportedEncoding")<{
  readonly status: number
  readonly layers: number
}> {
  override get message() {
    return `the answer (status ${this.status}) has ${this.layers} layers of Content-Encoding, more than the transport undoes`
  }
}

/**
 * The body is not what its `Content-Encoding` says, or ends in the middle of it.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidEncoding extends TaggedError("InvalidEncoding")<{
  readonly received: string
}> {
  override get message() {
    return `the answer cannot be decoded: ${this.received}`
  }
}

/**
 * The answer was larger than the transport keeps. The call was made; it is neither repeated nor forwarded. What was kept
 * of it stands in the history.
 *
 * @category errors
 * @since 0.1.0
 */
export class ResponseTooLarge extends TaggedError("ResponseTooLarge")<{
  readonly status: number
  readonly limitBytes: number
}> {
  override get message() {
    return `the answer (status ${this.status}) is larger than ${this.limitBytes} bytes; raise the transport's maxResponseBytes`
  }
}

/**
 * This transport cannot send such a request; nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unsendable extends TaggedError("Unsendable")<{
  readonly problem: string
}> {
  override get message() {
    return this.problem
  }
}

/**
 * Why a call cannot have the secret that one of its headers names.
 *
 * @category models
 * @since 0.1.0
 */
export const secretKinds = ["unknown", "elsewhere", "region", "unkept", "denied", "unsealed", "unfit"] as const

/**
 * A header names a secret that the call cannot have; nothing was sent.
 *
 * **Details** — `unknown`: none of this name is kept. `elsewhere`: it may not go where the call leads, a redirect or a
 * fallback included. `region`: the call would leave through another dam. `unkept`: this program keeps no secrets. `denied`:
 * who issues its tokens refuses to. `unsealed`: what is kept cannot be opened. `unfit`: it is too
 * short to sign with.
 *
 * @category errors
 * @since 0.1.0
 */
export class SecretRefused extends TaggedError("SecretRefused")<{
  readonly secret: string
  readonly kind: (typeof secretKinds)[number]
  readonly detail: string
}> {
  override get message() {
    return `the secret ${this.secret} is not sent: ${this.detail}`
  }
}

/**
 * Who issues the tokens of a credential gives none at the moment; nothing was sent. Trying again may mend it.
 *
 * @category errors
 * @since 0.1.0
 */
export class TokenUnavailable extends TaggedError("TokenUnavailable")<{
  readonly secret: string
  readonly detail: string
}> {
  override get message() {
    return `no token for ${this.secret}: ${this.detail}`
  }
}

/**
 * A remote call was needed and there is no API key. `after` says why the call that was made here before it failed: a
 * FRUGAL step is forwarded only then.
 *
 * @category errors
 * @since 0.1.0
 */
export class MissingApiKey extends TaggedError("MissingApiKey")<{
  readonly variable: string
  readonly after?: string
}> {
  override get message() {
    const { after, variable } = this
    return after === undefined
      ? `EZThrottle needs an API key: set the environment variable ${variable} or pass apiKey; a dam on this machine needs none (EZTHROTTLE_DAM_URL)`
      : `${after}; it was not forwarded, because there is no API key: set ${variable}, or name a dam with EZTHROTTLE_DAM_URL`
  }
}

/**
 * The service could not be reached. With `maybeAccepted` the job was sent and may exist all the same; sending it again
 * with the same key is safe.
 *
 * @category errors
 * @since 0.1.0
 */
export class ServiceUnreachable extends TaggedError("ServiceUnreachable")<{
  readonly detail: string
  readonly maybeAccepted: boolean
}> {
  override get message() {
    return `EZThrottle is unreachable: ${this.detail}`
  }
}

/**
 * The service refuses the caller: a wrong key or an exhausted plan. Not worth repeating.
 *
 * @category errors
 * @since 0.1.0
 */
export class ServiceDenied extends TaggedError("ServiceDenied")<{
  readonly detail: string
}> {
  override get message() {
    return `Request denied: ${this.detail}`
  }
}

/**
 * The service is rate limiting the caller; `retryAt` (epoch milliseconds) says until when, if it said so.
 *
 * @category errors
 * @since 0.1.0
 */
export class ServiceRateLimited extends TaggedError("ServiceRateLimited")<{
  readonly detail: string
  readonly retryAt: number | undefined
}> {
  override get message() {
    return `Rate limited: ${this.detail}`
  }
}

/**
 * The service's proxy failed with a status of its own. `received` is the beginning of its answer.
 *
 * @category errors
 * @since 0.1.0
 */
export class ServiceFailed extends TaggedError("ServiceFailed")<{
  readonly status: number
  readonly received: string
}> {
  override get message() {
    return `Proxy request failed: ${this.received}`
  }
}

/**
 * The service looked at the job and refused it. `received` is the beginning of its answer.
 *
 * @category errors
 * @since 0.1.0
 */
export class JobRefused extends TaggedError("JobRefused")<{
  readonly status: number
  readonly received: string
}> {
  override get message() {
    return `EZThrottle job creation failed: ${this.received}`
  }
}

/**
 * The service's answer does not follow the protocol. `received` is its beginning; the job may exist.
 *
 * @category errors
 * @since 0.1.0
 */
export class MalformedAnswer extends TaggedError("MalformedAnswer")<{
  readonly problem: string
  readonly received: string
}> {
  override get message() {
    return `EZThrottle's answer cannot be read (${this.problem}): ${this.received === "" ? "an empty body" : this.received}`
  }
}

/**
 * Every reason for which a transport brings no reply.
 *
 * @category errors
 * @since 0.1.0
 */
export type Failure =
  | ConnectionFailed
  | TlsError
  | AttemptTimedOut
  | InvalidResponse
  | HeadersTooLarge
  | TooManyInterim
  | UnsupportedEncoding
  | InvalidEncoding
  | ResponseTooLarge
  | Unsendable
  | SecretRefused
  | TokenUnavailable
  | MissingApiKey
  | ServiceUnreachable
  | ServiceDenied
  | ServiceRateLimited
  | ServiceFailed
  | JobRefused
  | MalformedAnswer
  | BudgetExhausted
  | BreakerOpen

/**
 * What `HttpTransport.send` fails with.
 *
 * @category errors
 * @since 0.1.0
 */
export class TransportError extends TaggedError("TransportError")<{
  readonly reason: Failure
  /** What was kept of an answer that could not be taken whole; its body is only a beginning, or not decoded. */
  readonly kept?: Response
}> {
  override get message() {
    return this.reason.message
  }
}

/**
 * Cuts what a peer sent to a length that fits a message.
 *
 * @internal
 */
export const excerpt = (received: string): string => (received.length <= 500 ? received : `${received.slice(0, 500)}…`)
