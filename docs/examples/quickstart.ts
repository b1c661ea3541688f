/** Every example, live, against a target that misbehaves. Ends with 1 unless every promise held. */
import { main } from "./support/Scene.ts"
import awaitJob from "./await-job.ts"
import cron from "./cron.ts"
import deadline from "./deadline.ts"
import fallbackOnError from "./fallback-on-error.ts"
import fallbackOnTimeout from "./fallback-on-timeout.ts"
import fanout from "./fanout.ts"
import forward from "./forward.ts"
import idempotency from "./idempotency.ts"
import interruption from "./interruption.ts"
import jobChain from "./job-chain.ts"
import jobFallbacks from "./job-fallbacks.ts"
import jobRace from "./job-race.ts"
import onFailure from "./on-failure.ts"
import onSuccess from "./on-success.ts"
import pace from "./pace.ts"
import performance from "./performance.ts"
import promise from "./promise.ts"
import race from "./race.ts"
import reroute from "./reroute.ts"
import restart from "./restart.ts"
import retryAfter from "./retry-after.ts"
import retry from "./retry.ts"
import schedules from "./schedules.ts"
import success from "./success.ts"
import webhookSignature from "./webhook-signature.ts"
import webhooks from "./webhooks.ts"

main([
  // called from here, forwarded when that fails
  success,
  retry,
  retryAfter,
  schedules,
  race,
  fanout,
  reroute,
  fallbackOnError,
  fallbackOnTimeout,
  onSuccess,
  onFailure,
  deadline,
  interruption,
  forward,
  // handed over, and run by the dam
  performance,
  awaitJob,
  jobRace,
  jobFallbacks,
  jobChain,
  idempotency,
  webhooks,
  webhookSignature,
  pace,
  restart,
  cron,
  promise
])
