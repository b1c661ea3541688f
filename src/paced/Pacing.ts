/**
 * How fast calls are made to hosts, as a program says it.
 *
 * @since 0.1.0
 */
import { hostOf } from "../engine/HostName.ts"
import { ceilingPace, type Pace } from "../engine/pace/Gate.ts"
import type { Setting } from "../engine/pace/Meter.ts"

/**
 * The pace of one lane. Where neither `rps` nor `maxConcurrent` is given it is found out.
 *
 * @category models
 * @since 0.1.0
 */
export interface PaceOptions {
  /** Calls per second; fractions allowed. Defaults to 50. */
  readonly rps?: number | undefined
  /** Calls at once. Defaults to 10. */
  readonly maxConcurrent?: number | undefined
  /**
   * Whether the pace is found out, from a slow start and below the two as a ceiling. Else it is what they say, and refusals
   * alone bring it down. Defaults to `true` where neither is given.
   */
  readonly find?: boolean | undefined
  /** Whether what is left of a quota that answers tell of is spread over its window, or spent at once. Defaults to `spread`. */
  readonly told?: "spread" | "burst" | undefined
}

/**
 * Paces by host.
 *
 * @category models
 * @since 0.1.0
 */
export interface PacingOptions {
  /** The pace of every lane that `hosts` says nothing else of. It is found out by default. */
  readonly pace?: PaceOptions | undefined
  /** Paces of single hosts, such as `api.example.com` or `localhost:3000`: each instead of `pace`. Defaults to none. */
  readonly hosts?: Readonly<Record<string, PaceOptions>> | undefined
}

/**
 * Makes what says how each host is paced.
 *
 * @category constructors
 * @since 0.1.0
 */
export const settings = ({ hosts = {}, pace = {} }: PacingOptions): ((host: string) => Setting) => {
  const usual = settingOf(pace)
  const own = byHost(hosts)
  return (host) => {
    const options = own(host)
    return options === undefined ? usual : settingOf(options)
  }
}

/**
 * Reads a table by host, whose names may be written in any form.
 *
 * @category accessors
 * @since 0.1.0
 */
export const byHost = <A>(table: Readonly<Record<string, A>>): ((host: string) => A | undefined) => {
  const known = new Map(Object.entries(table).map(([name, value]) => [canonical(name), value]))
  return (host) => known.get(host)
}

// what is no host names none
const canonical = (name: string): string => {
  const url = URL.parse(name.includes("://") ? name : `https://${name}`)
  return url === null ? name : hostOf(url)
}

const settingOf = ({ find, maxConcurrent, rps, told }: PaceOptions): Setting => {
  const pace: Pace = { rps: rps ?? ceilingPace.rps, maxConcurrent: maxConcurrent ?? ceilingPace.maxConcurrent }
  return {
    pace,
    finds: find ?? (rps === undefined && maxConcurrent === undefined),
    bursts: told === "burst"
  }
}
