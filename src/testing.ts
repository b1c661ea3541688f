/**
 * Tests in virtual time: a transport with two sides, scripted targets, an EZThrottle in memory, random steps,
 * signatures for the webhooks a test sends.
 *
 * @since 0.1.0
 */
export * as Arbitraries from "./testing/Arbitraries.ts"
export * as Call from "./testing/Call.ts"
export * as Faults from "./testing/Faults.ts"
export * as Script from "./testing/Script.ts"
export { createTestClient } from "./testing/TestClient.ts"
export type {
  FakeServicePromise,
  ReceivedDelegationPromise,
  ReceivedPromise,
  TestClient,
  TestClientOptions,
  Turnable
} from "./testing/TestClient.ts"
export { FakeService } from "./testing/FakeService.ts"
export type { FakeJob, FakeServiceOptions } from "./testing/FakeService.ts"
export type { ClearSecrets, FakeSecrets } from "./testing/FakeSecrets.ts"
export type { Meeting } from "./testing/Meeting.ts"
export { TestTransport } from "./testing/TestTransport.ts"
export type {
  Options as TestTransportOptions,
  ReceiptLike,
  Received,
  ReceivedDelegation
} from "./testing/TestTransport.ts"
export * as EzthrottleSignature from "./wire/EzthrottleSignature.ts"
export * as StandardWebhooks from "./wire/StandardWebhooks.ts"
export * as StandardWebhooksKeys from "./wire/StandardWebhooksKeys.ts"
