/**
 * How often, on which answers and after which pauses a call is repeated.
 *
 * A policy is data: what was left out stays visible and is filled in where it is used (`resolve`). Only the two counts
 * and the two lists travel on the wire; the pauses belong to whoever executes.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

/**
 * The policy of a step as given; what is `undefined` takes the protocol's default.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryPolicy {
  readonly maxRetries: number | undefined
  readonly maxReroutes: number | undefined
  readonly retryCodes: ReadonlyArray<number> | undefined
  readonly rerouteCodes: ReadonlyArray<number> | undefined
  readonly base: Duration.Duration | undefined
  readonly cap: Duration.Duration | undefined
}

/**
 * What a retry policy can say.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryPolicyOptions {
  /** Further attempts in the same region, shared by all regions of a race. Defaults to `3`; `0` disables retrying. */
  readonly maxRetries?: number | undefined
  /** Further attempts in another region. Defaults to `2`; `0` disables rerouting. */
  readonly maxReroutes?: number | undefined
  /** Status codes that are tried again in the same region. Defaults to 429 and 503. */
  readonly retryCodes?: ReadonlyArray<number> | undefined
  /** Status codes that go to another region, and are retried where none is left. Defaults to 500, 502 and 504. */
  readonly rerouteCodes?: ReadonlyArray<number> | undefined
  /** Ceiling of the pause before the first retry; each later one doubles, with full jitter. Defaults to 200 ms. */
  readonly base?: Duration.Input | undefined
  /**
   * Ceiling of our own pauses, of the first one too; a `Retry-After` may ask for more. Defaults to 30 seconds, or to `base`
   * where that is longer.
   */
  readonly cap?: Duration.Input | undefined
}

/**
 * A policy with every default filled in.
 *
 * @category models
 * @since 0.1.0
 */
export interface ResolvedRetryPolicy {
  readonly maxRetries: number
  readonly maxReroutes: number
  readonly retryCodes: ReadonlyArray<number>
  readonly rerouteCodes: ReadonlyArray<number>
  readonly base: Duration.Duration
  readonly cap: Duration.Duration
  /** Only endings that say that nothing was carried out are followed by another attempt. Defaults to `false`. */
  readonly isCareful?: boolean | undefined
}

/**
 * The protocol's defaults (wire protocol, "Retry defaults") with this library's pauses.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaults: ResolvedRetryPolicy = {
  maxRetries: 3,
  maxReroutes: 2,
  retryCodes: [429, 503],
  rerouteCodes: [500, 502, 504],
  base: Duration.millis(200),
  cap: Duration.seconds(30)
}

/**
 * One attempt: what the client does with a step that names no policy. The lists still tell a race which answers end it.
 *
 * @category constants
 * @since 0.1.0
 */
export const once: ResolvedRetryPolicy = { ...defaults, maxRetries: 0, maxReroutes: 0 }

/**
 * What a durable service does with a step that names no policy: whatever may be over in a moment is asked for again, the
 * words of proxies that were too early, too slow or without their target included.
 *
 * @category constants
 * @since 0.1.0
 */
export const durable: ResolvedRetryPolicy = {
  ...defaults,
  retryCodes: [408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529]
}

/**
 * Fills in the defaults. Without a policy the result is `unset`, which defaults to `once`.
 *
 * @category accessors
 * @since 0.1.0
 */
export const resolve = (self: RetryPolicy | undefined, unset: ResolvedRetryPolicy = once): ResolvedRetryPolicy =>
  self === undefined
    ? unset
    : {
        maxRetries: self.maxRetries ?? defaults.maxRetries,
        maxReroutes: self.maxReroutes ?? defaults.maxReroutes,
        retryCodes: self.retryCodes ?? defaults.retryCodes,
        rerouteCodes: self.rerouteCodes ?? defaults.rerouteCodes,
        base: self.base ?? defaults.base,
        // whoever asks for longer pauses and for no ceiling has them
        cap: self.cap ?? Duration.max(defaults.cap, self.base ?? defaults.base)
      }

/**
 * Prints a policy the way a person would say it.
 *
 * @category accessors
 * @since 0.1.0
 */
export const format = (self: RetryPolicy): string => {
  const { base, cap, maxReroutes, maxRetries, rerouteCodes, retryCodes } = resolve(self)
  const pauses = Duration.isLessThan(base, cap)
    ? `pauses up to ${Duration.format(base)} doubling to ${Duration.format(cap)}`
    : `pauses up to ${Duration.format(cap)}`
  return `${times(maxRetries, "retry", "retries", retryCodes)}; ${times(maxReroutes, "reroute", "reroutes", rerouteCodes)}; ${pauses}`
}

const times = (count: number, one: string, many: string, codes: ReadonlyArray<number>): string =>
  count === 0 ? `no ${many}` : `${count} ${count === 1 ? one : many} on ${codes.join(", ") || "no status"}`
