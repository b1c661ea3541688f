/**
 * Reads the job JSON of the protocol as a step, whoever sent it: ours, the official clients, or a line of curl.
 */
import * as Duration from "effect/Duration"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Fields from "../step/Fields.ts"
import * as HeaderFields from "../step/HeaderFields.ts"
import { kept } from "../step/SecretHeader.ts"
import type { Step, Trigger } from "../step/StepModel.ts"
import { makeStep } from "../step/StepValue.ts"
import { InvalidJob } from "./InvalidJob.ts"
import type { FallbackJson, JobJson, TriggerJson } from "./JobJson.ts"
import { canonical } from "./JobNames.ts"
import { isPlain } from "./PlainJob.ts"

export { encode, type EncodeOptions, type Submission } from "./JobEncoded.ts"
export type {
  DebounceJson,
  DrawJson,
  FallbackJson,
  JobJson,
  OrderJson,
  RetryPolicyJson,
  TriggerJson,
  WebhookJson
} from "./JobJson.ts"
export { InvalidJob } from "./InvalidJob.ts"

/**
 * Decodes a job that was parsed from JSON.
 *
 * **Details** — every key may be spelt in snake_case or camelCase, at every depth; both spellings of one key at once
 * are `duplicate_key`, any other key is `unknown_field`. A value that breaks the rule of its field is `invalid_field`,
 * a bad header `invalid_header` or `duplicate_header`. A missing `trigger` means any failure, as `{}` does.
 * **Gotchas** — rules between fields (`Step.check`) and the limits of a host are not looked at here.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (json: unknown): Result.Result<Step, InvalidJob> =>
  isPlain(json) ? Result.succeed(toStep(json)) : decodeBySchema(json)

/**
 * The same without the short cut for plain jobs, for whoever compares.
 *
 * @internal
 */
export const decodeBySchema = (json: unknown): Result.Result<Step, InvalidJob> =>
  Result.flatMap(canonical(json), (spelt) =>
    Result.mapBoth(decodeJob(spelt), {
      onFailure: ({ issue }) => invalid(spelt, issue),
      onSuccess: toStep
    })
  )

const optional = Schema.optionalKey

const Trigger = Schema.Struct({
  type: optional(Schema.Literals(["on_error", "on_timeout"])),
  codes: optional(Fields.Codes),
  timeout_ms: optional(Fields.Millis)
}).check(
  Schema.makeFilter(
    ({ codes, timeout_ms, type }) =>
      (type === "on_error") === (codes !== undefined) && (type === "on_timeout") === (timeout_ms !== undefined),
    { expected: "{}, on_error with codes, or on_timeout with timeout_ms" }
  )
)

const fields = {
  url: Fields.Url,
  method: optional(Fields.Method),
  headers: optional(HeaderFields.Headers),
  body: optional(Schema.String),
  body_base64: optional(Schema.String.check(Schema.isBase64())),
  metadata: optional(Fields.Metadata),
  webhooks: optional(
    Schema.Array(
      Schema.Struct({
        url: Fields.Url,
        regions: optional(Fields.Regions),
        has_quorum_vote: optional(Schema.Boolean),
        headers: optional(HeaderFields.WebhookHeaders),
        secret: optional(HeaderFields.SecretName),
        body: optional(Schema.Literal("link"))
      })
    )
  ),
  webhook_quorum: optional(Fields.Quorum),
  regions: optional(Fields.Regions),
  region_policy: optional(Schema.Literals(["fallback", "strict"])),
  execution_mode: optional(Schema.Literals(["race", "fanout"])),
  retry_policy: optional(
    Schema.Struct({
      max_retries: optional(Fields.Count),
      max_reroutes: optional(Fields.Count),
      retry_codes: optional(Fields.Codes),
      reroute_codes: optional(Fields.Codes)
    })
  ),
  attempt_timeout_ms: optional(Fields.Millis),
  timeout_header: optional(HeaderFields.TimeoutHeader),
  hedge: optional(
    Schema.Struct({
      percentile: optional(Fields.Percentile),
      after_ms: optional(Fields.Millis),
      max: optional(Fields.Hedges),
      to: optional(Schema.Literals(["same", "region"]))
    }).check(
      Schema.makeFilter(({ after_ms, percentile }) => after_ms === undefined || percentile === undefined, {
        expected: "percentile or after_ms, not both"
      })
    )
  ),
  retry_unsafe: optional(Schema.Boolean),
  limits: optional(Fields.Limits),
  fills: optional(Fields.Fills),
  fallback_job: optional(Schema.suspend((): Schema.Codec<FallbackJson> => FallbackJob)),
  on_success: optional(Schema.suspend((): Schema.Codec<JobJson> => Job)),
  on_failure: optional(Schema.suspend((): Schema.Codec<JobJson> => Job)),
  on_failure_timeout_ms: optional(Fields.Millis),
  total_timeout_ms: optional(Fields.Millis),
  idempotent_key: optional(Fields.IdempotentKey),
  retry_at: optional(Fields.EpochMillis),
  delay_ms: optional(Fields.Millis),
  start_before: optional(Fields.EpochMillis),
  priority: optional(Fields.Priority),
  debounce: optional(
    Schema.Struct({ key: Fields.OrderKey, wait_ms: Fields.Millis, at_most_ms: optional(Fields.Millis) })
  ),
  coalesce: optional(Schema.Boolean),
  in_order: optional(Schema.Struct({ key: Fields.OrderKey, on_failure: optional(Fields.OrderEnd) }))
}

