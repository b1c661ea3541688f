/**
 * Receiving webhooks, or only verifying and reading them, on every runtime: Node, Deno, Bun, browsers and workers.
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
export {
  authenticate as authenticateStandardWebhookKeys,
  verify as verifyStandardWebhookKeys
} from "./wire/StandardWebhooksKeys.ts"
export type { Delivery as StandardKeysDelivery } from "./wire/StandardWebhooksKeys.ts"
export { layer as ed25519 } from "./wire/Ed25519.ts"
export { publicKey as l8PublicKey } from "./wire/L8.ts"
export { verify as verifyL8Delivery } from "./wire/L8Delivery.ts"
export type { Delivery as L8Delivery } from "./wire/L8Delivery.ts"
export { fetchHandler } from "./receive/FetchHandler.ts"
export type { FetchHandler } from "./receive/FetchHandler.ts"
export type { HandlerOptions } from "./receive/Detached.ts"
export { nodeListener } from "./receive/NodeListener.ts"
export type { IncomingMessageLike, NodeListener, ServerResponseLike } from "./receive/NodeListener.ts"
export { route } from "./receive/Route.ts"
export type { RouteOptions } from "./receive/Route.ts"
export * as EventStore from "./receive/EventStore.ts"
export * as Inbox from "./receive/Inbox.ts"
export * as MemoryEventStore from "./receive/MemoryEventStore.ts"
export * as Receiver from "./receive/Receiver.ts"
export * as SqlEventStore from "./receive/SqlEventStore.ts"
export type { Trust } from "./receive/Verify.ts"
