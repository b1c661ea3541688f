/** What a schedule may not say, beyond the rules of its fields. */
import type { TimingOptions } from "../../engine/schedule/Timing.ts"
import { faultIn } from "../../engine/schedule/TimingFault.ts"
import { badField, refused, type Refused } from "./Refusal.ts"
import type { TreeNode } from "./Tree.ts"

/** What is wrong with its times: the part of the expression, what is wrong with it, and what to write instead. */
export const breachOfTiming = (options: TimingOptions): Refused | undefined => {
  const fault = faultIn(options)
  if (fault === undefined) return undefined
  const { field, problem, reason } = fault
  const extra = reason === undefined ? undefined : { reason }
  return refused(400, "invalid_field", `${field}: ${problem}`, { field, extra })
}

/** What is good for one firing alone, also in a chain: the second would find what the first has started, or be too late. */
export const breachOfFirings = (nodes: ReadonlyArray<TreeNode>): Refused | undefined =>
  nodes.map(onceOnly).find((breach) => breach !== undefined)

const onceOnly = ({ at, step: { idempotency, retryAt, startBefore } }: TreeNode): Refused | undefined => {
  if (idempotency._tag === "Custom") {
    return badField(`job.${at}idempotent_key`, "is left out: each firing has a key of its own")
  }
  if (retryAt !== undefined) return badField(`job.${at}retry_at`, `is left out: ${oneMoment}; write delay_ms`)
  return startBefore === undefined ? undefined : badField(`job.${at}start_before`, `is left out: ${oneMoment}`)
}

const oneMoment = "it is one moment, and a schedule has many"
