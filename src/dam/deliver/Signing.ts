/**
 * The headers that prove where a delivery comes from: EZThrottle's own, and those of Standard Webhooks beside it.
 *
 * `webhook-id` is the id of the job: a job has one result, so whoever remembers the id takes each result once, however
 * often, to however many of his URLs and by whatever replay it is told.
 *
 * @since 0.1.0
 */
import type { Signature } from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { randomBytes } from "node:crypto"
import * as Ed25519 from "../../wire/Ed25519.ts"
import * as EzthrottleSignature from "../../wire/EzthrottleSignature.ts"
import * as StandardWebhooks from "../../wire/StandardWebhooks.ts"
import * as StandardWebhooksKeys from "../../wire/StandardWebhooksKeys.ts"
import type { StoredDelivery } from "../job/Delivery.ts"
import type { SecretPort, StoredSecrets } from "../store/SecretRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import { StorageFailed } from "../store/StoreError.ts"

/**
 * Signs deliveries with a key pair of the dam.
 *
 * @category models
 * @since 0.1.0
 */
export interface Signer {
  /** To be given to receivers: `whpk_` and base64. */
  readonly publicKey: string
  /** Puts the signature of the key pair behind those of the shared secrets. */
  readonly sign: (
    id: string,
    timestamp: number,
    body: Uint8Array,
    also: StandardHeaders | undefined
  ) => Effect.Effect<StandardHeaders>
}

type StandardHeaders = ReturnType<typeof StandardWebhooks.sign>
type Headers = Readonly<Record<string, string>>

/** Where the store keeps the key. */
const setting = "webhook_key"

/**
 * The signer of a dam; its key is made at the first start and kept in the store.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (store: SecretPort): Effect.Effect<Signer, StoreError> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Signature>()
    const kept = yield* store.setting(setting)
    const text = kept ?? `whsk_${Base64.encode(new Uint8Array(randomBytes(32)))}`
    const key = yield* StandardWebhooksKeys.signingKey(Redacted.make(text)).pipe(
      Effect.mapError(({ message }) => new StorageFailed({ detail: `its key for webhooks: ${message}` }))
    )
    if (kept === undefined) yield* store.putSecrets([], [[setting, text]])
    return {
      publicKey: StandardWebhooksKeys.publicKeyOf(key),
      sign: (id: string, timestamp: number, body: Uint8Array, also: StandardHeaders | undefined) =>
        StandardWebhooksKeys.sign({ id, body, keys: [key], timestamp }, also).pipe(
          Effect.provideContext(context),
          Effect.orDie
        )
    }
  }).pipe(Effect.provide(Ed25519.layer))

/**
 * The headers of one attempt.
 *
 * **Details** — both shared secrets sign during a rotation, the primary's signature last. Standard Webhooks wants secrets
 * that are base64 of at least 24 bytes; one that is not signs EZThrottle's header only.
 *
 * @category signing
 * @since 0.1.0
 */
export const headers = (
  { body, jobId }: StoredDelivery,
  secrets: StoredSecrets | undefined,
  at: number,
  signer: Signer | undefined
): Effect.Effect<Headers> =>
  Effect.suspend(() => {
    const timestamp = Math.floor(at / 1000)
    const shared = secrets === undefined ? [] : [secrets.primary, ...(secrets.secondary ? [secrets.secondary] : [])]
    const standard = shared.filter(isStandard)
    const own: Headers =
      shared.length === 0
        ? {}
        : { [EzthrottleSignature.headerName]: EzthrottleSignature.sign({ body, secrets: shared, timestamp }) }
    const also =
      standard.length === 0 ? undefined : StandardWebhooks.sign({ id: jobId, body, secrets: standard, timestamp })
    if (signer === undefined) {
      return Effect.succeed({ ...own, ...(also ?? { "webhook-id": jobId, "webhook-timestamp": String(timestamp) }) })
    }
    return Effect.map(signer.sign(jobId, timestamp, body, also), (signed) => ({ ...own, ...signed }))
  })

const isStandard = (secret: Redacted.Redacted): boolean => {
  const text = Redacted.value(secret)
  const bytes = Base64.decode(text.startsWith("whsec_") ? text.slice(6) : text)
  return Result.isSuccess(bytes) && bytes.success.length >= 24
}
