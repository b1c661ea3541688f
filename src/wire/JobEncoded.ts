/**
 * Writes a step as the job JSON of the protocol.
 *
 * What never travels: type, `fallbackOnError`, local time-out, descriptions, the pauses of a retry policy and
 * `sendIdempotencyKey`. They say how this process behaves, not what the job is.
 */
import * as Duration from "effect/Duration"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import { Unsendable } from "../step/Failure.ts"
import type { RetryPolicy } from "../step/RetryPolicy.ts"
import { among, told } from "../step/SecretHeader.ts"
import type { Debounce, Draw, Fallback, Hedge, Order, Step, Trigger, Webhook } from "../step/StepModel.ts"
import type {
  DebounceJson,
  DrawJson,
  HedgeJson,
  JobJson,
  OrderJson,
  RetryPolicyJson,
  TriggerJson,
  WebhookJson
} from "./JobJson.ts"
import { maxNested } from "./JobJson.ts"

/**
 * A step on its way to a service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Submission {
  readonly step: Step
  /** The key to file the job under. Defaults to the step's own; under HASH without one the service computes it. */
  readonly key: string | undefined
  /** Epoch milliseconds before which the service shall not start; the later of this and the step's own counts. */
  readonly retryAt: number | undefined
}

/**
 * What the receiving service can read.
 *
 * @category models
 * @since 0.1.0
 */
export interface EncodeOptions {
  /** What becomes of a body that is not UTF-8 text. Defaults to `refuse`; a dam reads `base64`. */
  readonly binary?: "refuse" | "base64" | undefined
  /** What becomes of what the protocol has no key for. Defaults to `refuse`; a dam reads the keys of its own with `send`. */
  readonly extensions?: "refuse" | "send" | undefined
}

/**
 * Encodes a step as a job.
 *
 * **Details** — fails with `Unsendable`, before anything is sent, when a body is not text (and `binary` does not allow
 * it), when it says what only a dam can read (and `extensions` does not allow it), when a chained UNIQUE step has no key yet, or when the tree is nested deeper than can be printed.
 * **Gotchas** — a UNIQUE key is drawn once per execution, not once per encoding. Whoever executes draws it first and
 * hands over a tree whose UNIQUE steps have become custom ones, so that a repeated submission carries the same keys.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (submission: Submission, options: EncodeOptions = {}): Result.Result<JobJson, Unsendable> =>
  job(
    submission.step,
    {
      at: "",
      depth: 1,
      binary: options.binary ?? "refuse",
      extensions: options.extensions ?? "refuse",
      line: submission.step.fallbacks
    },
    { key: submission.key, retryAt: later(submission.step.retryAt, submission.retryAt) }
  )

/** Where in the tree a job is written. */
interface Place {
  readonly at: string
  readonly depth: number
  readonly binary: "refuse" | "base64"
  readonly extensions: "refuse" | "send"
  /** The fallbacks still to come; the first of them nests in this job, the others in it. */
  readonly line: ReadonlyArray<Fallback>
}

