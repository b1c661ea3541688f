/**
 * Names a call, so that sending it twice can be told from sending two.
 *
 * Under HASH the name follows from the call itself and anybody can compute it; under UNIQUE it is drawn once per
 * execution. Which customer submits it is never part of a name: keys are scoped by whoever keeps them. As whom the target
 * is asked is, where the answer depends on it.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import * as Context from "effect/Context"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Random from "effect/Random"

/**
 * The parts of a call that its HASH key is computed from.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  /** As it is sent, upper-case by custom; `get` and `GET` are different methods. */
  readonly method: string
  /** As it is sent; nothing is normalised. */
  readonly url: string
  /** Text counts as its UTF-8 bytes. */
  readonly body: string | Uint8Array | undefined
  /** The credentials among them count where a call answers its caller. Defaults to none. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/**
 * Names of headers, in lower case, that say as whom or for which tenant a call is made.
 *
 * @category constants
 * @since 0.1.0
 */
export const credentials: ReadonlyArray<string> = [
  "authorization",
  "cookie",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
  "x-auth-token",
  "x-access-token",
  "private-token",
  "x-shopify-access-token",
  "x-amz-access-token",
  "x-figma-token",
  "stripe-account",
  "openai-organization",
  "openai-project",
  "client-id"
]

/**
 * Computes the HASH key of a call: a SHA-256 as 64 lower-case hexadecimal digits.
 *
 * **Details** — the hashed bytes are method, URL and body, in this order, each preceded by its length in bytes as
 * decimal digits and a colon. `POST` to `https://a.example/` with the body `hi` hashes
 * `4:POST18:https://a.example/2:hi`, which any language reproduces in a line. A call with GET, HEAD or OPTIONS is answered
 * to whoever makes it, so the credentials among its headers follow in the same way: for each, in the order of their
 * names, the name in lower case and the value. Without any it is the same hash as ever.
 * **Gotchas** — a call without a body and one with an empty body are the same call (`0:`), as they are on the wire.
 * Other headers and metadata do not take part. `more` names headers that are credentials beside {@link credentials}.
 *
 * @category keys
 * @since 0.1.0
 */
export const hash = (call: Call, more?: ReadonlyArray<string>): string => {
  const { body = "", headers = {}, method, url } = call
  const hasher = sha256.create()
  const holders = answersItsCaller(method) ? credentialsIn(headers, more).flat() : []
  for (const field of [method, url, body, ...holders]) {
    const bytes = typeof field === "string" ? encoder.encode(field) : field
    hasher.update(encoder.encode(`${bytes.length}:`)).update(bytes)
  }
  return Hex.encode(hasher.digest())
}

/**
 * The credentials among the headers of a call, in the order of their names: name in lower case, and value.
 *
 * @category accessors
 * @since 0.1.0
 */
export const credentialsIn = (
  headers: Readonly<Record<string, string>>,
  more: ReadonlyArray<string> = []
): ReadonlyArray<readonly [name: string, value: string]> => {
  const found: Array<readonly [string, string]> = []
  for (const name in headers) {
    const lower = name.toLowerCase()
    if (known.has(lower) || more.some((one) => one.toLowerCase() === lower)) found.push([lower, headers[name] ?? ""])
  }
  return found.length < 2 ? found : found.toSorted((self, that) => (self.join(":") < that.join(":") ? -1 : 1))
}

/**
 * Tells whether the credentials of a call with this method are part of its HASH key: GET, HEAD and OPTIONS.
 *
 * @category keys
 * @since 0.1.0
 */
export const answersItsCaller = (method: string): boolean => asking.has(method.toUpperCase())

const asking: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"])

const known: ReadonlySet<string> = new Set(credentials)

/**
 * Draws the UUID (version 4) that a UNIQUE step is known by.
 *
 * **Details** — the bytes come from the platform's secure source, read from the `WebCrypto` reference; browsers have
 * it too. A program that provides its own `Random`, as `Random.withSeed` does, gets its keys from there and so the
 * same keys on every run.
 * **Gotchas** — seeding production code repeats keys, and a repeated key is a call that is not made.
 *
 * @category keys
 * @since 0.1.0
 */
export const freshKey: Effect.Effect<string> = Effect.gen(function* () {
  const random = yield* Random.Random
  const crypto = yield* WebCrypto.WebCrypto
  return uuidOf(isSeeded(random) ? drawnFrom(random) : crypto.getRandomValues(new Uint8Array(16)))
})

/**
 * Tells whether a method may change something at the target, so that repeating it needs a key.
 *
 * **Details** — all methods but GET, HEAD, OPTIONS and TRACE, in any case. PUT and DELETE count as unsafe.
 *
 * @category keys
 * @since 0.1.0
 */
export const isUnsafe = (method: string): boolean => !safe.has(method.toUpperCase())

const safe: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"])

const encoder = new TextEncoder()

// The default is `Math.random`, too weak where two processes may start from one memory image.
const isSeeded = (random: Random.Random): boolean => random !== Context.get(Context.empty(), Random.Random)

const drawnFrom = (random: Random.Random): Uint8Array =>
  Uint8Array.from({ length: 16 }, () => Math.floor(random.nextDoubleUnsafe() * 256))

// Effect's `SecureRandom` formats one too, together with every other kind of id: 1.2 kB of the facade's bundle
const uuidOf = (bytes: Uint8Array): string => {
  const versioned = bytes.map((byte, at) => (at === 6 ? (byte & 0x0f) | 0x40 : at === 8 ? (byte & 0x3f) | 0x80 : byte))
  return Hex.encode(versioned).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}
