/**
 * The signature that EZThrottle puts on a delivery: `X-EZThrottle-Signature: t=<unix seconds>,v1=<hex>`.
 *
 * `v1` is the HMAC-SHA256, as 64 hexadecimal digits of either case, of the bytes `{t}.{raw body}` under the secret's
 * UTF-8 bytes. The header is a list of `name=value` items parted by commas, white space around an item being free:
 *
 * - every item has a name of letters, digits, `_` or `-`, and a `=`; a value may contain further `=`. One item that is
 *   not built so, an empty one included, spoils the header;
 * - `t` occurs exactly once, so a header that was sent twice and joined is refused;
 * - `v1` occurs at least once; names that are not known are passed over, for schemes to come.
 *
 * A secret has at least 16 bytes: the service stores no shorter one, so a shorter one can only be a mistake. What holds
 * beyond this scheme (order of checks, tolerance, comparison) is written down in `SignedMessage.ts`.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Result from "effect/Result"
import { accept } from "./SignatureModel.ts"
import type {
  HeaderValue,
  RawBody,
  Secrets,
  SignatureRejected,
  Valid,
  Verification,
  Freshness
} from "./SignatureModel.ts"
import * as SignedMessage from "./SignedMessage.ts"

/**
 * The name of the header, in the spelling of the protocol.
 *
 * @category models
 * @since 0.1.0
 */
export const headerName = "X-EZThrottle-Signature"

/**
 * A delivery as it arrived, and the secrets it may be signed with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delivery {
  /** The value of `X-EZThrottle-Signature`. */
  readonly header: HeaderValue
  /** The body exactly as received; parsing and printing it again changes its bytes. */
  readonly body: RawBody
  /** The secrets this receiver accepts, the primary first, each of at least `minSecretBytes`. */
  readonly secrets: Secrets
  /** The shortest secret accepted, in bytes. Defaults to `16`; an empty secret is never accepted. */
  readonly minSecretBytes?: number | undefined
}

/**
 * What {@link sign} needs to know.
 *
 * @category models
 * @since 0.1.0
 */
export interface SignOptions {
  /** The body exactly as it will be sent. */
  readonly body: RawBody
  /** The secrets to sign with, the primary first, each of at least 16 bytes. */
  readonly secrets: Secrets
  /** Unix time in whole seconds. */
  readonly timestamp: number
}

/**
 * Checks the signature of a delivery against the clock of the running program.
 *
 * **When to use** — in an Effect program; the time comes from `Clock`, so a test can turn it.
 * **Details** — fails with `SignatureRejected`, whose `reason` is the verdict of {@link verify}.
 *
 * @category verifying
 * @since 0.1.0
 */
export const authenticate = (
  delivery: Delivery & Pick<Freshness, "toleranceSeconds">
): Effect.Effect<Valid, SignatureRejected> =>
  Effect.flatMap(Clock.currentTimeMillis, (millis) => accept(verify({ ...delivery, now: millis / 1000 })))

/**
 * Checks the signature of a delivery at a given time, synchronously, and answers a verdict.
 *
 * **When to use** — outside of Effect, or where the time of a recorded delivery is known.
 * **Details** — any of the secrets may match any `v1` of the header; `secretIndex` of `Valid` says which secret did.
 * **Gotchas** — give the raw body. Text decoded from bytes that were not UTF-8 does not verify, on purpose.
 *
 * @category verifying
 * @since 0.1.0
 */
export const verify = ({
  header,
  body,
  secrets,
  minSecretBytes = defaultMinSecretBytes,
  ...freshness
}: Delivery & Freshness): Verification =>
  SignedMessage.verdict(
    Result.gen(function* () {
      const text = yield* SignedMessage.headerText(headerName, header)
      const keys = yield* SignedMessage.keysOf(secrets, keyOf(minSecretBytes))
      const items = yield* itemsOf(text)
      const signatures = valuesOf(items, "v1")
      if (signatures.length === 0) return yield* Result.fail({ _tag: "MissingV1" } as const)
      const times = valuesOf(items, "t")
      const timestamp = yield* SignedMessage.timestampOf(times.length === 1 ? times[0] : undefined)
      yield* SignedMessage.withinTolerance(timestamp, freshness)
      return yield* SignedMessage.match({
        keys,
        timestamp,
        prefix: `${timestamp}.`,
        body: yield* SignedMessage.bodyBytes(body),
        candidates: signatures.filter((signature) => hexMac.test(signature)).map(bytesOf)
      })
    })
  )

/**
 * Signs a body and returns the value of the `X-EZThrottle-Signature` header.
 *
 * **Details** — one `v1` for each secret, the primary's last, because the official verifiers keep only the last.
 * **Gotchas** — throws `CannotSign` on what no receiver would accept: no secret, a secret below 16 bytes, a timestamp
 * that is not a whole number of seconds, text without a UTF-8 form.
 *
 * @category signing
 * @since 0.1.0
 */
export const sign = ({ body, secrets, timestamp }: SignOptions): string => {
  const keys = SignedMessage.orCannotSign(SignedMessage.keysOf(secrets, keyOf(defaultMinSecretBytes)))
  const seconds = SignedMessage.orCannotSign(SignedMessage.timestampOf(String(timestamp)))
  const bytes = SignedMessage.orCannotSign(SignedMessage.bodyBytes(body))
  const signatures = keys.map((key) => `v1=${Hex.encode(SignedMessage.mac(key, `${seconds}.`, bytes))}`)
  return [`t=${seconds}`, ...signatures.toReversed()].join(",")
}

interface Item {
  readonly name: string
  readonly value: string
}

const itemsOf = (text: string): SignedMessage.Checked<ReadonlyArray<Item>> =>
  Result.all(
    text.split(",").map((part) => {
      const [, name, value] = itemPattern.exec(part.trim()) ?? []
      return name === undefined || value === undefined
        ? SignedMessage.malformed(headerName, "holds an item that is not built as name=value")
        : Result.succeed({ name, value })
    })
  )

const valuesOf = (items: ReadonlyArray<Item>, name: string): ReadonlyArray<string> =>
  items.filter((item) => item.name === name).map((item) => item.value)

const keyOf =
  (minSecretBytes: number): SignedMessage.KeyOf =>
  (text) => {
    const key = new TextEncoder().encode(text)
    return key.length < minSecretBytes ? Result.fail(`is shorter than ${minSecretBytes} bytes`) : Result.succeed(key)
  }

const defaultMinSecretBytes = 16
const itemPattern = /^([A-Za-z0-9_-]+)=(.*)$/s
const hexMac = /^[0-9a-fA-F]{64}$/

// of nothing but hexadecimal digits, an even number of them
const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16))