const job = (
  self: Step,
  place: Place,
  settled: { readonly key?: string | undefined; readonly retryAt: number | undefined } = self
): Result.Result<JobJson, Unsendable> =>
  Result.gen(function* () {
    if (place.depth > maxNested)
      return yield* refuse(place, `is nested deeper than the ${maxNested} jobs one can carry`)
    const [next, ...line] = place.line
    const child = (name: string, step: Step, rest: ReadonlyArray<Fallback>) =>
      job(step, { ...place, at: `${place.at}${name}.`, depth: place.depth + 1, line: rest })
    const body = yield* bodyOf(self, place)
    const extended = yield* extensionsOf(self, place)
    const key = settled.key ?? (yield* keyOf(self, place))
    const fallback = next && (yield* child("fallback_job", next.step, line))
    const onSuccess = self.onSuccess && (yield* child("on_success", self.onSuccess, self.onSuccess.fallbacks))
    const onFailure = self.onFailure && (yield* child("on_failure", self.onFailure, self.onFailure.fallbacks))
    return {
      url: self.request.url,
      method: self.request.method,
      ...(isEmpty(self.request.headers) ? {} : { headers: told(self.request.headers) }),
      ...body,
      ...(isEmpty(self.metadata) ? {} : { metadata: self.metadata }),
      ...(self.webhooks.length === 0 ? {} : { webhooks: self.webhooks.map(webhook) }),
      ...(self.webhookQuorum === 1 ? {} : { webhook_quorum: self.webhookQuorum }),
      ...(self.regions.length === 0 ? {} : { regions: self.regions }),
      ...(self.regionPolicy === "fallback" ? {} : { region_policy: self.regionPolicy }),
      ...(self.executionMode === "race" ? {} : { execution_mode: self.executionMode }),
      ...(self.retryPolicy === undefined ? {} : { retry_policy: policy(self.retryPolicy) }),
      ...extended,
      ...(next === undefined || fallback === undefined
        ? {}
        : { fallback_job: { ...fallback, trigger: trigger(next.trigger) } }),
      ...(onSuccess === undefined ? {} : { on_success: onSuccess }),
      ...(onFailure === undefined ? {} : { on_failure: onFailure }),
      ...(self.onFailureTimeout === undefined
        ? {}
        : { on_failure_timeout_ms: Duration.toMillis(self.onFailureTimeout) }),
      ...(key === undefined ? {} : { idempotent_key: key }),
      ...(settled.retryAt === undefined ? {} : { retry_at: settled.retryAt })
    }
  })

const bodyOf = (
  { request: { body } }: Step,
  place: Place
): Result.Result<Pick<JobJson, "body" | "body_base64">, Unsendable> => {
  if (body === undefined) return Result.succeed({})
  // the same bytes as a local attempt sends: UTF-8 has no lone surrogates
  if (typeof body === "string") return Result.succeed({ body: body.toWellFormed() })
  const text = Result.try(() => strictUtf8.decode(body))
  if (Result.isSuccess(text)) return Result.succeed({ body: text.success })
  return place.binary === "base64"
    ? Result.succeed({ body_base64: Base64.encode(body) })
    : refuse(place, "has a body that is not UTF-8 text, and EZThrottle carries text only; encode it, or use a dam")
}

type Extended = Pick<
  JobJson,
  | "attempt_timeout_ms"
  | "coalesce"
  | "debounce"
  | "delay_ms"
  | "fills"
  | "hedge"
  | "in_order"
  | "limits"
  | "priority"
  | "retry_unsafe"
  | "start_before"
  | "timeout_header"
  | "total_timeout_ms"
>

/** What the protocol has no key for: see the table of extensions in the reference. */
const extensionsOf = (
  {
    attemptTimeout,
    coalesce,
    debounce,
    delay,
    fills,
    hedge,
    inOrder,
    limits,
    priority,
    request,
    retryUnsafe,
    startBefore,
    timeoutHeader,
    totalTimeout,
    webhooks
  }: Step,
  place: Place
): Result.Result<Extended, Unsendable> => {
  const extended: Extended = {
    ...(retryUnsafe === undefined ? {} : { retry_unsafe: retryUnsafe }),
    ...(limits.length === 0 ? {} : { limits: limits.map(draw) }),
    ...(fills.length === 0 ? {} : { fills }),
    ...(hedge === undefined ? {} : { hedge: hedged(hedge) }),
    ...(delay === undefined ? {} : { delay_ms: Duration.toMillis(delay) }),
    ...(startBefore === undefined ? {} : { start_before: startBefore }),
    ...(attemptTimeout === undefined ? {} : { attempt_timeout_ms: Duration.toMillis(attemptTimeout) }),
    ...(timeoutHeader === undefined ? {} : { timeout_header: timeoutHeader }),
    ...(totalTimeout === undefined ? {} : { total_timeout_ms: Duration.toMillis(totalTimeout) }),
    ...(priority === undefined ? {} : { priority }),
    ...(inOrder === undefined ? {} : { in_order: order(inOrder) }),
    ...(debounce === undefined ? {} : { debounce: debounced(debounce) }),
    ...(coalesce ? { coalesce } : {})
  }
  const [first] = Object.keys(extended)
  const [named] = first === undefined && place.extensions !== "send" ? among(request.headers) : []
  if (named !== undefined) {
    const problem = `names the secret ${named[1].secret} in its header ${named[0]}, and EZThrottle keeps none; use a dam`
    return refuse(place, problem)
  }
  const own = place.extensions === "send" ? undefined : webhooks.flatMap(termsOf)[0]
  if (own !== undefined) {
    return refuse(place, `says ${own} of a webhook, and EZThrottle has no such key; leave it out, or use a dam`)
  }
  return first === undefined || place.extensions === "send"
    ? Result.succeed(extended)
    : refuse(place, `says ${first}, and EZThrottle has no such key; leave it out, or use a dam`)
}

