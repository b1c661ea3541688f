/**
 * What a chained step takes from the answer before it: places of that answer, and places of its own call, both written
 * as JSON Pointers. So a step stays a value that can be stored and sent, and nothing in it is ever run.
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as JsonText from "./JsonText.ts"
import type { Request } from "./Request.ts"
import type { Fill, Step } from "./StepModel.ts"

/** With more; one into the same place takes the place of that before it. */
export const adding = (self: ReadonlyArray<Fill>, more: ReadonlyArray<Fill>): ReadonlyArray<Fill> =>
  inOrder([...self.filter(({ into }) => !more.some((one) => one.into === into)), ...more])

/** By the place that is filled, so that steps which say the same are equal. */
export const inOrder = (fills: ReadonlyArray<Fill>): ReadonlyArray<Fill> =>
  fills.length < 2 ? fills : fills.toSorted((a, b) => (a.into < b.into ? -1 : a.into > b.into ? 1 : 0))

/** Whether a call of the line takes from the answer before it. */
export const takes = ({ fallbacks, fills }: Step): boolean =>
  fills.length > 0 || fallbacks.some(({ step }) => step.fills.length > 0)

/** The parts of a pointer, without its escapes. */
export const partsOf = (pointer: string): ReadonlyArray<string> =>
  pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))

/** A part as it stands in a pointer. */
export const escaped = (part: string): string => part.replaceAll("~", "~0").replaceAll("/", "~1")

/** What stands at a place of a JSON value; `undefined`: nothing does. */
export const at = (root: Schema.Json, parts: ReadonlyArray<string>): Schema.Json | undefined => {
  let value: Schema.Json | undefined = root
  for (const part of parts) {
    if (typeof value !== "object" || value === null) return undefined
    if (Array.isArray(value) && !INDEX.test(part)) return undefined
    // what an object inherits is no part of the JSON
    const found: unknown = Object.getOwnPropertyDescriptor(value, part)?.value
    value = found as Schema.Json | undefined // a part of JSON is JSON
  }
  return value
}

/** The parts of a URL that is written so plainly that nothing behind its origin can lead elsewhere. */
export interface PlainUrl {
  readonly origin: string
  readonly path: string
  readonly query: string
  readonly hash: string
}

export const plainUrl = (url: string): PlainUrl | undefined => {
  const [, origin, path = "", query = "", hash = ""] = PLAIN.exec(url) ?? []
  return origin === undefined ? undefined : { origin, path, query, hash }
}

/** Finds what keeps a fill from its place in a call; `undefined`: nothing does. */
export const misplaced = (request: Request, fills: ReadonlyArray<Fill>): string | undefined => {
  for (const { into } of fills) {
    const problem = problemOf(request, fills, into)
    if (problem !== undefined) return `${into} ${problem}`
  }
  return undefined
}

const problemOf = (request: Request, fills: ReadonlyArray<Fill>, into: string): string | undefined => {
  const [place = "", name = ""] = partsOf(into)
  if (place === "path" || place === "query") {
    const url = plainUrl(request.url)
    if (url === undefined) return "needs a URL without user, backslash or white space; write it plainly"
    if (place === "path") {
      return url.path.includes(`{${name}}`) ? undefined : `has no place: write {${name}} into the path of the URL`
    }
    return new URLSearchParams(url.query).has(name) ? "stands in the URL already; leave it out there" : undefined
  }
  if (place !== "body") return undefined
  if (into === "/body") {
    if (request.body !== undefined) return "is the whole body, and the step has one already; leave one of them out"
    return fills.some((one) => one.into.startsWith("/body/"))
      ? "is the whole body, so nothing else fills it"
      : undefined
  }
  if (fills.some((one) => into.startsWith(`${one.into}/`))) return "stands within another place that is filled"
  const template = templateOf(request.body)
  if (template === undefined) return "has no place: the body is no JSON"
  if (!isExact(template)) return "has no place: the body has a number that is too large to be kept exactly"
  return at(template, partsOf(into).slice(1)) === undefined ? "has no place in the body; put null there" : undefined
}

/** The body as JSON. */
export const templateOf = (body: Request["body"]): Schema.Json | undefined => {
  if (body === undefined) return undefined
  const read = Result.try(() => JsonText.parse(typeof body === "string" ? body : strictUtf8.decode(body)))
  return Result.getOrUndefined(read)
}

/** Whether every number is written as it came: those beyond 2^53 are not, and an id that is off by one is another id. */
export const isExact = (root: Schema.Json): boolean => {
  const left: Array<unknown> = [root]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER) return false
    if (typeof value === "object" && value !== null) for (const part of Object.values(value)) left.push(part)
  }
  return true
}

const INDEX = /^(?:0|[1-9]\d{0,8})$/
const PLAIN = /^(https?:\/\/[^/?#\\@{}\s]+)(\/[^?#\\\s]*)?(\?[^#\s]*)?(#\S*)?$/i
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
