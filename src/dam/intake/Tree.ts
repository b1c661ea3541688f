/**
 * Measures a submitted tree of jobs against the limits. Pure.
 */
import * as Duration from "effect/Duration"
import * as StepRules from "../../step/StepRules.ts"
import type { Step } from "../../step/StepModel.ts"
import { badField, type Refused } from "./Refusal.ts"
import type { Limits } from "./Limits.ts"
import * as SentHeaders from "./SentHeaders.ts"

/** A job of the tree. */
export interface TreeNode {
  readonly step: Step
  /** The way to it in the protocol's spelling, such as `on_success.`; empty for the job itself. */
  readonly at: string
}

/** What the limits depend on besides the job. */
export interface Circumstances {
  readonly limits: Limits
  /** Epoch milliseconds. */
  readonly now: number
  /** Bytes of the whole body: nothing in it is larger. */
  readonly bodyBytes: number
}

/** Lists every job of the tree, or says that there are too many, or too deep. */
export const nodesOf = (
  root: Step,
  limits: Pick<Limits, "treeDepth" | "treeNodes">
): ReadonlyArray<TreeNode> | Refused => {
  const nodes: Array<TreeNode> = []
  let deepest = 0
  // the wire codec has bounded the nesting already, so that this can call itself
  const visit = (step: Step, at: string, level: number): void => {
    nodes.push({ step, at })
    deepest = Math.max(deepest, level)
    if (step.onSuccess !== undefined) visit(step.onSuccess, `${at}on_success.`, level + 1)
    if (step.onFailure !== undefined) visit(step.onFailure, `${at}on_failure.`, level + 1)
    // the whole line is one level
    for (const [index, fallback] of step.fallbacks.entries()) {
      visit(fallback.step, at + FALLBACK.repeat(index + 1), level + 1)
    }
  }
  visit(root, "", 1)
  if (deepest > limits.treeDepth) return tooDeep(`more than ${limits.treeDepth} levels of jobs`)
  return nodes.length > limits.treeNodes ? tooDeep(`more than ${limits.treeNodes} jobs`) : nodes
}

/** Finds the first limit that the tree breaks. */
export const breachOf = (nodes: ReadonlyArray<TreeNode>, where: Circumstances): Refused | undefined => {
  for (const node of nodes) {
    const breach = breachIn(node, where)
    if (breach !== undefined) return breach
  }
  const root = nodes[0]
  const broken = root && StepRules.check(root.step, true)
  return broken && badField(wireField(broken.field), broken.problem)
}

/** Tells what is wrong with a URL as a text, whatever it points to. */
export const breachOfUrl = (url: string, field: string, limits: Limits): Refused | undefined => {
  if (url.includes("\0")) return badField(field, "holds U+0000")
  return isLonger(url, limits.urlBytes) ? badField(field, `is longer than ${limits.urlBytes} bytes`) : undefined
}

const breachIn = ({ at, step }: TreeNode, where: Circumstances): Refused | undefined => {
  const { limits } = where
  return (
    breachOfUrl(step.request.url, `${at}url`, limits) ??
    breachOfMethod(step, at, limits) ??
    breachOfSending(step, at) ??
    breachOfHeaders(step, at, where) ??
    breachOfMetadata(step, at, where) ??
    breachOfWebhooks(step, at, limits) ??
    breachOfDraws(step, at, limits) ??
    breachOfRegions(step.regions, `${at}regions`, limits) ??
    breachOfCodes(step, at, limits) ??
    breachOfTimes(step, at, limits) ??
    breachOfCount(step.retryPolicy?.maxRetries, `${at}retry_policy.max_retries`, limits) ??
    breachOfCount(step.retryPolicy?.maxReroutes, `${at}retry_policy.max_reroutes`, limits) ??
    breachOfKey(step, at, limits) ??
    breachOfMoment(step.retryAt, `${at}retry_at`, where) ??
    breachOfMoment(step.startBefore, `${at}start_before`, where) ??
    breachOfDelay(step, at, limits)
  )
}

const breachOfMethod = ({ request: { method } }: Step, at: string, limits: Limits): Refused | undefined => {
  if (method.length > limits.methodLength) {
    return badField(`${at}method`, `is longer than ${limits.methodLength} characters`)
  }
  return TUNNELS.has(method) ? badField(`${at}method`, `${method} is not carried`) : undefined
}

/** Finds a header of one job that cannot be sent. */
export const breachOfSending = ({ request }: Step, at: string): Refused | undefined => {
  const fault = SentHeaders.faultIn(request)
  return fault && badField(`${at}headers.${fault.name}`, fault.problem, "invalid_header")
}

const breachOfCodes = ({ fallbacks, retryPolicy }: Step, at: string, limits: Limits): Refused | undefined => {
  const lists: ReadonlyArray<readonly [string, ReadonlyArray<number> | undefined]> = [
    ["retry_policy.retry_codes", retryPolicy?.retryCodes],
    ["retry_policy.reroute_codes", retryPolicy?.rerouteCodes],
    ...fallbacks.map(
      ({ trigger }, index) =>
        [`${FALLBACK.repeat(index + 1)}trigger.codes`, trigger._tag === "OnError" ? trigger.codes : undefined] as const
    )
  ]
  const long = lists.find(([, codes]) => codes !== undefined && codes.length > limits.codes)
  return long && badField(at + long[0], `are more than ${limits.codes}`)
}

