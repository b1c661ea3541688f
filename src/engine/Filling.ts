/**
 * Fills a chained step with what it takes from the answer before it. Pure.
 *
 * Everything that is taken is encoded for its place: into one segment of the path, one value of the query, one header or
 * one value of a JSON body. None of it can reach scheme, host or port, or add a segment, a parameter or a header of its
 * own; what cannot stand in its place is a `NotTaken`, and nothing is sent.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Rules from "../step/FieldRules.ts"
import * as Fills from "../step/Fills.ts"
import type { Outcome, StepError } from "../step/Outcome.ts"
import { NotTaken } from "../step/Outcome.ts"
import type { Response } from "../step/ReplyModel.ts"
import { header, type Request } from "../step/Request.ts"
import type { Fill, Step } from "../step/StepModel.ts"
import { makeStep } from "../step/StepValue.ts"

/**
 * What a step has to take from.
 *
 * @category models
 * @since 0.1.0
 */
export interface Given {
  /** The answer of the step before it; `undefined`: it ended without one. */
  readonly response: Response | undefined
  /** Of the step before it. */
  readonly metadata: Step["metadata"]
}

/**
 * Fills a step and its fallbacks, and lets the metadata of the step before it travel on, under its own. A step that takes
 * nothing is returned as it is.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fill = (step: Step, given: Given): Result.Result<Step, NotTaken> => {
  if (!Fills.takes(step)) return Result.succeed(step)
  const read = reading(given)
  return Result.gen(function* () {
    const fallbacks = []
    for (const fallback of step.fallbacks) {
      fallbacks.push({ ...fallback, step: yield* filled(fallback.step, given, read) })
    }
    return makeStep({ ...(yield* filled(step, given, read)), fallbacks })
  })
}

/**
 * The answer that ended a step: of a success that of its target, of a failure the last one there was.
 *
 * @category accessors
 * @since 0.1.0
 */
export const answerOf = (end: Outcome | StepError): Response | undefined => {
  if (end._tag === "Completed") return end.response
  if (end._tag === "Accepted") return undefined
  const { history, reason } = end
  return reason._tag === "Rejected" || reason._tag === "QuotaUsedUp"
    ? reason.response
    : history.findLast(({ response }) => response !== undefined)?.response
}

/** What stands at a place of the answer; bytes where it is the whole body. */
type Read = (from: string) => Schema.Json | Uint8Array | undefined

const reading = ({ metadata, response }: Given): Read => {
  let body: { readonly json: Schema.Json | undefined } | undefined
  return (from) => {
    const [first, second = "", ...rest] = Fills.partsOf(from)
    if (first === "metadata") return Fills.at(metadata, [second, ...rest])
    if (response === undefined) return undefined
    if (second === "status") return response.status
    if (second === "headers") return header(response, rest[0] ?? "")
    if (rest.length === 0) return response.body
    body ??= { json: Fills.templateOf(response.body) }
    return body.json === undefined ? undefined : Fills.at(body.json, rest)
  }
}

const filled = (step: Step, given: Given, read: Read): Result.Result<Step, NotTaken> =>
  Result.gen(function* () {
    let { request } = step
    const texts = new Map<string, string>()
    for (const one of step.fills) {
      const value = read(one.from)
      if (value === undefined) return yield* refuse(one, "missing")
      const [place = "", name = ""] = Fills.partsOf(one.into)
      if (place === "body") request = yield* intoBody(request, one, value, given.response)
      else {
        const text = yield* textOf(one, value)
        if (place === "path") texts.set(name, yield* segmentOf(one, text))
        else request = place === "query" ? intoQuery(request, name, text) : yield* intoHeader(request, one, name, text)
      }
    }
    if (texts.size > 0) request = yield* intoPath(request, step.fills, texts)
    return makeStep({ ...step, request, fills: [], metadata: { ...travelling(given.metadata), ...step.metadata } })
  })

/** What this library keeps in the metadata of a job belongs to that job alone. */
const travelling = (metadata: Step["metadata"]): Step["metadata"] =>
  Object.fromEntries(Object.entries(metadata).filter(([name]) => !name.startsWith("ezthrottle_")))

/** A value as it stands in a URL or header: text, a number, true or false. */
const textOf = (one: Fill, value: Schema.Json | Uint8Array): Result.Result<string, NotTaken> => {
  if (value instanceof Uint8Array) {
    return Result.mapError(
      Result.try(() => strictUtf8.decode(value)),
      () => notTaken(one, "wrong_kind")
    )
  }
  if (typeof value === "string") return Result.succeed(value)
  if (typeof value === "number") {
    return Fills.isExact(value) ? Result.succeed(String(value)) : refuse(one, "not_exact")
  }
  return typeof value === "boolean" ? Result.succeed(String(value)) : refuse(one, "wrong_kind")
}

