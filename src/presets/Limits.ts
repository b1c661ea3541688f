/**
 * Reads the limits that an answer tells, in the dialects that a preset names.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type * as Schema from "effect/Schema"
import * as Members from "../engine/Members.ts"
import * as RateLimitHeaders from "../engine/RateLimitHeaders.ts"
import { type Answered, headerIn } from "./Answered.ts"
import * as Figures from "./Figures.ts"
import { holds } from "./Holds.ts"
import * as JsonPath from "./JsonPath.ts"
import type { Limit, Notation } from "./Preset.ts"

/**
 * A limit as it was told; each figure is there when it was, and could be read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Told {
  readonly name: string
  readonly limit: number | undefined
  readonly remaining: number | undefined
  readonly resetMillis: number | undefined
  /** How that was written: a moment is read against the clock of whoever told it. */
  readonly resetText: string | undefined
  readonly windowMillis: number | undefined
}

/**
 * Every limit that is told.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (limits: ReadonlyArray<Limit>, answered: Answered, nowMillis: number): ReadonlyArray<Told> =>
  limits.flatMap((limit) => {
    const { unless, when } = limit
    if (when !== undefined && !holds(when, answered)) return []
    if (unless !== undefined && holds(unless, answered)) return []
    return inDialect(limit, answered, nowMillis)
  })

const inDialect = (limit: Limit, answered: Answered, nowMillis: number): ReadonlyArray<Told> => {
  switch (limit.dialect) {
    case "headers":
      return inHeaders(limit, answered, nowMillis)
    case "pair":
      return inPair(limit, answered)
    case "keys":
      return inKeys(limit, answered, nowMillis)
    case "body":
      return inBody(limit, answered, nowMillis)
    case "common":
      return inCommonForm(answered, nowMillis)
  }
}

type In<Dialect extends Limit["dialect"]> = Extract<Limit, { readonly dialect: Dialect }>

const inHeaders = (form: In<"headers">, answered: Answered, nowMillis: number): ReadonlyArray<Told> => {
  const { headers } = answered
  const patterns = [...some(form.limit), ...some(form.remaining), ...some(form.used)]
  return starsIn(patterns, headers).flatMap((star) => {
    const first = (names: string | ReadonlyArray<string> | undefined) =>
      some(names).flatMap((name) => valueOf(headers, name, star))[0]
    const limitText = first(form.limit)
    const [reset = noReset] = (form.reset ?? []).flatMap(({ header, in: notation }) =>
      valueOf(headers, header, star)
        .map((text) => resetOf(text, notation, nowMillis))
        .filter(({ resetMillis }) => resetMillis !== undefined)
    )
    const { window } = form
    const windows =
      window === undefined
        ? []
        : valueOf(headers, window.header, star).flatMap((text) => defined(Figures.until(text, window.in, nowMillis)))
    return told({
      name: nameOf(form.name, answered, star),
      limit: Figures.amount(limitText),
      remaining: Figures.amount(first(form.remaining)),
      used: Figures.amount(first(form.used)),
      ...reset,
      windowMillis: windows[0] ?? Figures.appendedWindow(limitText)
    })
  })
}

const inPair = ({ header, key, name }: In<"pair">, answered: Answered): ReadonlyArray<Told> => {
  const value = headerIn(answered.headers, header) ?? ""
  const parts = value.split(/[,;]/).map((part) => part.trim())
  const [pair] =
    key === undefined
      ? parts
      : parts.flatMap((part) => (part.startsWith(`${key}=`) ? [part.slice(key.length + 1)] : []))
  const [, used, limit] = /^(\d{1,15}(?:\.\d+)?)\/(\d{1,15}(?:\.\d+)?)/.exec(pair ?? "") ?? []
  return told({ ...nothing, name: nameOf(name, answered), limit: Figures.amount(limit), used: Figures.amount(used) })
}

const inKeys = (form: In<"keys">, answered: Answered, nowMillis: number): ReadonlyArray<Told> =>
  starsIn([form.header], answered.headers).flatMap((star) =>
    valueOf(answered.headers, form.header, star)
      .flatMap(Members.members)
      .flatMap(({ head, parameters }) => {
        const pairs = new Map([...Members.keyed(head), ...parameters])
        const at = (key: string | undefined) => (key === undefined ? undefined : pairs.get(key))
        const title = head.includes("=") ? "" : Members.unquoted(head)
        return told({
          ...nothing,
          name: title === "" || form.name !== undefined ? nameOf(form.name, answered, star) : title,
          limit: Figures.amount(at(form.limit)),
          remaining: Figures.amount(at(form.remaining)),
          ...(form.reset && resetOf(at(form.reset.key), form.reset.in, nowMillis))
        })
      })
  )

const inBody = (form: In<"body">, answered: Answered, nowMillis: number): ReadonlyArray<Told> => {
  const at = (path: string | undefined) =>
    path === undefined ? undefined : JsonPath.valuesAt(answered.json(), path).at(-1)
  return told({
    ...nothing,
    name: nameOf(form.name, answered),
    limit: Figures.amount(at(form.limit)),
    remaining: Figures.amount(at(form.remaining)),
    ...(form.reset && resetOf(at(form.reset.path), form.reset.in, nowMillis))
  })
}

const inCommonForm = ({ headers }: Answered, nowMillis: number): ReadonlyArray<Told> =>
  RateLimitHeaders.quotas(headers, nowMillis).map(({ name = "", window, ...quota }) => ({
    ...nothing,
    ...quota,
    name: name === "" ? usual : name,
    windowMillis: window && Duration.toMillis(window)
  }))

const noReset = { resetMillis: undefined, resetText: undefined }

const resetOf = (value: Schema.Json | undefined, notation: Notation, nowMillis: number) => {
  const resetMillis = Figures.until(value, notation, nowMillis)
  return resetMillis === undefined ? noReset : { resetMillis, resetText: String(value) }
}

interface Read extends Told {
  readonly used: number | undefined
}

const nothing = {
  limit: undefined,
  remaining: undefined,
  used: undefined,
  ...noReset,
  windowMillis: undefined
}

/** An amount below zero is none; beside a limit below zero, which there is not, it is nothing that was counted. */
const told = ({ limit: asTold, remaining, used, ...rest }: Read): ReadonlyArray<Told> => {
  const limit = asTold !== undefined && asTold < 0 ? undefined : asTold
  const left = remaining ?? (limit === undefined || used === undefined ? undefined : limit - used)
  const isNoCount = asTold !== undefined && asTold < 0 && left !== undefined && left < 0
  const counted = left === undefined || isNoCount ? undefined : Math.max(0, Math.floor(left))
  return limit === undefined && counted === undefined ? [] : [{ ...rest, limit, remaining: counted }]
}