const breachOfTimes = (step: Step, at: string, limits: Limits): Refused | undefined => {
  const { attemptTimeout, fallbacks, onFailureTimeout, totalTimeout } = step
  const { attemptMillis, deadlineMillis, triggerMillis } = limits
  const long = (
    [
      ["on_failure_timeout_ms", onFailureTimeout, deadlineMillis],
      ["total_timeout_ms", totalTimeout, deadlineMillis],
      ["attempt_timeout_ms", attemptTimeout, attemptMillis]
    ] as const
  ).find(([, length, most]) => length !== undefined && Duration.toMillis(length) > most)
  if (long !== undefined) return badField(at + long[0], `is longer than ${long[2]} ms`)
  const late = fallbacks.findIndex(
    ({ trigger }) => trigger._tag === "OnTimeout" && Duration.toMillis(trigger.after) > triggerMillis
  )
  return late < 0
    ? undefined
    : badField(`${at}${FALLBACK.repeat(late + 1)}trigger.timeout_ms`, `is longer than ${triggerMillis} ms`)
}

const breachOfHeaders = (
  { request: { headers } }: Step,
  at: string,
  { bodyBytes, limits }: Circumstances
): Refused | undefined => {
  const names = Object.keys(headers)
  if (names.length > limits.jobHeaders) {
    return badField(`${at}headers`, `are more than ${limits.jobHeaders}`, "headers_too_large")
  }
  if (bodyBytes <= limits.jobHeaderBytes) return undefined
  // Latin-1: a byte each
  const bytes = names.reduce((sum, name) => sum + name.length + (headers[name]?.length ?? 0), 0)
  return bytes > limits.jobHeaderBytes
    ? badField(`${at}headers`, `are larger than ${limits.jobHeaderBytes} bytes in all`, "headers_too_large")
    : undefined
}

const breachOfMetadata = (
  { metadata }: Step,
  at: string,
  { bodyBytes, limits }: Circumstances
): Refused | undefined => {
  if (Object.keys(metadata).length > limits.metadataKeys) {
    return badField(`${at}metadata`, `has more than ${limits.metadataKeys} names`)
  }
  return bodyBytes > limits.metadataBytes && isLonger(JSON.stringify(metadata), limits.metadataBytes)
    ? badField(`${at}metadata`, `is larger than ${limits.metadataBytes} bytes`)
    : undefined
}

const breachOfWebhooks = ({ webhookQuorum, webhooks }: Step, at: string, limits: Limits): Refused | undefined => {
  // more than there are is another rule, which looks at the webhooks that vote
  if (webhookQuorum > limits.webhooks) {
    return badField(`${at}webhook_quorum`, `Expected a whole number from 1 to ${limits.webhooks}`)
  }
  if (webhooks.length > limits.webhooks) return badField(`${at}webhooks`, `are more than ${limits.webhooks}`)
  for (const [index, { regions, url }] of webhooks.entries()) {
    const field = `${at}webhooks[${index}]`
    const breach = breachOfUrl(url, `${field}.url`, limits) ?? breachOfRegions(regions, `${field}.regions`, limits)
    if (breach !== undefined) return breach
  }
  return undefined
}

const breachOfDraws = ({ limits }: Step, at: string, { draws }: Limits): Refused | undefined =>
  limits.length > draws ? badField(`${at}limits`, `are more than ${draws}`) : undefined

const breachOfRegions = (regions: ReadonlyArray<string>, field: string, limits: Limits): Refused | undefined =>
  regions.length > limits.regions ? badField(field, `are more than ${limits.regions}`) : undefined

const breachOfCount = (count: number | undefined, field: string, { retries }: Limits): Refused | undefined =>
  count !== undefined && count > retries ? badField(field, expectedCount(retries)) : undefined

const breachOfKey = ({ idempotency }: Step, at: string, { keyBytes }: Limits): Refused | undefined =>
  idempotency._tag === "Custom" && isLonger(idempotency.key, keyBytes)
    ? badField(`${at}idempotent_key`, `is longer than ${keyBytes} bytes`)
    : undefined

const breachOfMoment = (
  moment: number | undefined,
  field: string,
  { limits, now }: Circumstances
): Refused | undefined => {
  if (moment === undefined) return undefined
  // as milliseconds, the first three years of the epoch; as seconds, any day from 1973 on
  if (moment > 0 && moment < 1e11) return badField(field, "looks like seconds; expected epoch milliseconds")
  return moment - now > limits.retryAhead
    ? badField(field, `lies more than ${Math.floor(limits.retryAhead / 86_400_000)} days ahead`)
    : undefined
}

const breachOfDelay = ({ delay }: Step, at: string, { retryAhead }: Limits): Refused | undefined =>
  delay !== undefined && Duration.toMillis(delay) > retryAhead
    ? badField(`${at}delay_ms`, `is longer than ${Math.floor(retryAhead / 86_400_000)} days`)
    : undefined

/** How the range of a count is told. */
export const expectedCount = (most: number): string => `Expected a whole number from 0 to ${most}`

/** The path of a step's field in the spelling of the wire, where a line of fallbacks is nested. */
const wireField = (field: string): string =>
  field
    .replaceAll(/fallbacks\[(\d+)\]\.step\./g, (_, index: string) => FALLBACK.repeat(Number(index) + 1))
    .replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const tooDeep = (problem: string) => badField("job", problem, "too_deep")

const isLonger = (text: string, bytes: number): boolean =>
  text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes)

const FALLBACK = "fallback_job."
const TUNNELS: ReadonlySet<string> = new Set(["CONNECT", "TRACE"])
