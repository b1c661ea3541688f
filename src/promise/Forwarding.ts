/**
 * Functions that may decide that a call is better made by EZThrottle: they return `{ forward }`, or throw
 * `ForwardToEZThrottle` from however deep inside.
 *
 * @since 0.1.0
 */
import type { Json } from "effect/Schema"
import type { EZThrottle } from "./EZThrottle.ts"
import type { WebhookOptions } from "./JobOptions.ts"
import type { StepResult } from "./Results.ts"
import type { CallOptions } from "./Running.ts"
import { Step, StepType } from "./Step.ts"

/**
 * A call to be made by a step instead of by the function that asks for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ForwardRequest {
  readonly url: string
  /** Defaults to `GET`. */
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | Uint8Array | undefined
  readonly idempotentKey?: string | undefined
  readonly metadata?: { readonly [key: string]: Json } | undefined
  readonly webhooks?: ReadonlyArray<WebhookOptions> | undefined
  readonly regions?: ReadonlyArray<string> | undefined
  /** Statuses on which a FRUGAL step is forwarded. Defaults to 429, 500, 502, 503, 504. */
  readonly fallbackOnError?: ReadonlyArray<number> | undefined
  /** Defaults to `FRUGAL` when returned, and to `PERFORMANCE` when thrown. */
  readonly stepType?: StepType | undefined
}

/**
 * What a function returns to have a call made by a step.
 *
 * @category models
 * @since 0.1.0
 */
export interface Forwarded {
  readonly forward: ForwardRequest
}

/**
 * Thrown inside a function run by `executeWithForwarding` or `withAutoForward`: hands a call over to EZThrottle.
 *
 * @category errors
 * @since 0.1.0
 */
export class ForwardToEZThrottle extends Error {
  override readonly name = "ForwardToEZThrottle"
  readonly request: ForwardRequest

  constructor(request: ForwardRequest)
  constructor(
    url: string,
    method?: string,
    headers?: Readonly<Record<string, string>>,
    body?: string | Uint8Array,
    idempotentKey?: string,
    metadata?: { readonly [key: string]: Json },
    webhooks?: ReadonlyArray<WebhookOptions>,
    regions?: ReadonlyArray<string>
  )
  constructor(
    request: ForwardRequest | string,
    method?: string,
    headers?: Readonly<Record<string, string>>,
    body?: string | Uint8Array,
    idempotentKey?: string,
    metadata?: { readonly [key: string]: Json },
    webhooks?: ReadonlyArray<WebhookOptions>,
    regions?: ReadonlyArray<string>
  ) {
    super("This call is for EZThrottle; run the function with executeWithForwarding or withAutoForward")
    this.request =
      typeof request === "string"
        ? { url: request, method, headers, body, idempotentKey, metadata, webhooks, regions }
        : request
  }
}

/**
 * Runs a function and makes the call it asks for; any other value or error passes through.
 *
 * @category running
 * @since 0.1.0
 */
export const executeWithForwarding = async <A>(
  client: EZThrottle,
  fn: () => A | Promise<A>,
  options?: CallOptions
): Promise<Exclude<A, Forwarded> | StepResult> => {
  let decided: A
  try {
    decided = await fn()
  } catch (error) {
    if (!(error instanceof ForwardToEZThrottle)) throw error
    return forward(client, { stepType: StepType.PERFORMANCE, ...error.request }, options)
  }
  // what asks for no call is none of those that do
  return isForwarded(decided) ? forward(client, decided.forward, options) : (decided as Exclude<A, Forwarded>)
}

/**
 * Wraps a function so that the calls it asks for are made; it keeps its arguments.
 *
 * @category running
 * @since 0.1.0
 */
export const withAutoForward =
  <Args extends ReadonlyArray<unknown>, A>(
    client: EZThrottle,
    fn: (...args: Args) => A | Promise<A>
  ): ((...args: Args) => Promise<Exclude<A, Forwarded> | StepResult>) =>
  (...args) =>
    executeWithForwarding(client, () => fn(...args))

const isForwarded = (value: unknown): value is Forwarded =>
  typeof value === "object" &&
  value !== null &&
  "forward" in value &&
  typeof value.forward === "object" &&
  value.forward !== null

const forward = async (
  client: EZThrottle,
  { body, fallbackOnError, headers, idempotentKey, metadata, method, regions, stepType, url, webhooks }: ForwardRequest,
  options: CallOptions | undefined
): Promise<StepResult> => {
  const step = new Step(client).url(url).type(stepType ?? StepType.FRUGAL)
  if (method !== undefined) step.method(method)
  if (headers !== undefined) step.headers(headers)
  if (body !== undefined) step.body(body)
  if (idempotentKey !== undefined) step.idempotentKey(idempotentKey)
  if (metadata !== undefined) step.metadata(metadata)
  if (webhooks !== undefined) step.webhooks(webhooks)
  if (regions !== undefined) step.regions(regions)
  if (fallbackOnError !== undefined) step.fallbackOnError(fallbackOnError)
  return step.execute(client, options)
}
