/** Proving who sent a webhook: the schemes a receiver can check, and the verdict over those that a delivery carries. */
import type { Signature } from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Arr from "effect/Array"
import * as Result from "effect/Result"
import * as Ezthrottle from "../wire/EzthrottleSignature.ts"
import * as L8 from "../wire/L8.ts"
import * as L8Delivery from "../wire/L8Delivery.ts"
import type { Freshness, HeaderValue, Secrets, Verification } from "../wire/Signature.ts"
import * as Standard from "../wire/StandardWebhooks.ts"
import * as StandardKeys from "../wire/StandardWebhooksKeys.ts"

/**
 * Whom a receiver trusts. At least one of the three; any that is set may prove a delivery.
 *
 * @category models
 * @since 0.1.0
 */
export interface Trust {
  /**
   * Shared secrets, several during a rotation. They prove `X-EZThrottle-Signature`, and the `v1` of Standard Webhooks
   * where they are base64 of at least 24 bytes.
   */
  readonly secrets?: Secrets | undefined
  /** Public keys for the `v1a` of Standard Webhooks, each `whpk_` and base64. */
  readonly publicKeys?: string | ReadonlyArray<string> | undefined
  /** Public keys of L8 senders, each base64, proved in a handshake or copied from their `/.well-known/l8`. */
  readonly l8PublicKeys?: string | ReadonlyArray<string> | undefined
}

export type HeaderOf = (name: string) => HeaderValue

type Scheme = (
  header: HeaderOf,
  body: Uint8Array,
  freshness: Freshness
) => Effect.Effect<Verification, never, Signature>

/** Each with the header that shows its use. */
export type Schemes = ReadonlyArray<readonly [header: string, Scheme]>

/** The schemes that were set up; fails with what makes one of them useless. */
export const schemesOf = (trust: Trust): Result.Result<Schemes, string> =>
  Result.gen(function* () {
    const { secrets, publicKeys, l8PublicKeys } = trust
    const schemes: Array<readonly [string, Scheme]> = []
    if (secrets !== undefined && isSet(secrets)) {
      const empty = { header: "t=1,v1=", body: "", secrets, now: 1 }
      const [own, standard] = [Ezthrottle.verify(empty), Standard.verify({ ...noHeaders, ...empty })]
      if (own._tag === "WeakSecret") return yield* Result.fail(`secrets: one ${own.detail}`)
      schemes.push([
        Ezthrottle.headerName,
        (header, body, freshness) =>
          Effect.sync(() => Ezthrottle.verify({ header: header(Ezthrottle.headerName), body, secrets, ...freshness }))
      ])
      if (standard._tag !== "WeakSecret") {
        schemes.push([
          standardHeader,
          (header, body, freshness) =>
            Effect.sync(() => Standard.verify({ ...standardHeaders(header), body, secrets, ...freshness }))
        ])
      }
    }
    if (publicKeys !== undefined && isSet(publicKeys)) {
      for (const key of Arr.ensure(publicKeys)) {
        yield* Result.mapError(StandardKeys.publicKey(key), (problem) => `publicKeys: one ${problem}`)
      }
      schemes.push([
        standardHeader,
        (header, body, freshness) => StandardKeys.verify({ ...standardHeaders(header), body, publicKeys, ...freshness })
      ])
    }
    if (l8PublicKeys !== undefined && isSet(l8PublicKeys)) {
      const trusted = yield* Result.mapError(
        Result.all(Arr.ensure(l8PublicKeys).map((key) => L8.publicKey(key))),
        ({ problem }) => `l8PublicKeys: one ${problem}`
      )
      schemes.push([
        L8Delivery.headerNames.signature,
        (header, body, freshness) =>
          L8Delivery.verify({
            deliveryId: header(L8Delivery.headerNames.deliveryId),
            timestamp: header(L8Delivery.headerNames.timestamp),
            keyId: header(L8Delivery.headerNames.keyId),
            signature: header(L8Delivery.headerNames.signature),
            body,
            trusted,
            ...freshness
          })
      ])
    }
    return schemes.length === 0
      ? yield* Result.fail("set secrets, publicKeys or l8PublicKeys: without them anybody could send events")
      : schemes
  })

/** The first scheme that proves the delivery, else the verdict of the first that it carries. */
export const verdict = Effect.fnUntraced(function* (
  schemes: Schemes,
  header: HeaderOf,
  body: Uint8Array,
  freshness: Freshness
): Effect.fn.Return<Verification, never, Signature> {
  let first: Verification | undefined
  for (const [name, scheme] of schemes) {
    if (!isSet(header(name))) continue
    const verification = yield* scheme(header, body, freshness)
    if (verification._tag === "Valid") return verification
    // that a v1 is missing says nothing where a v1a is there to be judged
    if (first === undefined || first._tag === "MissingV1") first = verification
  }
  return first ?? { _tag: "NoSignature", header: schemes[0]?.[0] ?? Ezthrottle.headerName }
})

/** Whether a delivery carries a signature that could be checked, so that its body is worth reading. */
export const carries = (schemes: Schemes, header: HeaderOf): boolean => schemes.some(([name]) => isSet(header(name)))

const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0)

const standardHeader = "webhook-signature"

const standardHeaders = (header: HeaderOf) => ({
  id: header("webhook-id"),
  timestamp: header("webhook-timestamp"),
  signature: header(standardHeader)
})

const noHeaders = { id: "a", timestamp: "1", signature: "v1," }
