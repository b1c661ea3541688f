/** What people say of a breaker, and what it goes by then. */
import * as Duration from "effect/Duration"
import type { Settings } from "./Breaker.ts"

/**
 * When the breaker of a target opens, and how it closes again. What is left out is as whoever keeps the breaker says.
 *
 * @category models
 * @since 0.1.0
 */
export interface BreakerOptions {
  /** The share of failures from which on it opens. Defaults to 0.5, in a dam to 0.8. */
  readonly failureRate?: number | undefined
  /** Calls within the window before it can. Defaults to 20, in a dam to 50. */
  readonly minimum?: number | undefined
  /** How far back calls count. Defaults to 30 seconds, in a dam to a minute. */
  readonly window?: Duration.Input | undefined
  /** How long nothing is sent; doubles each time the probe after it fails, a quarter of it drawn. Defaults to 5 seconds. */
  readonly coolDown?: Duration.Input | undefined
  /** Bound of that. Defaults to 2 minutes. */
  readonly longest?: Duration.Input | undefined
  /** The shares of calls that go after the probe, one after the other. Defaults to 0.1, 0.25 and 0.5. */
  readonly ramp?: ReadonlyArray<number> | undefined
  /** How long each of them lasts. Defaults to 5 seconds. */
  readonly step?: Duration.Input | undefined
}

/** Fills in what was left out. */
export const settingsOf = (options: BreakerOptions, unset: Settings): Settings => ({
  failureRate: options.failureRate ?? unset.failureRate,
  minimum: options.minimum ?? unset.minimum,
  window: millis(options.window, unset.window),
  coolDown: millis(options.coolDown, unset.coolDown),
  longest: millis(options.longest, unset.longest),
  ramp: options.ramp ?? unset.ramp,
  step: millis(options.step, unset.step)
})

/** What is wrong with settings; `undefined`: nothing. */
export const problemOf = ({ coolDown, failureRate, minimum, ramp, step, window }: Settings): string | undefined => {
  if (!isShare(failureRate) || !ramp.every(isShare))
    return "The rate and the ramp of a breaker are shares above 0, up to 1."
  return minimum >= 1 && window > 0 && coolDown > 0 && step > 0
    ? undefined
    : "A breaker has a minimum of 1 or more, and times above 0."
}

const millis = (given: Duration.Input | undefined, unset: number): number =>
  given === undefined ? unset : Duration.toMillis(Duration.fromInputUnsafe(given))

const isShare = (value: number): boolean => value > 0 && value <= 1
