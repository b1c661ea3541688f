/**
 * How a client of the facade is set up.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SecretOptions } from "../run/ClientParts.ts"
import type { JobReceiver, Service } from "../run/Service.ts"
import * as DamUrl from "../transport/DamUrl.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import { EZThrottleError } from "./Errors.ts"
import * as Given from "./Given.ts"
import type { Runtime } from "./Running.ts"

/**
 * How a client is set up.
 *
 * @category models
 * @since 0.1.0
 */
export interface EZThrottleOptions {
  /** Defaults to the environment variable `EZTHROTTLE_API_KEY`; needed for remote calls only. */
  readonly apiKey?: string | undefined
  /**
   * Base URL of a dam, such as `http://127.0.0.1:8080`: it takes the jobs instead of EZThrottle Cloud, and on this machine
   * it needs no key. Defaults to the environment variable `EZTHROTTLE_DAM_URL`.
   */
  readonly dam?: string | undefined
  /** Base URL of the proxy. Defaults to EZThrottle Cloud's. */
  readonly tracktagsUrl?: string | undefined
  /** Base URL of the service behind the proxy. Defaults to EZThrottle Cloud's. */
  readonly ezthrottleUrl?: string | undefined
  /** Tells the results that EZThrottle itself does not tell: what webhooks brought, for instance. */
  readonly receiver?: JobReceiver | undefined
  /** What takes jobs over instead of EZThrottle Cloud: an embedded dam, for instance. Disposed with the client. */
  readonly service?: (Service["Service"] & Partial<AsyncDisposable>) | undefined
  /**
   * What makes the local calls of FRUGAL steps, or makes it for as long as the client lives: on Node
   * `UndiciTransport.make()` of `ezthrottle-effect/node` costs about a third. Defaults to one over `fetch`.
   */
  readonly transport?: Exchanging | Effect.Effect<Exchanging, never, Scope.Scope> | undefined
  /**
   * Secrets that headers of steps made here may name (`Step.secret`), with the hosts that they may go to. Never handed to a
   * service. Defaults to none.
   */
  readonly secrets?: { readonly [name: string]: SecretOptions } | undefined
  /** Everything at once, a test's clock included; the other options are not looked at. Disposed with the client. */
  readonly runtime?: Runtime | undefined
}

/** What one option says, no other may say differently. */
export const checkOptions = (options: EZThrottleOptions): void => {
  Given.checkNames(options, [
    "apiKey",
    "dam",
    "tracktagsUrl",
    "ezthrottleUrl",
    "receiver",
    "service",
    "transport",
    "secrets",
    "runtime"
  ])
  const { dam, ezthrottleUrl, service, tracktagsUrl } = options
  if (dam === undefined) return
  const problem = DamUrl.problemOf(dam)
  if (problem !== undefined) throw new EZThrottleError(`dam: ${problem}`)
  if ((service ?? ezthrottleUrl ?? tracktagsUrl) !== undefined) {
    throw new EZThrottleError("dam: Expected no service, tracktagsUrl or ezthrottleUrl beside it: they say the same")
  }
}
