/**
 * Functions that may decide that a call is better made by EZThrottle: they return `{ forward }`, or throw
 * `ForwardToEZThrottle` from however deep inside.
 *
 * @since 0.1.0
 */
import type { BodyOptions } from "./Bodies.ts"
import type { EZThrottle } from "./EZThrottle.ts"
import type { HeadersOptions, MetadataOptions } from "./Given.ts"
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
  readonly url: string | URL
  /** Defaults to `GET`. */
  readonly method?: string | null | undefined
  readonly headers?: HeadersOptions | null | undefined
  readonly body?: BodyOptions | null | undefined
  readonly idempotentKey?: string | null | undefined
  readonly metadata?: MetadataOptions | null | undefined
  readonly webhooks?: ReadonlyArray<WebhookOptions> | null | undefined
  readonly regions?: ReadonlyArray<string> | null | undefined
  /** Statuses on which a FRUGAL step is forwarded. Defaults to 429, 500, 502, 503, 504. */
  readonly fallbackOnError?: ReadonlyArray<number> | null | undefined
  /** Defaults to `FRUGAL` when returned, and to `PERFORMANCE` when thrown. */
  readonly stepType?: StepType | null | undefined
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
    method?: string | null,
    headers?: HeadersOptions | null,
    body?: BodyOptions | null,
    idempotentKey?: string | null,
    metadata?: MetadataOptions | null,
    webhooks?: ReadonlyArray<WebhookOptions> | null,
    regions?: ReadonlyArray<string> | null
  )
  constructor(
    request: ForwardRequest | string,
    method?: string | null,
    headers?: HeadersOptions | null,
    body?: BodyOptions | null,
    idempotentKey?: string | null,
    metadata?: MetadataOptions | null,
    webhooks?: ReadonlyArray<WebhookOptions> | null,
    regions?: ReadonlyArray<string> | null
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
    return forward(client, { ...error.request, stepType: error.request.stepType ?? StepType.PERFORMANCE }, options)
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
  given(method, (value) => step.method(value))
  given(headers, (value) => step.headers(value))
  given(body, (value) => step.body(value))
  given(idempotentKey, (value) => step.idempotentKey(value))
  given(metadata, (value) => step.metadata(value))
  given(webhooks, (value) => step.webhooks(value))
  given(regions, (value) => step.regions(value))
  given(fallbackOnError, (value) => step.fallbackOnError(value))
  return step.execute(client, options)
}

const given = <A>(value: A | null | undefined, set: (value: A) => unknown): void => {
  if (value !== undefined && value !== null) set(value)
}
