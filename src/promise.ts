/**
 * The official Node SDK's surface over the interpreter of this package, for programs made of promises.
 *
 * @since 0.1.0
 */
export { EZThrottle, EZThrottle as default } from "./promise/EZThrottle.ts"
export type { AwaitJobOptions, QueueAndWaitOptions, QueueOptions, RequestOptions } from "./promise/EZThrottle.ts"
export type { EZThrottleOptions } from "./promise/ClientOptions.ts"
export { EZThrottleError, RateLimitError, TimeoutError, WebhookVerificationError } from "./promise/Errors.ts"
export type { ErrorDetails } from "./promise/Errors.ts"
export { executeWithForwarding, ForwardToEZThrottle, withAutoForward } from "./promise/Forwarding.ts"
export type { Forwarded, ForwardRequest } from "./promise/Forwarding.ts"
export type { BodyOptions } from "./promise/Bodies.ts"
export type { HeadersOptions, MetadataOptions } from "./promise/Given.ts"
export type {
  ChangeJobOptions,
  DrawOptions,
  FallbackJobOptions,
  JobOptions,
  OrderOptions,
  RetryPolicyOptions,
  WebhookOptions
} from "./promise/JobOptions.ts"
export type { BulkOptions, BulkResult, SubmitAllOptions } from "./promise/All.ts"
export type { CredentialOptions, CredentialView, OrderView } from "./promise/Kept.ts"
export type { ListFailuresOptions, ListJobsOptions } from "./promise/Listing.ts"
export type { SubmitCount, SubmitManyOptions } from "./promise/Many.ts"
export type {
  FailureList,
  JobAnswer,
  JobExplanation,
  BatchView,
  JobView,
  LocalFailure,
  LocalSuccess,
  QueueResult,
  SecretAnswer,
  SecretsView,
  StepResult
} from "./promise/Results.ts"
export type { CallOptions, Runtime } from "./promise/Running.ts"
export type { ScheduleOptions, ScheduleView } from "./promise/Schedules.ts"
export { IdempotentStrategy, Step, StepType } from "./promise/Step.ts"
export type { FallbackOptions, StepConstructor } from "./promise/Step.ts"
export {
  tryVerifyWithSecrets,
  verifyWebhookSignature,
  verifyWebhookSignatureStrict
} from "./promise/WebhookSignature.ts"
export type { VerificationResult } from "./promise/WebhookSignature.ts"
export type { JobResult, ResultSource } from "./run/Service.ts"
export type { ExecutionMode, RegionPolicy } from "./step/StepModel.ts"
