/** The verb by which a chained step takes from the answer before it. */
import { dual } from "effect/Function"
import { hasProperty } from "effect/Predicate"
import type * as Schema from "effect/Schema"
import * as FieldReader from "./FieldReader.ts"
import * as Rules from "./FieldRules.ts"
import * as Fills from "./Fills.ts"
import { InvalidStep } from "./InvalidStep.ts"
import { header } from "./Request.ts"
import type { Fill, Step } from "./StepModel.ts"
import { isStep } from "./StepModel.ts"
import { changed } from "./StepValue.ts"

/**
 * A place in the answer before a step. A value like any other: it says where, and is read when the answer is there.
 *
 * @category models
 * @since 0.1.0
 */
export interface From {
  readonly [FromId]: string
}

/**
 * Marks places in an answer.
 *
 * @category models
 * @since 0.1.0
 */
export const FromId = "~ezthrottle-effect/From"

/**
 * Names a place in the answer of the step before: `/response/status`, `/response/headers/etag`, `/response/body/order/id`
 * (a JSON Pointer), or `/metadata/tenant`, what the step before says in its metadata.
 *
 * @category constructors
 * @since 0.1.0
 */
export const from = (pointer: string): From => ({ [FromId]: readFrom(pointer, "from") })

/**
 * The whole body of the answer before a step, byte for byte.
 *
 * @category constants
 * @since 0.1.0
 */
export const answer: From = { [FromId]: "/response/body" }

/** JSON with places of the answer in it. */
type Template = From | Schema.Json | ReadonlyArray<Template> | { readonly [name: string]: Template }

/**
 * What `fill` takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface FillOptions {
  /** Segments of the path, or parts of one, by the name that stands in the URL as `{name}`. */
  readonly path?: { readonly [name: string]: From } | undefined
  /** Parameters that the URL does not have yet. */
  readonly query?: { readonly [name: string]: From } | undefined
  /** Headers; one that the step has is replaced. */
  readonly headers?: { readonly [name: string]: From } | undefined
  /** Sets the body: JSON with places of the answer in it, or one place. `answer` is the whole body as it came, with its type. */
  readonly body?: Template | undefined
}

/**
 * Fills a chained step from the answer of the step it is chained to, once that is there.
 *
 * **Details** — what is taken is encoded for its place, so it adds no segment, parameter or header and never changes where
 * the call goes. The metadata of the step before travels on, under the step's own. Where a place is not there or cannot
 * stand where it is wanted the step fails with `NotTaken`, nothing is sent, and its `onFailure` runs.
 * **Gotchas** — in a path `.`, `..` and nothing at all are refused; so is a number beyond 2^53, which would be another one.
 *
 * @category verbs
 * @since 0.1.0
 */
export const fill: {
  (options: FillOptions): (self: Step) => Step
  (self: Step, options: FillOptions): Step
} = dual(2, (self: Step, options: FillOptions): Step => filled(self, options))

const filled = (self: Step, options: FillOptions): Step => {
  const { body, headers = {}, path = {}, query = {} } = known(options)
  const fills = [...placesOf("path", path), ...placesOf("query", query), ...placesOf("headers", headers)]
  const { request } = self
  if (body === undefined) return changed(self, { fills: Fills.adding(self.fills, fills) })
  const inBody: Array<Fill> = []
  const json = templated(body, "/body", inBody, 0)
  const others = self.fills.filter(({ into }) => into !== "/body" && !into.startsWith("/body/"))
  const isWhole = isFrom(body)
  const isTyped = isWhole || header(request, "content-type") !== undefined
  return changed(self, {
    request: {
      ...request,
      body: isWhole ? undefined : JSON.stringify(FieldReader.json(json, "fill.body")),
      headers: isTyped ? request.headers : { ...request.headers, "Content-Type": "application/json" }
    },
    fills: Fills.adding(others, [...fills, ...inBody])
  })
}

const known = (options: FillOptions): FillOptions => {
  if (typeof options !== "object" || options === null || isStep(options)) {
    throw new InvalidStep({ field: "fill", problem: "Expected an object" })
  }
  const names = ["path", "query", "headers", "body"]
  const strange = Object.keys(options).find((name) => !names.includes(name))
  if (strange === undefined) return options
  throw new InvalidStep({ field: `fill.${strange}`, problem: `is not known here; expected ${names.join(", ")}` })
}

const placesOf = (place: "headers" | "path" | "query", given: object): ReadonlyArray<Fill> =>
  Object.entries(given).map(([name, value]: [string, unknown]) => {
    const field = `fill.${place}.${name}`
    if (!isFrom(value)) throw new InvalidStep({ field, problem: 'Expected Step.from("/response/...")' })
    return { into: readInto(`/${place}/${Fills.escaped(name)}`, field), from: value[FromId] }
  })

/** The template with `null` where something is filled in, which is noted by the way. */
const templated = (value: unknown, at: string, found: Array<Fill>, depth: number): unknown => {
  if (isFrom(value)) {
    found.push({ into: readInto(at, "fill.body"), from: value[FromId] })
    return null
  }
  if (typeof value !== "object" || value === null) return value
  if (depth > deepest) throw new InvalidStep({ field: "fill.body", problem: `Expected at most ${deepest} levels` })
  if (Array.isArray(value)) return value.map((item, index) => templated(item, `${at}/${index}`, found, depth + 1))
  if (!FieldReader.isPlain(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      templated(inner, `${at}/${Fills.escaped(name)}`, found, depth + 1)
    ])
  )
}

const deepest = 100

const isFrom = (value: unknown): value is From => hasProperty(value, FromId)

const readInto = FieldReader.text(Rules.fillInto)
const readFrom = FieldReader.text(Rules.fillFrom)
