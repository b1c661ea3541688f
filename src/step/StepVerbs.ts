/** The constructors and verbs of a step: all of `Step` but what reads JSON, so that nothing here needs a schema. */
import type * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import type * as Schema from "effect/Schema"
import * as Draws from "./Draws.ts"
import { anObject, optionsOf } from "./GivenOptions.ts"
import * as FieldReader from "./FieldReader.ts"
import * as Rules from "./FieldRules.ts"
import { InvalidStep } from "./InvalidStep.ts"
import type { RetryPolicyOptions } from "./RetryPolicy.ts"
import type { HeaderValue } from "./SecretHeader.ts"
import { readHeaders } from "./StepSecret.ts"
import { readWebhooks, type WebhookOptions } from "./StepWebhook.ts"
import type { ExecutionMode, RegionPolicy, Step, StepFields, Trigger } from "./StepModel.ts"
import { isStep } from "./StepModel.ts"
import { changed, makeStep } from "./StepValue.ts"

/**
 * What `make` and the method constructors take beside the URL.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestOptions {
  /** Any case; kept in upper case. Defaults to `GET`. */
  readonly method?: string | undefined
  /** Text, or `Step.secret("name")` for what is looked up when the call is sent. */
  readonly headers?: Readonly<Record<string, HeaderValue>> | undefined
  /** Text or bytes, sent as they are, or parameters of a form; for a value as JSON use `bodyJson`. */
  readonly body?: string | Uint8Array | URLSearchParams | undefined
}

/**
 * Makes a step for a URL. Type `PERFORMANCE` and idempotency `HASH` until a verb says otherwise.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (target: string | URL, options: RequestOptions = {}): Step => {
  const { body, headers = {}, method = "GET" } = optionsOf("request", options, ["method", "headers", "body"])
  return makeStep({
    request: {
      method: parse.method(String(method).toUpperCase()),
      url: parse.url(String(target)),
      ...carrying(body, parse.headers(headers))
    }
  })
}

type WithoutMethod = Omit<RequestOptions, "method">

/** Makes a GET step. @category constructors @since 0.1.0 */
export const get = (target: string | URL, options?: WithoutMethod): Step => make(target, { ...options, method: "GET" })

/** Makes a POST step. @category constructors @since 0.1.0 */
export const post = (target: string | URL, options?: WithoutMethod): Step =>
  make(target, { ...options, method: "POST" })

/** Makes a PUT step. @category constructors @since 0.1.0 */
export const put = (target: string | URL, options?: WithoutMethod): Step => make(target, { ...options, method: "PUT" })

/** Makes a PATCH step. @category constructors @since 0.1.0 */
export const patch = (target: string | URL, options?: WithoutMethod): Step =>
  make(target, { ...options, method: "PATCH" })
const del = (target: string | URL, options?: WithoutMethod): Step => make(target, { ...options, method: "DELETE" })
export {
  /** Makes a DELETE step. @category constructors @since 0.1.0 */
  del as delete
}

/**
 * Names that options have, of any type: nothing to a step, which has none of them. Where options and a step may stand
 * in the same place, a misspelt name is then all that either form has against them, and TypeScript reports it there.
 */
export type Named<Options> = { readonly [Name in Options extends unknown ? keyof Options : never]?: unknown }

/** A verb whose options may be left out: data-first and piped in one. */
export interface OptionsVerb<Options> {
  (options?: Options): (self: Step) => Step
  (self: Step & Named<Options>, options?: Options): Step
}

/** A verb: data-first and piped in one. */
export interface Verb<Args extends ReadonlyArray<unknown>> {
  (...args: Args): (self: Step) => Step
  (self: Step, ...args: Args): Step
}

// the piped form never starts with a step, except for the verbs that take one (`chained`)
const verb = <Args extends ReadonlyArray<unknown>>(
  change: (self: Step, ...args: Args) => Partial<StepFields>
): Verb<Args> =>
  dual(
    (args) => isStep(args[0]),
    (self: Step, ...args: Args) => changed(self, change(self, ...args))
  )

