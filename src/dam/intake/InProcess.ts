/** The way in for steps of the same process: values instead of bytes, and nobody else's. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Step } from "../../step/StepModel.ts"
import { makeStep } from "../../step/StepValue.ts"
import type { Delegation } from "../../transport/HttpTransport.ts"
import * as IntakeId from "../job/JobId.ts"
import { localCustomer } from "../job/JobKey.ts"
import { newJob } from "../job/NewJob.ts"
import { breachOfDraws, type KnownLimits } from "./Draws.ts"
import type { Limits } from "./Limits.ts"
import { refused, type Refused } from "./Refusal.ts"
import * as SentHeaders from "./SentHeaders.ts"
import { breachOf, breachOfSending, nodesOf } from "./Tree.ts"

/** What the limits of intake have against a step. */
export const breachIn = (step: Step, limits: Limits, now: number): Refused | undefined => {
  const { body = "" } = step.request
  const bodyBytes = typeof body === "string" ? Buffer.byteLength(body) : body.length
  if (bodyBytes > limits.bodyBytes) {
    return refused(413, "body_too_large", `the body is larger than ${limits.bodyBytes} bytes`)
  }
  const nodes = nodesOf(step, limits)
  // what is measured only where the whole is large enough is measured here in any case
  return "_tag" in nodes ? nodes : breachOf(nodes, { limits, now, bodyBytes: Number.MAX_SAFE_INTEGER })
}

/** A limit that nobody has defined cannot be drawn on, limits of intake or not. */
export const breachOfLimits = (step: Step, known: KnownLimits): Refused | undefined => {
  const nodes = nodesOf(step, { treeDepth: Infinity, treeNodes: Infinity })
  return "_tag" in nodes ? nodes : breachOfDraws(nodes, known)
}

/** What cannot be sent cannot be sent from anywhere, limits or not. */
export const breachOfTree = (step: Step): Refused | undefined => {
  const nodes = nodesOf(step, { treeDepth: Infinity, treeNodes: Infinity })
  if ("_tag" in nodes) return nodes
  for (const node of nodes) {
    const breach = breachOfSending(node.step, node.at)
    if (breach !== undefined) return breach
  }
  return undefined
}

/** A step as a job of the customer that an embedded dam has. */
export const jobOf = Effect.fnUntraced(function* (
  { key, retryAt, step, traceparent }: Delegation,
  credentials: ReadonlyArray<string> | undefined
) {
  const notBefore = Math.max(step.retryAt ?? 0, retryAt ?? 0)
  return newJob({
    id: yield* IntakeId.fresh,
    at: yield* Clock.currentTimeMillis,
    customer: localCustomer,
    dialect: "cloud",
    keyScope: localCustomer,
    step: SentHeaders.withoutAgreed(makeStep({ ...step, retryAt: notBefore === 0 ? undefined : notBefore })),
    key,
    credentials,
    isolated: false,
    traceparent
  })
})
