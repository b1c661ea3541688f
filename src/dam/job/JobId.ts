/**
 * The ids of jobs: sortable by time, unguessable, safe in a URL.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"

/**
 * Draws an id: `job_`, then 10 digits of time and 16 of chance, in Crockford's base 32.
 *
 * **Details** — 80 bits come from the platform's secure source, read from the `WebCrypto` reference.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fresh: Effect.Effect<string> = Effect.withFiber((fiber) =>
  Effect.succeed(at(fiber.getRef(Clock.Clock).currentTimeMillisUnsafe(), fiber.getRef(WebCrypto.WebCrypto)))
)

/** Draws the id of a moment. */
export const at = (millis: number, crypto: Pick<Crypto, "getRandomValues">): string => {
  let time = ""
  for (let left = Math.trunc(millis), digit = 0; digit < TIME_DIGITS; digit++) {
    time = ALPHABET.charAt(left % 32) + time
    left = Math.floor(left / 32)
  }
  const pool = poolOf(crypto)
  let chance = ""
  for (let digit = 0; digit < CHANCE_DIGITS; digit++) chance += ALPHABET.charAt((pool.bytes[pool.used++] ?? 0) & 31)
  return `job_${time}${chance}`
}

/** Bytes drawn ahead: asking the source costs more than all the rest. No byte is used twice. */
interface ChancePool {
  readonly bytes: Uint8Array<ArrayBuffer>
  used: number
}

const pools = new WeakMap<object, ChancePool>()

const poolOf = (crypto: Pick<Crypto, "getRandomValues">): ChancePool => {
  const known = pools.get(crypto)
  if (known !== undefined && known.used < known.bytes.length) return known
  const pool = { bytes: crypto.getRandomValues(known?.bytes ?? new Uint8Array(256 * CHANCE_DIGITS)), used: 0 }
  pools.set(crypto, pool)
  return pool
}

/**
 * Tells whether a text can be the id of a job, so that nothing else is looked up.
 *
 * @category guards
 * @since 0.1.0
 */
export const isId = (text: string): boolean => ID.test(text)

const TIME_DIGITS = 10
const CHANCE_DIGITS = 16
// no i, l, o and u, which are misread
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
const ID = /^job_[0-9a-hjkmnp-tv-z]{26}$/
