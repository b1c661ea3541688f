/**
 * Limits as people write them, in a configuration, in TypeScript or to the API: what is left out, and what cannot be.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { Limit } from "../../engine/limits/Limit.ts"
import * as Limits from "../../engine/limits/LimitOptions.ts"
import * as JsonPath from "../../presets/JsonPath.ts"
import * as Rules from "../../step/FieldRules.ts"

/**
 * A limit that several calls draw on. It has a rate, a number of calls at once, or both.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitOptions extends Limits.LimitOptions {
  /** How much of what is scarce each customer gets beside the others. Defaults to 1 for each. */
  readonly weights?: Readonly<Record<string, number>> | undefined
}

/**
 * The limit that is meant.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ weights = {}, ...options }: LimitOptions): Limit => ({ ...Limits.resolve(options), weights })

/** What is wrong in a limit, and below which of its names. */
interface LimitProblem {
  readonly path: ReadonlyArray<string>
  readonly problem: string
}

/**
 * Finds what is wrong with a limit, whoever wrote it; `undefined` where nothing is.
 *
 * @category guards
 * @since 0.1.0
 */
export const problemIn = (options: LimitOptions): LimitProblem | undefined => {
  const { burst, concurrency, per, rate, settle, weights = {} } = options
  const light = Object.entries(weights).find(([, weight]) => !isAbove(weight, 0))
  const checks: ReadonlyArray<readonly [boolean, ReadonlyArray<string>, string]> = [
    [rate === undefined && concurrency === undefined, ["rate"], "Expected rate, concurrency or both"],
    [rate !== undefined && !isAbove(rate, 0), ["rate"], "Expected a number above 0"],
    [per !== undefined && !isSpan(per), ["per"], "Expected a length of time from 1 millisecond to 366 days"],
    [burst !== undefined && rate === undefined, ["burst"], "Expected a rate beside it"],
    [burst !== undefined && !isAbove(burst, 0), ["burst"], "Expected a number above 0"],
    [concurrency !== undefined && !isCount(concurrency), ["concurrency"], "Expected a whole number from 1 to 1000000"],
    [settle !== undefined && !isSettle(settle), ["settle"], SETTLE_EXPECTED],
    [light !== undefined, ["weights", light?.[0] ?? ""], "Expected a number above 0"]
  ]
  const wrong = checks.find(([isWrong]) => isWrong)
  return wrong && { path: wrong[1], problem: wrong[2] }
}

/**
 * Finds what is wrong with the names and the fields of several.
 *
 * @category guards
 * @since 0.1.0
 */
export const problemInAll = (limits: Readonly<Record<string, LimitOptions>>): LimitProblem | undefined => {
  for (const [name, options] of Object.entries(limits)) {
    if (typeof options !== "object" || options === null) return { path: [name], problem: "Expected an object" }
    if (!Rules.limitName.holds(name)) return { path: [name], problem: `Expected ${Rules.limitName.expected}` }
    const found = problemIn(options)
    if (found !== undefined) return { path: [name, ...found.path], problem: found.problem }
  }
  return undefined
}

/** What `settle` may be. */
const SETTLE_EXPECTED = "Expected the name of a header, or a path into JSON such as usage.total_tokens"

const isAbove = (value: unknown, least: number): boolean =>
  typeof value === "number" && Number.isFinite(value) && value > least

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1 && value <= 1_000_000

const isSpan = (per: Duration.Input): boolean => {
  const millis = Option.match(Duration.fromInput(per), { onNone: () => Number.NaN, onSome: Duration.toMillis })
  return millis >= 1 && millis <= LONGEST
}

const isSettle = (settle: { readonly header?: unknown; readonly json?: unknown }): boolean =>
  typeof settle.header === "string"
    ? settle.json === undefined && Rules.method.holds(settle.header)
    : settle.header === undefined && typeof settle.json === "string" && JsonPath.isPath(settle.json)

const LONGEST = 366 * 24 * 60 * 60 * 1000