const hedged = ({ after, max, percentile, to }: Hedge): HedgeJson => ({
  ...(percentile === undefined ? {} : { percentile }),
  ...(after === undefined ? {} : { after_ms: Duration.toMillis(after) }),
  ...(max === 1 ? {} : { max }),
  ...(to === "same" ? {} : { to })
})

const keyOf = ({ idempotency }: Step, place: Place): Result.Result<string | undefined, Unsendable> => {
  switch (idempotency._tag) {
    case "Hash":
      return Result.succeed(undefined)
    case "Custom":
      return Result.succeed(idempotency.key)
    case "Unique":
      return refuse(place, "is UNIQUE and has no key yet; give it one before it is handed over")
  }
}

const refuse = ({ at }: Place, problem: string) =>
  Result.fail(new Unsendable({ problem: `${at === "" ? "the step" : `the step at ${at.slice(0, -1)}`} ${problem}` }))

const webhook = ({ hasQuorumVote, headers, regions, url, ...terms }: Webhook): WebhookJson => ({
  url,
  ...(regions.length === 0 ? {} : { regions }),
  ...(hasQuorumVote ? {} : { has_quorum_vote: false }),
  ...(headers === undefined ? {} : { headers: told(headers) }),
  ...terms
})

const order = ({ key, onFailure }: Order): OrderJson => ({
  key,
  ...(onFailure === "continue" ? {} : { on_failure: onFailure })
})

const debounced = ({ atMost, key, wait }: Debounce): DebounceJson => ({
  key,
  wait_ms: Duration.toMillis(wait),
  ...(atMost === undefined ? {} : { at_most_ms: Duration.toMillis(atMost) })
})

const termsOf = ({ body, headers, secret }: Webhook) => Object.keys(defined({ body, headers, secret }))

const defined = (given: object) => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))

const draw = ({ cost, key, name }: Draw): DrawJson => ({
  name,
  ...(key === "" ? {} : { key }),
  ...(cost === 1 ? {} : { cost })
})

const policy = (self: RetryPolicy): RetryPolicyJson => ({
  ...(self.maxRetries === undefined ? {} : { max_retries: self.maxRetries }),
  ...(self.maxReroutes === undefined ? {} : { max_reroutes: self.maxReroutes }),
  ...(self.retryCodes === undefined ? {} : { retry_codes: self.retryCodes }),
  ...(self.rerouteCodes === undefined ? {} : { reroute_codes: self.rerouteCodes })
})

const trigger = (self: Trigger): TriggerJson => {
  switch (self._tag) {
    case "Any":
      return {}
    case "OnError":
      return { type: "on_error", codes: self.codes }
    case "OnTimeout":
      return { type: "on_timeout", timeout_ms: Duration.toMillis(self.after) }
  }
}

const later = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined ? other : other === undefined ? one : Math.max(one, other)

const isEmpty = (record: object): boolean => Object.keys(record).length === 0

// a byte order mark is part of the body
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
