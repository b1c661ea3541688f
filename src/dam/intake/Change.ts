/**
 * Changes of a job that waits, checked as a job is that is handed in: the fields, the limits, what each header may say.
 */
import * as Result from "effect/Result"
import { type HeaderValue, told } from "../../step/SecretHeader.ts"
import type { Priority, Step } from "../../step/StepModel.ts"
import { takenUp } from "../../step/TakenUp.ts"
import { changed } from "../../step/StepValue.ts"
import type { EgressPolicy } from "../egress/EgressPolicy.ts"
import type { StoredJob } from "../job/Job.ts"
import { accountOf } from "../job/LaneName.ts"
import { stepIn } from "./Body.ts"
import type { Limits } from "./Limits.ts"
import { badField, refused, type Refused } from "./Refusal.ts"
import * as SentHeaders from "./SentHeaders.ts"
import { breachOf, nodesOf } from "./Tree.ts"

/** What a change is checked by. */
export interface ChangeTerms {
  readonly limits: Limits
  readonly policy: EgressPolicy
  /** Epoch milliseconds. */
  readonly now: number
}

/** A change as it is given: what is left out stays as it is, `null` takes it away. */
export interface Given {
  readonly priority?: Priority | null
  readonly retry_at?: number | null
  /** Counted from now, in place of `retry_at`. */
  readonly delay_ms?: number
  readonly start_before?: number | null
  readonly body?: string | null
  readonly body_base64?: string
  /** By name; what is not named stays. */
  readonly headers?: Readonly<Record<string, string | null>>
}

/** The job as it is then, and whether it has another time; or what is wrong with the change. */
export const changedJob = (
  job: StoredJob,
  given: Given,
  terms: ChangeTerms
): Result.Result<{ readonly job: StoredJob; readonly isRetimed: boolean }, Refused> =>
  Result.flatMap(stepOf(job.step, given, terms), (step) => {
    const isRetimed = "retry_at" in given || "delay_ms" in given
    const breach = breachIn(step, terms)
    if (breach !== undefined) return Result.fail(breach)
    return Result.succeed({
      isRetimed,
      job: {
        ...job,
        step: SentHeaders.withoutAgreed(step),
        account: accountOf(job.keyScope, step.request.headers),
        notBefore: isRetimed ? step.retryAt : job.notBefore
      }
    })
  })

const breachIn = (step: Step, { limits, now }: ChangeTerms): Refused | undefined => {
  const { length } = JSON.stringify(step)
  if (length > limits.bodyBytes) {
    return refused(413, "body_too_large", `the job would be larger than ${limits.bodyBytes} bytes`)
  }
  const nodes = nodesOf(step, limits)
  return "_tag" in nodes ? nodes : breachOf(nodes, { limits, now, bodyBytes: length })
}

/** What is given is read as a job is, so that it is refused in the same words. */
const stepOf = (step: Step, given: Given, { limits, now, policy }: ChangeTerms): Result.Result<Step, Refused> => {
  const {
    body,
    body_base64: bytes,
    delay_ms: delay,
    headers = {},
    priority,
    retry_at: at,
    start_before: before
  } = given
  if (delay !== undefined && at !== undefined) {
    return Result.fail(badField("delay_ms", "is left out where there is a retry_at"))
  }
  if (bytes !== undefined && body !== undefined) {
    return Result.fail(badField("body_base64", "is left out where there is a body"))
  }
  const { method, url } = step.request
  const said: { [name: string]: unknown } = { url, method, headers: merged(told(step.request.headers), headers) }
  for (const [name, value] of Object.entries({ ...given, headers: undefined })) {
    if (value !== undefined && value !== null) said[name] = value
  }
  return Result.map(stepIn(said, { limits, policy, deniedAs: 422 }), (read) => {
    const isNewBody = body !== undefined || bytes !== undefined
    const after = changed(step, {
      request: { ...step.request, headers: read.request.headers, body: (isNewBody ? read : step).request.body },
      ...(priority === undefined ? {} : { priority: priority ?? undefined }),
      ...(before === undefined ? {} : { startBefore: before ?? undefined }),
      ...(at === undefined && delay === undefined ? {} : { retryAt: read.retryAt, delay: read.delay })
    })
    return takenUp(after, now)
  })
}

/** Headers with some set and some taken away, whatever the case of their names. */
const merged = (
  headers: Readonly<Record<string, HeaderValue>>,
  given: Readonly<Record<string, string | null>>
): { readonly [name: string]: HeaderValue } => {
  const named = new Set(Object.keys(given).map((name) => name.toLowerCase()))
  // a secret stays the name of one
  const kept = Object.entries(headers).filter(([name]) => !named.has(name.toLowerCase()))
  const set = Object.entries(given).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
  return Object.fromEntries([...kept, ...set])
}
