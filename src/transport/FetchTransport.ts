/**
 * Exchanges straight over `fetch`: the transport to take where there is no Node, and the leanest.
 *
 * @since 0.1.0
 */
import * as FetchCall from "./FetchCall.ts"
import type { Exchanging } from "./HttpTransport.ts"
import { told } from "./Redirects.ts"
import { DEFAULT_MAX_BYTES, type ResponseLimits } from "./ResponseBody.ts"
import * as TimeLimit from "./TimeLimit.ts"

/**
 * What `fetch` may be told besides the request itself, `credentials` or `cache` for instance.
 *
 * @category models
 * @since 0.1.0
 */
export type FetchInit = FetchCall.FetchInit

/**
 * What the transport takes besides a client.
 *
 * @category models
 * @since 0.1.0
 */
export interface LocalOptions extends ResponseLimits {
  /** Passed on to `fetch` by clients made of it. Nothing by default. */
  readonly requestInit?: FetchInit | undefined
}

/**
 * What the transport over `fetch` takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface FetchOptions extends LocalOptions {
  /** Defaults to the platform's `fetch`, looked up at each call. */
  readonly fetch?: FetchCall.Fetch | undefined
}

/**
 * Makes a transport straight over `fetch`: the one to take where there is no Node, and the leanest of this module.
 *
 * **Gotchas** — browsers hide redirects from scripts, so there a redirect is `InvalidResponse`; `fetch` cannot send GET
 * or HEAD with a body.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeFetch = (options: FetchOptions = {}): Exchanging =>
  TimeLimit.keeping(
    told(
      FetchCall.over(
        options.fetch ?? FetchCall.platform,
        options.requestInit ?? {},
        options.maxResponseBytes ?? DEFAULT_MAX_BYTES
      )
    )
  )