/** Nothing at all would make the path that of something else: `DELETE /orders/` is not `DELETE /orders/7`. */
const segmentOf = (one: Fill, text: string): Result.Result<string, NotTaken> =>
  text === "" ? refuse(one, "empty") : Result.succeed(encoded(text))

const intoPath = (
  request: Request,
  fills: ReadonlyArray<Fill>,
  texts: ReadonlyMap<string, string>
): Result.Result<Request, NotTaken> => {
  const url = plain(request.url)
  const whole = (segment: string) => segment.replace(HOLE, (hole, name: string) => texts.get(name) ?? hole)
  const segments = url.path.split("/")
  // no encoding keeps `.` and `..` from being steps on the way
  const climbing = segments.find((segment) => DOTS.test(whole(segment)) && !DOTS.test(segment))
  if (climbing !== undefined) {
    const one = fills.find(({ into }) => into.startsWith("/path/") && climbing.includes(`{${into.slice(6)}}`))
    if (one !== undefined) return refuse(one, "dot_segment")
  }
  return Result.succeed({ ...request, url: url.origin + segments.map(whole).join("/") + url.query + url.hash })
}

const intoQuery = (request: Request, name: string, text: string): Request => {
  const { hash, origin, path, query } = plain(request.url)
  const before = query === "" ? "?" : query === "?" ? query : `${query}&`
  return { ...request, url: `${origin}${path}${before}${encoded(name)}=${encoded(text)}${hash}` }
}

const intoHeader = (request: Request, one: Fill, name: string, text: string): Result.Result<Request, NotTaken> =>
  Rules.headers({ [name]: text }) === undefined
    ? Result.succeed({ ...request, headers: { ...without(request.headers, name), [name]: text } })
    : refuse(one, LINE_BREAK.test(text) ? "line_break" : "not_latin1")

const intoBody = (
  request: Request,
  one: Fill,
  value: Schema.Json | Uint8Array,
  response: Response | undefined
): Result.Result<Request, NotTaken> => {
  const [, ...parts] = Fills.partsOf(one.into)
  if (parts.length === 0 && value instanceof Uint8Array) {
    const type = response && header(response, "content-type")
    return Result.succeed({ ...request, body: value, headers: typed(request.headers, type) })
  }
  const json = value instanceof Uint8Array ? Fills.templateOf(value) : value
  if (json === undefined) return refuse(one, "wrong_kind")
  if (!Fills.isExact(json)) return refuse(one, "not_exact")
  const template = parts.length === 0 ? null : Fills.templateOf(request.body)
  if (template === undefined) return refuse(one, "wrong_kind")
  const body = JSON.stringify(put(template, parts, json))
  return Result.succeed({ ...request, body, headers: typed(request.headers, "application/json") })
}

/** A copy with a value in its place. */
const put = (root: Schema.Json, [part, ...rest]: ReadonlyArray<string>, value: Schema.Json): Schema.Json => {
  if (part === undefined) return value
  if (typeof root !== "object" || root === null) return root
  if (isList(root)) return root.map((item, index) => (String(index) === part ? put(item, rest, value) : item))
  return Object.fromEntries(
    Object.entries(root).map(([name, inner]) => [name, name === part ? put(inner, rest, value) : inner])
  )
}

const typed = (headers: Request["headers"], type: string | undefined): Request["headers"] =>
  type === undefined || header({ headers }, "content-type") !== undefined || Rules.headers({ type }) !== undefined
    ? headers
    : { ...headers, "Content-Type": type }

const without = (headers: Request["headers"], name: string): Request["headers"] =>
  Object.fromEntries(Object.entries(headers).filter(([key]) => key.toLowerCase() !== name.toLowerCase()))

/** All that has a meaning in a URL is escaped, whatever stands around it. */
const encoded = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`
  )

// a step whose URL is not plain is refused before it is filled
const plain = (url: string): Fills.PlainUrl => Fills.plainUrl(url) ?? { origin: url, path: "", query: "", hash: "" }

const refuse = (one: Fill, kind: NotTaken["kind"]) => Result.fail(notTaken(one, kind))

const notTaken = ({ from, into }: Fill, kind: NotTaken["kind"]) => new NotTaken({ from, into, kind })

/** `Array.isArray` does not tell a read-only list from an object. */
const isList = (value: Schema.Json): value is Schema.JsonArray => Array.isArray(value)

const HOLE = /\{([\w-]+)\}/g
const DOTS = /^(?:\.|%2e){1,2}$/i
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const LINE_BREAK = /[\r\n\x00]/
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