const request = (self: Step, change: Partial<StepFields["request"]>) => ({ request: { ...self.request, ...change } })

/** Sets the HTTP method, in any case. @category verbs @since 0.1.0 */
export const method = verb((self, value: string) =>
  request(self, { method: parse.method(String(value).toUpperCase()) })
)

/** Sets the absolute `http:` or `https:` URL. @category verbs @since 0.1.0 */
export const url = verb((self, value: string | URL) => request(self, { url: parse.url(String(value)) }))

/**
 * Replaces all headers. Values are Latin-1 without line breaks, or the name of a secret (`secret`).
 *
 * @category verbs
 * @since 0.1.0
 */
export const headers = verb((self, value: Readonly<Record<string, HeaderValue>>) =>
  request(self, { headers: parse.headers(value) })
)

/** Sets one header, replacing one of the same name in any case. @category verbs @since 0.1.0 */
export const header = verb((self, name: string, value: HeaderValue) =>
  request(self, { headers: { ...without(self.request.headers, name), ...parse.headers({ [name]: value }) } })
)

/**
 * Sets the body: text travels as UTF-8, bytes unchanged, `undefined` removes it. `URLSearchParams` travel as a form, with
 * its `Content-Type` unless the step has one.
 *
 * @category verbs
 * @since 0.1.0
 */
export const body = verb((self, value: string | Uint8Array | URLSearchParams | undefined) =>
  request(self, carrying(value, self.request.headers))
)

/**
 * Sets the body to a value as JSON, and `Content-Type: application/json` unless the step has one.
 *
 * @category verbs
 * @since 0.1.0
 */
export const bodyJson = verb((self, value: Schema.Json) => {
  const headers = withType(self.request.headers, "application/json")
  return request(self, { body: JSON.stringify(parse.json(value)), headers })
})

type Headers = StepFields["request"]["headers"]

const withType = (headers: Headers, type: string): Headers =>
  Object.keys(headers).some((name) => name.toLowerCase() === "content-type")
    ? headers
    : { ...headers, "Content-Type": type }

const carrying = (body: string | Uint8Array | URLSearchParams | undefined, headers: Headers) =>
  body instanceof URLSearchParams
    ? { body: body.toString(), headers: withType(headers, "application/x-www-form-urlencoded;charset=UTF-8") }
    : { body: parse.body(body), headers }

/** Sets data of the caller's that comes back with the result. @category verbs @since 0.1.0 */
export const metadata = verb((_, value: { readonly [key: string]: Schema.Json }) => ({
  metadata: structuredClone(parse.metadata(value))
}))

/** Says what the call is for, in traces and `toString`. @category verbs @since 0.1.0 */
export const description = verb((_, value: string) => ({ description: parse.description(value) }))

/** Says what a good answer looks like, in traces and `toString`. @category verbs @since 0.1.0 */
export const responseDescription = verb((_, value: string) => ({
  responseDescription: parse.responseDescription(value)
}))

/** Tries here first, and forwards to EZThrottle when that fails. @category verbs @since 0.1.0 */
export const frugal = verb(() => ({ type: "FRUGAL" }))

/** Hands the step to EZThrottle at once; the default. @category verbs @since 0.1.0 */
export const performance = verb(() => ({ type: "PERFORMANCE" }))

/** Sets the statuses on which a FRUGAL step is forwarded. Defaults to 429, 500, 502, 503, 504. @category verbs @since 0.1.0 */
export const fallbackOnError = verb((_, codes: ReadonlyArray<number>) => ({
  fallbackOnError: parse.fallbackOnError(codes)
}))

/** Limits each local attempt. Defaults to 30 seconds. @category verbs @since 0.1.0 */
export const localTimeout = verb((_, limit: Duration.Input) => ({ localTimeout: parse.localTimeout(limit) }))

