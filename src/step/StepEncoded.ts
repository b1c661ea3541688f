/**
 * A step as JSON of our own: every field, nothing lost at any depth, what equals its default left out.
 *
 * This is not the job JSON of the wire, which leaves type, local time-out and descriptions out.
 */
import * as Duration from "effect/Duration"
import * as Base64 from "./Base64Text.ts"
import type * as Schema from "effect/Schema"
import type { RetryPolicy } from "./RetryPolicy.ts"
import { type HeaderValue, told } from "./SecretHeader.ts"
import type {
  Debounce,
  Draw,
  ExecutionMode,
  Fill,
  Hedge,
  Order,
  Priority,
  RegionPolicy,
  Step,
  StepType
} from "./StepModel.ts"

/**
 * The JSON form of a step. Durations are milliseconds, moments epoch milliseconds, bytes base64.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepEncoded {
  readonly method?: string
  readonly url: string
  readonly headers?: { readonly [name: string]: HeaderValue }
  readonly body?: string
  readonly bodyBase64?: string
  readonly type?: StepType
  readonly description?: string
  readonly responseDescription?: string
  readonly fallbackOnError?: ReadonlyArray<number>
  readonly localTimeout?: number
  readonly attemptTimeout?: number
  readonly timeoutHeader?: string
  readonly hedge?: {
    readonly percentile?: number
    readonly after?: number
    readonly max?: number
    readonly to?: Hedge["to"]
  }
  readonly retryPolicy?: {
    readonly maxRetries?: number
    readonly maxReroutes?: number
    readonly retryCodes?: ReadonlyArray<number>
    readonly rerouteCodes?: ReadonlyArray<number>
    readonly base?: number
    readonly cap?: number
  }
  readonly retryUnsafe?: boolean
  readonly limits?: ReadonlyArray<{ readonly name: string; readonly key?: string; readonly cost?: number }>
  readonly fills?: ReadonlyArray<Fill>
  readonly regions?: ReadonlyArray<string>
  readonly regionPolicy?: RegionPolicy
  readonly executionMode?: ExecutionMode
  readonly webhooks?: ReadonlyArray<{
    readonly url: string
    readonly regions?: ReadonlyArray<string>
    readonly hasQuorumVote?: boolean
    readonly headers?: { readonly [name: string]: HeaderValue }
    readonly secret?: string
    readonly body?: "link"
  }>
  readonly webhookQuorum?: number
  readonly idempotentStrategy?: "HASH" | "UNIQUE"
  readonly idempotentKey?: string
  readonly sendIdempotencyKey?: boolean
  readonly retryAt?: number
  readonly delay?: number
  readonly startBefore?: number
  readonly priority?: Priority
  readonly inOrder?: { readonly key: string; readonly onFailure?: Order["onFailure"] }
  readonly debounce?: { readonly key: string; readonly wait: number; readonly atMost?: number }
  readonly coalesce?: boolean
  readonly metadata?: { readonly [key: string]: Schema.Json }
  readonly fallbacks?: ReadonlyArray<{
    readonly step: StepEncoded
    readonly onError?: ReadonlyArray<number>
    readonly onTimeout?: number
  }>
  readonly onSuccess?: StepEncoded
  readonly onFailure?: StepEncoded
  readonly onFailureTimeout?: number
  readonly totalTimeout?: number
}

/** Encodes a step; the inverse of `Step.decode`. */
export const toJson = (self: Step): StepEncoded => ({
  method: self.request.method,
  url: self.request.url,
  ...(isEmpty(self.request.headers) ? {} : { headers: told(self.request.headers) }),
  ...(self.request.body === undefined
    ? {}
    : typeof self.request.body === "string"
      ? { body: self.request.body }
      : { bodyBase64: Base64.encode(self.request.body) }),
  ...(self.type === undefined ? {} : { type: self.type }),
  ...(self.description === undefined ? {} : { description: self.description }),
  ...(self.responseDescription === undefined ? {} : { responseDescription: self.responseDescription }),
  ...(self.fallbackOnError === undefined ? {} : { fallbackOnError: self.fallbackOnError }),
  ...(self.localTimeout === undefined ? {} : { localTimeout: Duration.toMillis(self.localTimeout) }),
  ...(self.attemptTimeout === undefined ? {} : { attemptTimeout: Duration.toMillis(self.attemptTimeout) }),
  ...(self.timeoutHeader === undefined ? {} : { timeoutHeader: self.timeoutHeader }),
  ...(self.hedge === undefined ? {} : { hedge: hedge(self.hedge) }),
  ...(self.retryPolicy === undefined ? {} : { retryPolicy: policy(self.retryPolicy) }),
  ...(self.retryUnsafe === undefined ? {} : { retryUnsafe: self.retryUnsafe }),
  ...(self.limits.length === 0 ? {} : { limits: self.limits.map(draw) }),
  ...(self.fills.length === 0 ? {} : { fills: self.fills }),
  ...(self.regions.length === 0 ? {} : { regions: self.regions }),
  ...(self.regionPolicy === "fallback" ? {} : { regionPolicy: self.regionPolicy }),
  ...(self.executionMode === "race" ? {} : { executionMode: self.executionMode }),
  ...(self.webhooks.length === 0
    ? {}
    : {
        webhooks: self.webhooks.map(({ hasQuorumVote, headers, regions, url, ...terms }) => ({
          url,
          ...(regions.length === 0 ? {} : { regions }),
          ...(hasQuorumVote ? {} : { hasQuorumVote }),
          ...(headers === undefined ? {} : { headers: told(headers) }),
          ...terms
        }))
      }),
  ...(self.webhookQuorum === 1 ? {} : { webhookQuorum: self.webhookQuorum }),
  ...(self.idempotency._tag === "Unique" ? { idempotentStrategy: "UNIQUE" as const } : {}),
  ...(self.idempotency._tag === "Custom" ? { idempotentKey: self.idempotency.key } : {}),
  ...(self.sendIdempotencyKey ? { sendIdempotencyKey: true } : {}),
  ...(self.retryAt === undefined ? {} : { retryAt: self.retryAt }),
  ...(self.delay === undefined ? {} : { delay: Duration.toMillis(self.delay) }),
  ...(self.startBefore === undefined ? {} : { startBefore: self.startBefore }),
  ...(self.priority === undefined ? {} : { priority: self.priority }),
  ...(self.inOrder === undefined ? {} : { inOrder: order(self.inOrder) }),
  ...(self.debounce === undefined ? {} : { debounce: debounced(self.debounce) }),
  ...(self.coalesce ? { coalesce: true } : {}),
  ...(isEmpty(self.metadata) ? {} : { metadata: self.metadata }),
  ...(self.fallbacks.length === 0
    ? {}
    : {
        fallbacks: self.fallbacks.map(({ step, trigger }) => ({
          step: toJson(step),
          ...(trigger._tag === "OnError" ? { onError: trigger.codes } : {}),
          ...(trigger._tag === "OnTimeout" ? { onTimeout: Duration.toMillis(trigger.after) } : {})
        }))
      }),
  ...(self.onSuccess === undefined ? {} : { onSuccess: toJson(self.onSuccess) }),
  ...(self.onFailure === undefined ? {} : { onFailure: toJson(self.onFailure) }),
  ...(self.onFailureTimeout === undefined ? {} : { onFailureTimeout: Duration.toMillis(self.onFailureTimeout) }),
  ...(self.totalTimeout === undefined ? {} : { totalTimeout: Duration.toMillis(self.totalTimeout) })
})

