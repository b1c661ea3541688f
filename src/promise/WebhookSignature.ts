/**
 * Checks the signature of a webhook delivery, synchronously and in the words of the official SDK.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as EzthrottleSignature from "../wire/EzthrottleSignature.ts"
import type { HeaderValue, RawBody, Verification } from "../wire/SignatureModel.ts"
import { legacyReason, legacyReasonOfTwo } from "../wire/SignatureModel.ts"
import { WebhookVerificationError } from "./Errors.ts"

/**
 * Whether a delivery may be trusted, and why or why not.
 *
 * @category models
 * @since 0.1.0
 */
export interface VerificationResult {
  readonly verified: boolean
  /** `valid`, or what was wrong: `no_signature_header`, `signature_mismatch`, ... */
  readonly reason: string
}

/**
 * Checks a delivery against one secret.
 *
 * **Gotchas** — give the raw body, not JSON that was parsed and printed again.
 *
 * @category verifying
 * @since 0.1.0
 */
export const verifyWebhookSignature = (
  payload: RawBody,
  header: HeaderValue,
  secret: string,
  tolerance: number = 300
): VerificationResult => {
  const verdict = verify(payload, header, secret, tolerance)
  return { verified: verdict._tag === "Valid", reason: legacyReason(verdict) }
}

/**
 * Checks a delivery against one secret and throws `WebhookVerificationError` when it does not hold.
 *
 * @category verifying
 * @since 0.1.0
 */
export const verifyWebhookSignatureStrict = (
  payload: RawBody,
  header: HeaderValue,
  secret: string,
  tolerance: number = 300
): void => {
  const { reason, verified } = verifyWebhookSignature(payload, header, secret, tolerance)
  if (!verified) throw new WebhookVerificationError(`Webhook signature verification failed: ${reason}`)
}

/**
 * Checks a delivery against the primary secret and then the secondary, as a receiver does during a rotation.
 *
 * @category verifying
 * @since 0.1.0
 */
export const tryVerifyWithSecrets = (
  payload: RawBody,
  header: HeaderValue,
  primarySecret: string,
  secondarySecret?: string | null | undefined,
  tolerance: number = 300
): VerificationResult => {
  const primary = verify(payload, header, primarySecret, tolerance)
  // an empty secret proves nothing, so it counts as none
  const secondary = secondarySecret ? verify(payload, header, secondarySecret, tolerance) : undefined
  return {
    verified: primary._tag === "Valid" || secondary?._tag === "Valid",
    reason: legacyReasonOfTwo(primary, secondary)
  }
}

const verify = (body: RawBody, header: HeaderValue, secret: string, toleranceSeconds: number): Verification =>
  EzthrottleSignature.verify({
    body,
    header,
    secrets: secret,
    // the official functions take a secret of any length
    minSecretBytes: 1,
    now: Effect.runSync(Clock.currentTimeMillis) / 1000,
    toleranceSeconds
  })