/** Repeats failed attempts; what the options leave out takes the protocol's defaults. @category verbs @since 0.1.0 */
export const retryPolicy: OptionsVerb<RetryPolicyOptions> = verb((_, options: RetryPolicyOptions = {}) => {
  const { base, cap, maxReroutes, maxRetries, rerouteCodes, retryCodes } = optionsOf("retryPolicy", options, [
    "maxRetries",
    "maxReroutes",
    "retryCodes",
    "rerouteCodes",
    "base",
    "cap"
  ])
  return {
    retryPolicy: {
      maxRetries: parse.maxRetries(maxRetries),
      maxReroutes: parse.maxReroutes(maxReroutes),
      retryCodes: parse.retryCodes(retryCodes),
      rerouteCodes: parse.rerouteCodes(rerouteCodes),
      base: base === undefined ? undefined : parse.base(base),
      cap: cap === undefined ? undefined : parse.cap(cap)
    }
  }
})

/**
 * Says whether a call that changes something (any method but GET, HEAD, OPTIONS and TRACE) may be made again after an
 * ending behind which it may have been carried out: no answer in time, a connection that broke, a 408 or 5xx.
 *
 * **Details** — with `false` such an ending counts; a refusal (429, 503) and a connection that never was are followed by
 * another attempt as ever. Left out it is allowed, unless the configuration of a dam says otherwise.
 * **Gotchas** — a dam that crashes in the midst of a call makes it again whatever this says.
 *
 * @category verbs
 * @since 0.1.0
 */
export const retryUnsafe = verb((_, isAllowed: boolean) => ({ retryUnsafe: parse.retryUnsafe(isAllowed) }))

/**
 * What a call draws on a limit, as `limit` takes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitOptions {
  /** Whose share of the limit: each key has the whole of it. Defaults to one share that all calls without a key have. */
  readonly key?: string | undefined
  /** Units. Defaults to `1`. */
  readonly cost?: number | undefined
}

/**
 * Lets each call of the step draw on a limit that a dam keeps: the call goes when all its limits and the pace of its
 * host allow it. Said again, with other names or keys it draws on those too; with the same ones the last word counts.
 *
 * **Gotchas** — a fallback, which calls another host, does not take over what its parent draws on: say it there too.
 * Only a dam keeps limits: EZThrottle and calls that are made here refuse the step.
 *
 * @category verbs
 * @since 0.1.0
 */
export const limit = verb((self, name: string, options: LimitOptions = {}) => {
  const { cost = 1, key = "" } = optionsOf("limit", options, ["key", "cost"])
  const draw = { name: parse.limitName(name), key: parse.limitKey(key), cost: parse.limitCost(cost) }
  return { limits: Draws.adding(self.limits, draw) }
})

/** Sets the regions the call leaves from, raced unless `executionMode` says fanout. @category verbs @since 0.1.0 */
export const regions = verb((_, names: ReadonlyArray<string>) => ({ regions: parse.regions(names) }))

/** Keeps to the step's regions (`strict`) or may add other healthy ones (`fallback`, the default). @category verbs @since 0.1.0 */
export const regionPolicy = verb((_, policy: RegionPolicy) => ({ regionPolicy: parse.regionPolicy(policy) }))

/** Races the regions (`race`, the default) or calls them all and keeps every answer (`fanout`). @category verbs @since 0.1.0 */
export const executionMode = verb((_, mode: ExecutionMode) => ({ executionMode: parse.executionMode(mode) }))

/** Sets who is told the result. @category verbs @since 0.1.0 */
export const webhooks = verb((_, targets: ReadonlyArray<WebhookOptions>) => ({ webhooks: readWebhooks(targets) }))

/** Sets how many voting webhooks must answer 2xx for the result to count as delivered. Defaults to `1`. @category verbs @since 0.1.0 */
export const webhookQuorum = verb((_, votes: number) => ({ webhookQuorum: parse.webhookQuorum(votes) }))

/** Files the call under a key of the caller's: 1 to 255 bytes, no control characters. @category verbs @since 0.1.0 */
export const idempotentKey = verb((_, key: string) => ({
  idempotency: { _tag: "Custom", key: parse.idempotentKey(key) }
}))

