/**
 * The only door to the network.
 *
 * A transport is one of two kinds. An *exchanging* one performs one call to the target, from one region, and answers a
 * `Response`. A *delegating* one takes the whole step once and answers a `Receipt`. Neither retries, waits or falls
 * back: that is the interpreter's work, which is why every transport can be swapped for every other.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Rules } from "../engine/Refusal.ts"
import type { TransportError } from "../step/FailureModel.ts"
import type { Receipt, Response } from "../step/ReplyModel.ts"
import type { Request } from "../step/Request.ts"
import type { Step } from "../step/StepModel.ts"

/**
 * One call to the target.
 *
 * @category models
 * @since 0.1.0
 */
export interface Exchange {
  /** What to send, the `Idempotency-Key` already among its headers where the target is to have one. */
  readonly request: Request
  /** Where to leave from; `undefined`: wherever the transport leaves from by default. */
  readonly region: string | undefined
  /** The step the call belongs to; a fallback's own step while that fallback runs. */
  readonly step: Step
  /** Limit of this attempt in milliseconds, kept by the interpreter; a transport may use it to free resources sooner. */
  readonly timeoutMillis: number
  /**
   * Tells this attempt apart from the others of its execution, and stays the same when a run that was cut off makes it
   * again. A durable service puts its job's id before it.
   */
  readonly attempt?: string | undefined
  /**
   * Puts secrets in the place of their names, for where a request goes; whoever sends asks it, and for each redirect anew.
   * Defaults to none, so that a request which names some cannot be sent.
   */
  readonly reveal?: ((request: Request) => Effect.Effect<Request, TransportError>) | undefined
}

/**
 * A whole step, to be run by a service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delegation {
  readonly step: Step
  /** The key to file the job under; `undefined`: the service hashes method, URL and body itself. */
  readonly key: string | undefined
  /** Epoch milliseconds before which the service shall not start. */
  readonly retryAt: number | undefined
  /** W3C trace context of the caller, where it has a trace. */
  readonly traceparent?: string | undefined
}

/**
 * A call that waits for its turn, and the step whose it is: that of the job, or one of its fallbacks.
 *
 * @category models
 * @since 0.1.0
 */
export interface PacedCall {
  readonly request: Request
  readonly step: Step
}

/**
 * A transport that performs one call to the target.
 *
 * @category models
 * @since 0.1.0
 */
export interface Exchanging {
  readonly kind: "exchanging"
  /** Regions it can leave from right now, healthy ones first; empty when it does not tell regions apart. */
  readonly regions: Effect.Effect<ReadonlyArray<string>>
  /**
   * The place a region name leaves from. Names that share a place are one start of a race and no reroute of each
   * other. Defaults to the name itself.
   */
  readonly egress?: ((region: string) => string) | undefined
  /** The place that exchanges without a region leave from. `undefined`: a step without regions starts in the first one. */
  readonly home?: string | undefined
  /** Whether its calls draw on what their steps say in `limits`. Defaults to `false`: such steps are refused. */
  readonly keepsLimits?: boolean | undefined
  /** Whether its calls are made in the order that their steps ask for. Defaults to `false`: such steps are refused. */
  readonly keepsOrder?: boolean | undefined
  /** Whether its calls get the secrets that they name. Defaults to `false`: steps that name some are refused. */
  readonly keepsSecrets?: boolean | undefined
  /** What is known of how the target of a request refuses. Defaults to no more than of every upstream. */
  readonly rules?: ((request: Request) => Rules | undefined) | undefined
  /**
   * Lets an exchange over this transport wait for its turn. What it waits counts neither for the limit of the attempt nor
   * for a fallback's `onTimeout`. `send` waits by itself where nobody has asked for it. Defaults to sending at once.
   */
  readonly inTurn?: (<A, E, R>(call: PacedCall, exchange: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) | undefined
  /** One call. Never retries or falls back, and waits for nothing but its turn; interruption aborts it. */
  readonly send: (exchange: Exchange) => Effect.Effect<Response, TransportError>
}

/**
 * A transport that hands whole steps to a service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delegating {
  readonly kind: "delegating"
  /** Hands the step over once. */
  readonly submit: (delegation: Delegation) => Effect.Effect<Receipt, TransportError>
}

/**
 * A way to get a step executed.
 *
 * @category models
 * @since 0.1.0
 */
export type Transport = Exchanging | Delegating

/**
 * The transport of the layer in place, for compositions that need just one.
 *
 * @category services
 * @since 0.1.0
 */
export class HttpTransport extends Context.Service<HttpTransport, Transport>()(
  "ezthrottle-effect/transport/HttpTransport"
) {}