const oneBody = Schema.makeFilter(({ body, body_base64 }: JobJson) => body === undefined || body_base64 === undefined, {
  expected: "body or body_base64, not both"
})

/**
 * The schema of a job in the spelling of the protocol, for descriptions of an API. `decode` reads both spellings.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Job = Schema.Struct(fields).check(oneBody).annotate({ identifier: "Job" })
const FallbackJob = Schema.Struct({ ...fields, trigger: optional(Trigger) })
  .check(oneBody)
  .annotate({ identifier: "FallbackJob" })

const decodeJob = Schema.decodeUnknownResult(Job)

const toStep = (job: JobJson): Step =>
  makeStep({
    request: {
      method: (job.method ?? "GET").toUpperCase(),
      url: job.url,
      headers: kept(job.headers ?? {}),
      body: job.body_base64 === undefined ? job.body : Result.getOrThrow(Base64.decode(job.body_base64))
    },
    retryPolicy: job.retry_policy && {
      maxRetries: job.retry_policy.max_retries,
      maxReroutes: job.retry_policy.max_reroutes,
      retryCodes: job.retry_policy.retry_codes,
      rerouteCodes: job.retry_policy.reroute_codes,
      base: undefined,
      cap: undefined
    },
    attemptTimeout: millis(job.attempt_timeout_ms),
    timeoutHeader: job.timeout_header,
    hedge: job.hedge && {
      after: millis(job.hedge.after_ms),
      percentile: job.hedge.after_ms === undefined ? (job.hedge.percentile ?? 95) : undefined,
      max: job.hedge.max ?? 1,
      to: job.hedge.to ?? "same"
    },
    retryUnsafe: job.retry_unsafe,
    limits: (job.limits ?? []).map(({ cost = 1, key = "", name }) => ({ name, key, cost })),
    fills: job.fills ?? [],
    regions: job.regions ?? [],
    regionPolicy: job.region_policy ?? "fallback",
    executionMode: job.execution_mode ?? "race",
    webhooks: (job.webhooks ?? []).map(({ has_quorum_vote = true, headers, regions = [], url, ...terms }) => ({
      url,
      regions,
      hasQuorumVote: has_quorum_vote,
      ...(headers === undefined ? {} : { headers: kept(headers) }),
      ...terms
    })),
    webhookQuorum: job.webhook_quorum ?? 1,
    idempotency: job.idempotent_key === undefined ? { _tag: "Hash" } : { _tag: "Custom", key: job.idempotent_key },
    retryAt: job.retry_at,
    delay: millis(job.delay_ms),
    startBefore: job.start_before,
    priority: job.priority,
    debounce: job.debounce && {
      key: job.debounce.key,
      wait: Duration.millis(job.debounce.wait_ms),
      atMost: job.debounce.at_most_ms === undefined ? undefined : Duration.millis(job.debounce.at_most_ms)
    },
    coalesce: job.coalesce ?? false,
    inOrder: job.in_order && { key: job.in_order.key, onFailure: job.in_order.on_failure ?? "continue" },
    metadata: job.metadata ?? {},
    fallbacks:
      job.fallback_job === undefined
        ? []
        : [{ step: toStep(job.fallback_job), trigger: toTrigger(job.fallback_job.trigger) }],
    onSuccess: job.on_success && toStep(job.on_success),
    onFailure: job.on_failure && toStep(job.on_failure),
    onFailureTimeout: millis(job.on_failure_timeout_ms),
    totalTimeout: millis(job.total_timeout_ms)
  })

const millis = (value: number | undefined) => (value === undefined ? undefined : Duration.millis(value))

const toTrigger = ({ codes, timeout_ms }: TriggerJson = {}): Trigger => {
  if (codes !== undefined) return { _tag: "OnError", codes }
  return timeout_ms === undefined ? { _tag: "Any" } : { _tag: "OnTimeout", after: Duration.millis(timeout_ms) }
}

const invalid = (spelt: unknown, issue: SchemaIssue.Issue): InvalidJob => {
  const first = describe(issue).issues[0]
  const path = (first?.path ?? []).map((part) => (typeof part === "object" ? part.key : part))
  const field = path.reduce<string>(
    (at, key) => (typeof key === "number" ? `${at}[${key}]` : at === "" ? String(key) : `${at}.${String(key)}`),
    ""
  )
  return new InvalidJob({
    code: codeOf(spelt, path),
    field: field === "" ? "job" : field,
    problem: first?.message ?? "is not valid",
    nearest: undefined
  })
}

const codeOf = (spelt: unknown, path: ReadonlyArray<PropertyKey>): InvalidJob["code"] => {
  const [place, name] = path.slice(-2)
  if (place !== "headers" || name === undefined) return "invalid_field"
  const headers = path.slice(0, -1).reduce(member, spelt)
  if (typeof member(headers, name) !== "string") return "invalid_field"
  const same = Object.keys(Object(headers)).filter((key) => key.toLowerCase() === String(name).toLowerCase())
  return same.length > 1 ? "duplicate_header" : "invalid_header"
}

const member = (value: unknown, key: PropertyKey): unknown =>
  typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined

const describe = SchemaIssue.makeFormatterStandardSchemaV1()