/**
 * Chooses how the key is made: `HASH` (the default) from method, URL and body, `UNIQUE` afresh for each execution.
 *
 * @category verbs
 * @since 0.1.0
 */
export const idempotentStrategy = verb((_, strategy: "HASH" | "UNIQUE") => ({
  idempotency: { _tag: parse.idempotentStrategy(strategy) === "UNIQUE" ? "Unique" : "Hash" }
}))

/** Sends the key of a HASH step to the target too, on unsafe methods. @category verbs @since 0.1.0 */
export const sendIdempotencyKey = verb((_, send: boolean = true) => ({
  sendIdempotencyKey: parse.sendIdempotencyKey(send)
}))

/** Delays the first attempt until a moment: epoch milliseconds, a `Date` or a `DateTime`. @category verbs @since 0.1.0 */
export const retryAt = verb((_, moment: number | Date | { readonly epochMilliseconds: number }) => ({
  retryAt: parse.retryAt(
    typeof moment === "number"
      ? moment
      : moment instanceof Date
        ? moment.getTime()
        : anObject("retryAt", moment).epochMilliseconds
  )
}))

/** Makes a failure final after this time over all attempts and fallbacks; then `onFailure` runs. @category verbs @since 0.1.0 */
export const onFailureTimeout = verb((_, limit: Duration.Input) => ({
  onFailureTimeout: parse.onFailureTimeout(limit)
}))

/** A verb whose first argument is itself a step: the number of steps tells the forms apart. */
export interface ChainVerb<Options> {
  (next: Step, options?: Options): (self: Step) => Step
  (self: Step, next: Step & Named<Options>, options?: Options): Step
}

const chained = <Options>(
  field: string,
  change: (self: Step, next: Step, options: Options | undefined) => Partial<StepFields>
): ChainVerb<Options> =>
  dual(
    (args) => isStep(args[1]),
    (self: Step, next: Step, options?: Options) => {
      if (!isStep(next)) throw new InvalidStep({ field, problem: "Expected a Step" })
      return changed(self, change(self, next, options))
    }
  )

/**
 * When a fallback runs. Without either, on any failure of the path before it.
 *
 * @category models
 * @since 0.1.0
 */
export type FallbackOptions = OnError | OnTimeout

// two types, because a trigger with both would not say which of them must hold
interface OnError {
  /** Runs when the path before it ended with one of these statuses, or without an answer. */
  readonly onError?: ReadonlyArray<number> | undefined
  readonly onTimeout?: undefined
}

interface OnTimeout {
  readonly onError?: undefined
  /** Runs when the path before it took longer than this; that path is then interrupted. */
  readonly onTimeout?: Duration.Input | undefined
}

/** Adds a fallback at the end of the line, its own fallbacks right behind it. @category verbs @since 0.1.0 */
export const fallback: ChainVerb<FallbackOptions> = chained("fallback", (self, step, options) => ({
  fallbacks: [...self.fallbacks, { step, trigger: trigger(options) }]
}))

/** Runs another step after success. Its outcome never changes the parent's. @category verbs @since 0.1.0 */
export const onSuccess: ChainVerb<never> = chained("onSuccess", (_, next) => ({ onSuccess: next }))

/** Runs another step after every path failed, or at `timeout` (see `onFailureTimeout`). @category verbs @since 0.1.0 */
export const onFailure: ChainVerb<{ readonly timeout?: Duration.Input | undefined }> = chained(
  "onFailure",
  (self, next, options = {}) => {
    const { timeout } = optionsOf("onFailure", options, ["timeout"])
    return {
      onFailure: next,
      onFailureTimeout: timeout === undefined ? self.onFailureTimeout : parse.onFailureTimeout(timeout)
    }
  }
)