/** What the one star of some patterns stands for, in the order of the headers; one nothing where there is no star. */
const starsIn = (patterns: ReadonlyArray<string>, headers: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  const starred = patterns.filter((pattern) => pattern.includes("*")).map((pattern) => pattern.split("*"))
  if (starred.length === 0) return [""]
  const stars = Object.keys(headers).flatMap((name) =>
    starred.flatMap(([before = "", after = ""]) =>
      name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after)
        ? [name.slice(before.length, name.length - after.length)]
        : []
    )
  )
  return [...new Set(stars)]
}

const valueOf = (headers: Readonly<Record<string, string>>, pattern: string, star: string): ReadonlyArray<string> =>
  defined(
    headerIn(
      headers,
      pattern.replace("*", () => star)
    )
  )

/** A template in which a header that was not sent leaves nothing to name. */
const nameOf = (template: string | undefined, { headers }: Answered, star = ""): string => {
  if (template === undefined) return star === "" ? usual : star
  const names = [...template.matchAll(/\{([^{}]+)\}/g)].map(([, name = ""]) => name)
  if (names.some((name) => (headerIn(headers, name) ?? "") === "")) return usual
  return template
    .replace("*", () => star)
    .replaceAll(/\{([^{}]+)\}/g, (_, name: string) => headerIn(headers, name) ?? "")
}

const usual = "requests"

const some = (names: string | ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  names === undefined ? [] : typeof names === "string" ? [names] : names

const defined = <A>(value: A | undefined): ReadonlyArray<A> => (value === undefined ? [] : [value])
