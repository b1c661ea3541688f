/** Reads the JSON form of a step back, refusing bad and unknown fields by their path. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Fields from "./Fields.ts"
import * as HeaderFields from "./HeaderFields.ts"
import { InvalidStep } from "./InvalidStep.ts"
import { kept } from "./SecretHeader.ts"
import { invalid } from "./StepIssue.ts"
import type { StepEncoded } from "./StepEncoded.ts"
import { toJson } from "./StepEncoded.ts"
import type { Step, Trigger } from "./StepModel.ts"
import { isStep } from "./StepModel.ts"
import { makeStep } from "./StepValue.ts"

const optional = Schema.optionalKey

const Nested = Schema.suspend((): Schema.Codec<StepEncoded> => Encoded)

const Encoded = Schema.Struct({
  method: optional(Fields.Method),
  url: Fields.Url,
  headers: optional(HeaderFields.Headers),
  body: optional(Schema.String),
  bodyBase64: optional(Schema.String.check(Schema.isBase64())),
  type: optional(Schema.Literals(["FRUGAL", "PERFORMANCE"])),
  description: optional(Schema.String),
  responseDescription: optional(Schema.String),
  fallbackOnError: optional(Fields.Codes),
  localTimeout: optional(Fields.Millis),
  attemptTimeout: optional(Fields.Millis),
  timeoutHeader: optional(HeaderFields.TimeoutHeader),
  hedge: optional(
    Schema.Struct({
      percentile: optional(Fields.Percentile),
      after: optional(Fields.Millis),
      max: optional(Fields.Hedges),
      to: optional(Schema.Literals(["same", "region"]))
    }).check(
      Schema.makeFilter(({ after, percentile }) => after === undefined || percentile === undefined, {
        expected: "percentile or after, not both"
      })
    )
  ),
  retryPolicy: optional(
    Schema.Struct({
      maxRetries: optional(Fields.Count),
      maxReroutes: optional(Fields.Count),
      retryCodes: optional(Fields.Codes),
      rerouteCodes: optional(Fields.Codes),
      base: optional(Fields.Millis),
      cap: optional(Fields.Millis)
    })
  ),
  retryUnsafe: optional(Schema.Boolean),
  limits: optional(Fields.Limits),
  fills: optional(Fields.Fills),
  regions: optional(Fields.Regions),
  regionPolicy: optional(Schema.Literals(["fallback", "strict"])),
  executionMode: optional(Schema.Literals(["race", "fanout"])),
  webhooks: optional(
    Schema.Array(
      Schema.Struct({
        url: Fields.Url,
        regions: optional(Fields.Regions),
        hasQuorumVote: optional(Schema.Boolean),
        headers: optional(HeaderFields.WebhookHeaders),
        secret: optional(HeaderFields.SecretName),
        body: optional(Schema.Literal("link"))
      })
    )
  ),
  webhookQuorum: optional(Fields.Quorum),
  idempotentStrategy: optional(Schema.Literals(["HASH", "UNIQUE"])),
  idempotentKey: optional(Fields.IdempotentKey),
  sendIdempotencyKey: optional(Schema.Boolean),
  retryAt: optional(Fields.EpochMillis),
  delay: optional(Fields.Millis),
  startBefore: optional(Fields.EpochMillis),
  priority: optional(Fields.Priority),
  inOrder: optional(Schema.Struct({ key: Fields.OrderKey, onFailure: optional(Fields.OrderEnd) })),
  debounce: optional(Schema.Struct({ key: Fields.OrderKey, wait: Fields.Millis, atMost: optional(Fields.Millis) })),
  coalesce: optional(Schema.Boolean),
  metadata: optional(Fields.Metadata),
  fallbacks: optional(
    Schema.Array(
      Schema.Struct({
        step: Nested,
        onError: optional(Fields.Codes),
        onTimeout: optional(Fields.Millis)
      }).check(
        Schema.makeFilter(({ onError, onTimeout }) => onError === undefined || onTimeout === undefined, {
          expected: "onError or onTimeout, not both"
        })
      )
    )
  ),
  onSuccess: optional(Nested),
  onFailure: optional(Nested),
  onFailureTimeout: optional(Fields.Millis),
  totalTimeout: optional(Fields.Millis)
}).check(
  Schema.makeFilter(({ body, bodyBase64 }) => body === undefined || bodyBase64 === undefined, {
    expected: "body or bodyBase64, not both"
  }),
  Schema.makeFilter(
    ({ idempotentKey, idempotentStrategy }) => idempotentKey === undefined || idempotentStrategy === undefined,
    {
      expected: "idempotentKey or idempotentStrategy, not both"
    }
  )
)

const fromJson = (json: StepEncoded): Step =>
  makeStep({
    request: {
      method: (json.method ?? "GET").toUpperCase(),
      url: json.url,
      headers: kept(json.headers ?? {}),
      body: json.bodyBase64 === undefined ? json.body : Result.getOrThrow(Base64.decode(json.bodyBase64))
    },
    type: json.type,
    description: json.description,
    responseDescription: json.responseDescription,
    fallbackOnError: json.fallbackOnError,
    localTimeout: millis(json.localTimeout),
    attemptTimeout: millis(json.attemptTimeout),
    timeoutHeader: json.timeoutHeader,
    hedge: json.hedge && {
      after: millis(json.hedge.after),
      percentile: json.hedge.after === undefined ? (json.hedge.percentile ?? 95) : undefined,
      max: json.hedge.max ?? 1,
      to: json.hedge.to ?? "same"
    },
    retryPolicy: json.retryPolicy && {
      maxRetries: json.retryPolicy.maxRetries,
      maxReroutes: json.retryPolicy.maxReroutes,
      retryCodes: json.retryPolicy.retryCodes,
      rerouteCodes: json.retryPolicy.rerouteCodes,
      base: millis(json.retryPolicy.base),
      cap: millis(json.retryPolicy.cap)
    },
    retryUnsafe: json.retryUnsafe,
    limits: (json.limits ?? []).map(({ cost = 1, key = "", name }) => ({ name, key, cost })),
    fills: json.fills ?? [],
    regions: json.regions ?? [],
    regionPolicy: json.regionPolicy ?? "fallback",
    executionMode: json.executionMode ?? "race",
    webhooks: (json.webhooks ?? []).map(({ hasQuorumVote = true, headers, regions = [], url, ...terms }) => ({
      url,
      regions,
      hasQuorumVote,
      ...(headers === undefined ? {} : { headers: kept(headers) }),
      ...terms
    })),
    webhookQuorum: json.webhookQuorum ?? 1,
    idempotency:
      json.idempotentKey !== undefined
        ? { _tag: "Custom", key: json.idempotentKey }
        : { _tag: json.idempotentStrategy === "UNIQUE" ? "Unique" : "Hash" },
    sendIdempotencyKey: json.sendIdempotencyKey ?? false,
    retryAt: json.retryAt,
    delay: millis(json.delay),
    startBefore: json.startBefore,
    priority: json.priority,
    debounce: json.debounce && {
      key: json.debounce.key,
      wait: Duration.millis(json.debounce.wait),
      atMost: millis(json.debounce.atMost)
    },
    coalesce: json.coalesce ?? false,
    inOrder: json.inOrder && { key: json.inOrder.key, onFailure: json.inOrder.onFailure ?? "continue" },
    metadata: json.metadata ?? {},
    fallbacks: (json.fallbacks ?? []).map(({ onError, onTimeout, step }) => ({
      step: fromJson(step),
      trigger: trigger(onError, onTimeout)
    })),
    onSuccess: json.onSuccess && fromJson(json.onSuccess),
    onFailure: json.onFailure && fromJson(json.onFailure),
    onFailureTimeout: millis(json.onFailureTimeout),
    totalTimeout: millis(json.totalTimeout)
  })

const millis = (value: number | undefined) => (value === undefined ? undefined : Duration.millis(value))

const trigger = (codes: ReadonlyArray<number> | undefined, after: number | undefined): Trigger =>
  codes !== undefined
    ? { _tag: "OnError", codes }
    : after !== undefined
      ? { _tag: "OnTimeout", after: Duration.millis(after) }
      : { _tag: "Any" }

/**
 * The schema of a step as JSON; nothing is lost in either direction. `decode` also refuses unknown keys.
 *
 * @category schemas
 * @since 0.1.0
 */
export const StepFromJson: Schema.Codec<Step, StepEncoded> = Encoded.pipe(
  Schema.decodeTo(Schema.declare(isStep, { expected: "a Step" }), {
    decode: SchemaGetter.transform(fromJson),
    encode: SchemaGetter.transform(toJson)
  })
)

/**
 * Decodes the JSON form of a step. Fails with `InvalidStep` that names the path of the bad or unknown field.
 *
 * @category schemas
 * @since 0.1.0
 */
export const decode = (input: unknown): Effect.Effect<Step, InvalidStep> =>
  isDeep(input)
    ? Effect.fail(new InvalidStep({ field: "step", problem: `Expected at most ${deepest} levels of nesting` }))
    : Effect.mapError(decodeUnknown(input), ({ issue }) => invalid("", issue))

/** Decoding is recursive; so deep a value would end it with a stack overflow instead of an answer. */
const deepest = 256

const isDeep = (input: unknown): boolean => {
  let level: ReadonlyArray<unknown> = [input]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) return true
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null
        ? Object.values(value).filter((inner) => typeof inner === "object")
        : []
    )
  }
  return false
}

const decodeUnknown = Schema.decodeUnknownEffect(StepFromJson, { onExcessProperty: "error" })