const trigger = (given: FallbackOptions = {}): Trigger => {
  const options = optionsOf("fallback", given, ["onError", "onTimeout"])
  if (options.onError !== undefined && options.onTimeout !== undefined) {
    throw new InvalidStep({ field: "fallback", problem: "Expected onError or onTimeout, not both; add the step twice" })
  }
  if (options.onError !== undefined) return { _tag: "OnError", codes: parse.onError(options.onError) }
  if (options.onTimeout !== undefined) return { _tag: "OnTimeout", after: parse.onTimeout(options.onTimeout) }
  return { _tag: "Any" }
}

// a `Headers` or a `Map` has no keys of its own, and would be taken for an empty record
const aRecord = <A extends object>(field: string, value: A): A => {
  if (FieldReader.isPlain(anObject(field, value))) return value
  throw new InvalidStep({
    field,
    problem: "Expected a plain object; turn Headers or a Map into one with Object.fromEntries"
  })
}

const without = (record: Readonly<Record<string, string>>, name: string) =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key.toLowerCase() !== name.toLowerCase()))

const reading =
  <A>(field: string, read: FieldReader.Reader<A>) =>
  (value: unknown): A =>
    read(value, field)

const lasting = (field: string) => (value: Duration.Input) => FieldReader.duration(value, field)

const codes = FieldReader.list(FieldReader.number(Rules.code))
const regionNames = FieldReader.list(FieldReader.text(Rules.region))
const count = FieldReader.optional("number", FieldReader.number(Rules.retries))
const policyCodes = FieldReader.optional("array", codes)

const metadataFields = reading("metadata", FieldReader.record(FieldReader.json))

const parse = {
  method: reading("method", FieldReader.text(Rules.method)),
  url: reading("url", FieldReader.text(Rules.url)),
  headers: (value: Readonly<Record<string, HeaderValue>>) => readHeaders(aRecord("headers", value)),
  body: (value: unknown): string | Uint8Array | undefined => {
    if (value instanceof Uint8Array) return new Uint8Array(value)
    if (value === undefined || typeof value === "string") return value
    throw new InvalidStep({ field: "body", problem: "Expected text, bytes (Uint8Array) or undefined" })
  },
  json: reading("bodyJson", FieldReader.json),
  metadata: (value: { readonly [key: string]: Schema.Json }) => metadataFields(aRecord("metadata", value)),
  description: reading("description", FieldReader.anyText),
  responseDescription: reading("responseDescription", FieldReader.anyText),
  fallbackOnError: reading("fallbackOnError", codes),
  localTimeout: lasting("localTimeout"),
  maxRetries: reading("retryPolicy.maxRetries", count),
  maxReroutes: reading("retryPolicy.maxReroutes", count),
  retryCodes: reading("retryPolicy.retryCodes", policyCodes),
  rerouteCodes: reading("retryPolicy.rerouteCodes", policyCodes),
  base: lasting("retryPolicy.base"),
  cap: lasting("retryPolicy.cap"),
  retryUnsafe: reading("retryUnsafe", FieldReader.flag),
  limitName: reading("limit.name", FieldReader.text(Rules.limitName)),
  limitKey: reading("limit.key", FieldReader.text(Rules.limitKey)),
  limitCost: reading("limit.cost", FieldReader.number(Rules.limitCost)),
  regions: reading("regions", regionNames),
  regionPolicy: reading("regionPolicy", FieldReader.oneOf("fallback", "strict")),
  executionMode: reading("executionMode", FieldReader.oneOf("race", "fanout")),
  webhookQuorum: reading("webhookQuorum", FieldReader.number(Rules.quorum)),
  idempotentKey: reading("idempotentKey", FieldReader.text(Rules.idempotentKey)),
  idempotentStrategy: reading("idempotentStrategy", FieldReader.oneOf("HASH", "UNIQUE")),
  sendIdempotencyKey: reading("sendIdempotencyKey", FieldReader.flag),
  retryAt: reading("retryAt", FieldReader.number(Rules.epochMillis)),
  onFailureTimeout: lasting("onFailureTimeout"),
  onError: reading("fallback.onError", codes),
  onTimeout: lasting("fallback.onTimeout")
}