const hedge = ({ after, max, percentile, to }: Hedge) => ({
  ...(percentile === undefined ? {} : { percentile }),
  ...(after === undefined ? {} : { after: Duration.toMillis(after) }),
  ...(max === 1 ? {} : { max }),
  ...(to === "same" ? {} : { to })
})

const policy = (self: RetryPolicy) => ({
  ...(self.maxRetries === undefined ? {} : { maxRetries: self.maxRetries }),
  ...(self.maxReroutes === undefined ? {} : { maxReroutes: self.maxReroutes }),
  ...(self.retryCodes === undefined ? {} : { retryCodes: self.retryCodes }),
  ...(self.rerouteCodes === undefined ? {} : { rerouteCodes: self.rerouteCodes }),
  ...(self.base === undefined ? {} : { base: Duration.toMillis(self.base) }),
  ...(self.cap === undefined ? {} : { cap: Duration.toMillis(self.cap) })
})

const order = ({ key, onFailure }: Order) => (onFailure === "continue" ? { key } : { key, onFailure })

const debounced = ({ atMost, key, wait }: Debounce) => ({
  key,
  wait: Duration.toMillis(wait),
  ...(atMost === undefined ? {} : { atMost: Duration.toMillis(atMost) })
})

const draw = ({ cost, key, name }: Draw) => ({
  name,
  ...(key === "" ? {} : { key }),
  ...(cost === 1 ? {} : { cost })
})

const isEmpty = (record: object): boolean => Object.keys(record).length === 0
