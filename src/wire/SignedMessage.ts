/**
 * The rules that every signature scheme of ours shares.
 *
 * A message is judged in one order, whatever the scheme: the headers' presence and length, the receiver's secrets, the
 * headers' shape, a `v1` at all, the timestamp's shape, its distance from now, the body, the signatures. The first that
 * fails is the verdict.
 *
 * - Secrets. All of them must be usable, or none is used: a list with an empty entry is a mistake to be mended, not
 *   something to work around. Unusable means no text, too short for the scheme, or undecodable.
 * - Headers. A list of values is the values joined by `, `. At most 2,048 characters. Names and values are trimmed of
 *   surrounding white space, nothing else about them is forgiven.
 * - Time. The timestamp is a canonical decimal: digits only, no sign, fraction, exponent or leading zero, and a number
 *   that can be told from its neighbours. The distance from now may be exactly the tolerance, in either direction.
 * - Body. Bytes, never decoded. Text stands for its UTF-8 bytes; text that has no UTF-8 form stands for nothing.
 * - Signatures. Several may be present and one match is enough. Candidates of the wrong shape prove nothing and spoil
 *   nothing; when all are of the wrong shape, that is the verdict. Every secret is tried on every candidate, each
 *   comparison reads every byte, and none ends early, so time tells nothing about where a match was.
 */
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { isBytes } from "@noble/hashes/utils.js"
import * as Arr from "effect/Array"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { CannotSign } from "./SignatureModel.ts"
import type {
  HeaderValue,
  RawBody,
  Rejection,
  Secret,
  Secrets,
  Valid,
  Verification,
  Freshness
} from "./SignatureModel.ts"

export type Checked<A> = Result.Result<A, Rejection>

/** The key a scheme makes of a secret's text, or what is wrong with the text. */
export type KeyOf = (text: string) => Result.Result<Uint8Array, string>

export interface Signed {
  readonly keys: ReadonlyArray<Uint8Array>
  readonly timestamp: number
  /** What is signed in front of the body. */
  readonly prefix: string
  readonly body: Uint8Array
  /** Signatures that have the right shape, decoded. */
  readonly candidates: ReadonlyArray<Uint8Array>
}

export const keysOf = (secrets: Secrets, keyOf: KeyOf): Checked<ReadonlyArray<Uint8Array>> => {
  const listed = Arr.ensure(secrets)
  if (listed.length === 0) return weak(undefined, "none is configured")
  return Result.all(
    listed.map((secret, index) => {
      const text = revealed(secret)
      if (typeof text !== "string" || text === "") return weak(index, "is empty")
      return Result.mapError(keyOf(text), (detail) => weakness(index, detail))
    })
  )
}

export const headerText = (header: string, value: HeaderValue): Checked<string> => {
  const parts = value === undefined || value === null ? [] : Arr.ensure(value)
  if (!parts.every((part) => typeof part === "string")) return malformed(header, "is not text")
  const joined = parts.join(", ")
  if (joined.length > maxHeaderLength) return malformed(header, `is longer than ${maxHeaderLength} characters`)
  const text = joined.trim()
  return text === "" ? Result.fail({ _tag: "NoSignature", header }) : Result.succeed(text)
}

export const timestampOf = (text: string | undefined): Checked<number> =>
  text !== undefined && canonicalDecimal.test(text) && Number.isSafeInteger(Number(text))
    ? Result.succeed(Number(text))
    : Result.fail({ _tag: "MalformedTimestamp" })

export const withinTolerance = (timestamp: number, { now, toleranceSeconds = 300 }: Freshness): Checked<void> => {
  if (!Number.isFinite(now) || typeof toleranceSeconds !== "number" || !(toleranceSeconds >= 0)) {
    return Result.fail({ _tag: "InvalidClock" })
  }
  const age = Math.floor(now) - timestamp
  const diff = Math.abs(age)
  if (diff <= toleranceSeconds) return Result.void
  return Result.fail({ _tag: age > 0 ? "TimestampTooOld" : "TimestampTooNew", diff, tolerance: toleranceSeconds })
}

export const bodyBytes = (body: RawBody): Checked<Uint8Array> => {
  if (isBytes(body)) return Result.succeed(body)
  return typeof body === "string" && !unpairedSurrogate.test(body)
    ? Result.succeed(utf8.encode(body))
    : Result.fail({ _tag: "UnreadableBody" })
}

/** Finds the first secret that made one of the candidates. */
export const match = ({ keys, timestamp, prefix, body, candidates }: Signed): Checked<Valid> => {
  if (candidates.length === 0) return Result.fail({ _tag: "MalformedSignature" })
  const found = keys
    .map((key) => mac(key, prefix, body))
    .map((expected) => candidates.filter((candidate) => equal(candidate, expected)).length)
  const secretIndex = found.findIndex((matches) => matches > 0)
  return secretIndex === -1
    ? Result.fail({ _tag: "SignatureMismatch" })
    : Result.succeed({ _tag: "Valid", secretIndex, timestamp })
}

export const mac = (key: Uint8Array, prefix: string, body: Uint8Array): Uint8Array =>
  hmac.create(sha256, key).update(utf8.encode(prefix)).update(body).digest()

/** What is signed, in one piece. */
export const signedBytes = (prefix: string, body: Uint8Array): Uint8Array => {
  const head = utf8.encode(prefix)
  const bytes = new Uint8Array(head.length + body.length)
  bytes.set(head)
  bytes.set(body, head.length)
  return bytes
}

export const malformed = (header: string, detail: string): Checked<never> =>
  Result.fail({ _tag: "MalformedHeader", header, detail })

export const verdict = (checked: Checked<Valid>): Verification => Result.merge(checked)

export const orCannotSign = <A>(checked: Checked<A>): A =>
  Result.getOrThrowWith(checked, (reason) => new CannotSign({ reason }))

const maxHeaderLength = 2048
const canonicalDecimal = /^(?:0|[1-9][0-9]*)$/
const unpairedSurrogate = /[\uD800-\uDFFF]/u // with the flag, a pair is one character and does not match
const utf8 = new TextEncoder()

const weakness = (secretIndex: number | undefined, detail: string): Rejection => ({
  _tag: "WeakSecret",
  secretIndex,
  detail
})

const weak = (secretIndex: number | undefined, detail: string): Checked<never> =>
  Result.fail(weakness(secretIndex, detail))

// a `Redacted` that was wiped throws when it is read
export const revealed = (secret: Secret): string | undefined =>
  Redacted.isRedacted(secret) ? Result.getOrUndefined(Result.try(() => Redacted.value(secret))) : secret

const equal = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.reduce((seen, byte, at) => seen | (byte ^ (right[at] ?? 0)), 0) === 0
