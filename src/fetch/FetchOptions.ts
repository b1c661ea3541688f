/**
 * What a paced `fetch` is made of.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type { DrawOptions } from "../paced/Asking.ts"
import type { LimitOptions } from "../engine/limits/LimitOptions.ts"
import type { PacingOptions } from "../paced/Pacing.ts"
import type { Permits } from "../paced/Permits.ts"
import type { PresetOptions } from "../presets/Known.ts"

/**
 * A call, as far as it is known before it is sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface FetchCall {
  readonly url: URL
  /** In upper case. */
  readonly method: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** `undefined` where there is none, and where it is a stream, a form or a file. */
  readonly body: string | Uint8Array | undefined
}

/**
 * How often a call is made again.
 *
 * @category models
 * @since 0.1.0
 */
export interface FetchRetryOptions {
  /** Further attempts. Defaults to `3`; `0` makes one. */
  readonly maxRetries?: number | undefined
  /** Statuses that are tried again; 429 stands for every refusal. Defaults to 429, 500, 502, 503 and 504. */
  readonly retryCodes?: ReadonlyArray<number> | undefined
  /** Ceiling of the pause before the first retry; each later one doubles, with full jitter. Defaults to 200 ms. */
  readonly base?: Duration.Input | undefined
  /** Ceiling of our own pauses. Defaults to 30 seconds. */
  readonly cap?: Duration.Input | undefined
  /** The longest wait that an upstream may ask for; one that is longer is the caller's. Defaults to 1 minute. */
  readonly patience?: Duration.Input | undefined
}

/**
 * Who takes calls over that could not be made here.
 *
 * @category models
 * @since 0.1.0
 */
export interface FetchForwardOptions {
  /** Base URL of a dam, such as `http://127.0.0.1:8080`. */
  readonly dam?: string | undefined
  /** For EZThrottle Cloud, and for a dam that asks for one. */
  readonly apiKey?: string | undefined
  /** Base URL of the proxy. Defaults to EZThrottle Cloud's. */
  readonly tracktagsUrl?: string | undefined
  /** Base URL of the service behind the proxy. Defaults to EZThrottle Cloud's. */
  readonly ezthrottleUrl?: string | undefined
  /** Who is told the result. Defaults to nobody. */
  readonly webhook?: string | undefined
}

/**
 * The options of `createFetch`.
 *
 * @category models
 * @since 0.1.0
 */
export interface FetchOptions extends PacingOptions {
  /**
   * What is known of providers: what their limits belong to, and how they refuse. Presets of your own or without some of
   * ours, or `false` for none. Defaults to `true`.
   */
  readonly presets?: boolean | PresetOptions | undefined
  /** Names the lane of a call; `undefined` for what it would be without. Defaults to what the presets say, else the host. */
  readonly laneOf?: ((call: FetchCall) => string | undefined) | undefined
  /** What calls draw on besides the pace of their lanes, by name. Defaults to none. */
  readonly limits?: Readonly<Record<string, LimitOptions>> | undefined
  /** Which calls draw on which limits: a function, or a table by host. Defaults to none. */
  readonly draws?:
    ((call: FetchCall) => ReadonlyArray<DrawOptions>) | Readonly<Record<string, ReadonlyArray<DrawOptions>>> | undefined
  /** `false` makes each call once. */
  readonly retry?: FetchRetryOptions | false | undefined
  /** Who takes a call over as a job when its retries are used up. Defaults to nobody. */
  readonly forward?: FetchForwardOptions | undefined
  /** Who lets calls through, instead of lanes and limits in memory. */
  readonly permits?: Permits["Service"] | undefined
  /** Makes the calls. Defaults to the platform's `fetch`, looked up at each call. */
  readonly fetch?: typeof globalThis.fetch | undefined
}
