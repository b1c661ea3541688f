/**
 * Verifying and reading webhooks, on every runtime that has `TextEncoder` and `TextDecoder`: Node, Deno, Bun, browsers and workers.
 *
 * @since 0.1.0
 */
export { authenticate, headerName, verify } from "./wire/EzthrottleSignature.ts"
export type { Delivery } from "./wire/EzthrottleSignature.ts"
export { explain, Rejection, SignatureRejected } from "./wire/Signature.ts"
export type { HeaderValue, RawBody, Secret, Secrets, Valid, Verification, Freshness } from "./wire/Signature.ts"
export {
  authenticate as authenticateStandardWebhook,
  verify as verifyStandardWebhook
} from "./wire/StandardWebhooks.ts"
export type { Delivery as StandardDelivery } from "./wire/StandardWebhooks.ts"
export { decode as decodeEvent, InvalidWebhookEvent } from "./wire/WebhookEvent.ts"
export type { Dialect, WebhookEvent } from "./wire/WebhookEvent.ts"
