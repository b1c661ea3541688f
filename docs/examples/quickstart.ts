/** Every example, live, against a target that misbehaves. Ends with 1 unless every promise held. */
import { main } from "./support/Scene.ts"
import awaitJob from "./await-job.ts"
import deadline from "./deadline.ts"
import fallbackOnError from "./fallback-on-error.ts"
import fallbackOnTimeout from "./fallback-on-timeout.ts"
import fanout from "./fanout.ts"
import forward from "./forward.ts"
import idempotency from "./idempotency.ts"
import interruption from "./interruption.ts"
import onFailure from "./on-failure.ts"
import onSuccess from "./on-success.ts"
import performance from "./performance.ts"
import promise from "./promise.ts"
import race from "./race.ts"
import reroute from "./reroute.ts"
import retryAfter from "./retry-after.ts"
import retry from "./retry.ts"
import success from "./success.ts"
import webhookSignature from "./webhook-signature.ts"
import webhooks from "./webhooks.ts"

main([
  success,
  retry,
  retryAfter,
  race,
  fanout,
  reroute,
  fallbackOnError,
  fallbackOnTimeout,
  forward,
  performance,
  awaitJob,
  onSuccess,
  onFailure,
  idempotency,
  webhooks,
  webhookSignature,
  deadline,
  interruption,
  promise
])
