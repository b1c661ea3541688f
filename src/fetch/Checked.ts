/**
 * Refuses options that make no sense, with the path of the field and what was expected there.
 *
 * By readers and not by schemas: those are more than everything else that is loaded for a call.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Rules from "../step/FieldRules.ts"
import * as Names from "../step/Names.ts"
import * as DamUrl from "../transport/DamUrl.ts"
import type { FetchOptions } from "./FetchOptions.ts"

/** Throws a `TypeError` that says what is wrong with the options. */
export const check = (options: FetchOptions): void => {
  all(options, "")
  const { draws, limits = {}, permits } = options
  if (draws === undefined || typeof draws === "function" || permits !== undefined) return
  for (const [host, drawn] of Object.entries(draws)) {
    const place = drawn.findIndex(({ name }) => !Object.hasOwn(limits, name))
    if (place !== -1) refuse(`draws[${JSON.stringify(host)}][${place}].name`, "one of `limits`")
  }
}

const all: Check = (options, at) =>
  fields<FetchOptions>({
    pace,
    hosts: record(pace),
    presets: (value, at) => (typeof value === "boolean" ? undefined : presets(value, at)),
    laneOf: aFunction,
    limits: record(limit),
    draws: (value, at) => (typeof value === "function" ? undefined : record(list(draw))(value, at)),
    retry: (value, at) => (value === false ? undefined : retry(value, at)),
    forward,
    permits: anObject,
    fetch: aFunction
  })(options, at)

type Check = (value: unknown, at: string) => void

const refuse = (at: string, expected: string): never => {
  throw new TypeError(`${at === "" ? "the options" : at}: Expected ${expected}`)
}

const anObject: Check = (value, at) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(at, "object")
}

const fields =
  <A>(known: { readonly [Name in keyof A]-?: Check }): Check =>
  (value, at) => {
    anObject(value, at)
    const given: { readonly [name: string]: unknown } = { ...(value as object) } // it was looked at before
    const problem = Names.problemOf(given, Object.keys(known), at === "" ? "" : `${at}.`)
    if (problem !== undefined) throw new TypeError(problem)
    for (const [name, look] of Object.entries<Check>(known)) {
      if (given[name] !== undefined) look(given[name], at === "" ? name : `${at}.${name}`)
    }
  }

const record =
  (part: Check): Check =>
  (value, at) => {
    anObject(value, at)
    for (const [name, one] of Object.entries(value as object)) {
      part(one, /^\w+$/.test(name) ? `${at}.${name}` : `${at}[${JSON.stringify(name)}]`)
    }
  }

const list =
  (part: Check): Check =>
  (value, at) => {
    if (!Array.isArray(value)) return refuse(at, "array")
    for (const [place, one] of value.entries()) part(one, `${at}[${place}]`)
  }

const holding =
  (
    { expected, holds }: { readonly expected: string; readonly holds: (value: never) => boolean },
    kind: string
  ): Check =>
  (value, at) => {
    if (typeof value !== kind) refuse(at, kind)
    if (!holds(value as never)) refuse(at, expected) // of the kind that it holds of
  }

const aFunction: Check = (value, at) => {
  if (typeof value !== "function") refuse(at, "function")
}

const text = holding({ expected: "a text", holds: (value: string) => value !== "" }, "string")
const url = holding(Rules.url, "string")
const amount = (least: (value: number) => boolean, expected: string) =>
  holding({ expected, holds: (value: number) => Number.isFinite(value) && least(value) }, "number")
const positive = amount((value) => value > 0, "a number above 0")
const notNegative = amount((value) => value >= 0, "a number of at least 0")
const whole = amount((value) => value >= 1 && Number.isSafeInteger(value), "a whole number of at least 1")
const flag: Check = (value, at) => {
  if (typeof value !== "boolean") refuse(at, "boolean")
}

const duration: Check = (value, at) => {
  const given = Duration.fromInput(value as Duration.Input) // whatever it is: it is looked at there
  if (Option.isNone(given) || !(Duration.toMillis(given.value) > 0)) {
    refuse(at, 'a positive duration such as "30 seconds" or 500 (milliseconds)')
  }
}

const oneOf =
  (...words: ReadonlyArray<unknown>): Check =>
  (value, at) => {
    if (!words.includes(value)) refuse(at, words.map((word) => `"${word}"`).join(" | "))
  }

const pace = fields<NonNullable<FetchOptions["pace"]>>({
  rps: positive,
  maxConcurrent: whole,
  find: flag,
  told: oneOf("spread", "burst")
})

// what a preset of one's own says, TypeScript looks at: its schema is for files
const presets = fields<Exclude<FetchOptions["presets"], boolean | undefined>>({
  off: list(text),
  own: list(anObject)
})

const limitFields = fields<NonNullable<FetchOptions["limits"]>[string]>({
  rate: positive,
  per: duration,
  burst: positive,
  concurrency: whole,
  settle: (value, at) => {
    anObject(value, at)
    const names = Object.keys(value as object)
    if (names.length !== 1) refuse(at, '"header" or "json", one of them')
    fields<{ readonly header: string; readonly json: string }>({ header: text, json: text })(value, at)
  }
})

const limit: Check = (value, at) => {
  limitFields(value, at)
  const { concurrency, rate }: { readonly concurrency?: unknown; readonly rate?: unknown } = { ...(value as object) }
  if (rate === undefined && concurrency === undefined) refuse(at, '"rate" or "concurrency", or both')
}

const draw = fields<{ readonly name: string; readonly key: string; readonly cost: number }>({
  name: text,
  key: (value, at) => (value === "" ? undefined : text(value, at)),
  cost: notNegative
})

const retry = fields<Exclude<FetchOptions["retry"], false | undefined>>({
  maxRetries: holding(Rules.retries, "number"),
  retryCodes: list(holding(Rules.code, "number")),
  base: duration,
  cap: duration,
  patience: duration
})

const forwardFields = fields<NonNullable<FetchOptions["forward"]>>({
  dam: (value, at) => {
    const problem = DamUrl.problemOf(value)
    if (problem !== undefined) throw new TypeError(`${at}: ${problem}`)
  },
  apiKey: text,
  tracktagsUrl: url,
  ezthrottleUrl: url,
  webhook: url
})

const forward: Check = (value, at) => {
  forwardFields(value, at)
  const { apiKey, dam }: { readonly apiKey?: unknown; readonly dam?: unknown } = { ...(value as object) }
  if (apiKey === undefined && dam === undefined) refuse(at, '"dam", or "apiKey" for EZThrottle Cloud')
}
