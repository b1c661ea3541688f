import type { Step } from "./StepModel.ts"
import { makeStep } from "./StepValue.ts"

/**
 * Gives a fallback what it does not set itself of its parent's type, webhooks (with their quorum) and chain. What its
 * parent draws on it does not take over: it calls another host.
 *
 * @category verbs
 * @since 0.1.0
 */
export const inherit = (fallback: Step, parent: Step): Step =>
  makeStep({
    ...fallback,
    type: fallback.type ?? parent.type,
    webhooks: fallback.webhooks.length > 0 ? fallback.webhooks : parent.webhooks,
    webhookQuorum: fallback.webhooks.length > 0 ? fallback.webhookQuorum : parent.webhookQuorum,
    onSuccess: fallback.onSuccess ?? parent.onSuccess,
    onFailure: fallback.onFailure ?? parent.onFailure
  })
