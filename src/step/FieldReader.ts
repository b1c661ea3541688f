/**
 * Reads what the verbs are given, without a schema: steps are typed values, and whoever makes them in a browser loads no
 * decoder for it. What is refused, and in which words, is what the schemas of `Fields` refuse; a law holds both together.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { Misnamed, Rule } from "./FieldRules.ts"
import { InvalidStep } from "./InvalidStep.ts"

/** Reads a value of one field, or throws `InvalidStep` with the path of the bad part below `field`. */
export type Reader<A> = (value: unknown, field: string) => A

const refuse = (field: string, expected: string): never => {
  throw new InvalidStep({ field, problem: `Expected ${expected}` })
}

const isText = (value: unknown): value is string => typeof value === "string"

/** Any text. */
export const anyText: Reader<string> = (value, field) => (isText(value) ? value : refuse(field, "string"))

/** Text that keeps a rule. */
export const text =
  ({ expected, holds }: Rule<string>): Reader<string> =>
  (value, field) => {
    const read = anyText(value, field)
    return holds(read) ? read : refuse(field, expected)
  }

/** A number that keeps a rule. */
export const number =
  ({ expected, holds }: Rule<number>): Reader<number> =>
  (value, field) => {
    if (typeof value !== "number") return refuse(field, "number")
    return holds(value) ? value : refuse(field, expected)
  }

/** `true` or `false`. */
export const flag: Reader<boolean> = (value, field) => (typeof value === "boolean" ? value : refuse(field, "boolean"))

/** One of some words. */
export const oneOf =
  <const Word extends string>(...words: ReadonlyArray<Word>): Reader<Word> =>
  (value, field) =>
    words.find((word) => word === value) ?? refuse(field, words.map((word) => `"${word}"`).join(" | "))

/** A list, copied. */
export const list =
  <A>(item: Reader<A>): Reader<ReadonlyArray<A>> =>
  (value, field) =>
    Array.isArray(value) ? Array.from(value, (part, index) => item(part, `${field}[${index}]`)) : refuse(field, "array")

/** What may be left out; `kind` is what it is called otherwise. */
export const optional =
  <A>(kind: "number" | "array", read: Reader<A>): Reader<A | undefined> =>
  (value, field) => {
    if (value === undefined) return undefined
    const fits = kind === "array" ? Array.isArray(value) : typeof value === kind
    return fits ? read(value, field) : refuse(field, `${kind} | undefined`)
  }

const anObject: Reader<object> = (value, field) =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : refuse(field, "object")

/** A record, copied; `wrong` finds what its parts have to do with each other. */
export const record =
  <A>(
    part: Reader<A>,
    wrong: (whole: { readonly [name: string]: A }) => Misnamed | undefined = () => undefined
  ): Reader<{ readonly [name: string]: A }> =>
  (value, field) => {
    const copy: { [name: string]: A } = Object.create(null)
    for (const [name, given] of Object.entries(anObject(value, field))) copy[name] = part(given, `${field}.${name}`)
    const found = wrong(copy)
    return found === undefined ? copy : refuse(`${field}.${found.name}`, found.expected)
  }

/** An object with these fields, copied without any other. */
export const struct =
  <Fields extends object>(parts: { readonly [Name in keyof Fields]: Reader<Fields[Name]> }): Reader<Fields> =>
  (value, field) => {
    const given: { readonly [name: string]: unknown } = { ...anObject(value, field) }
    return Object.fromEntries(
      Object.entries<Reader<unknown>>(parts).map(([name, part]) => {
        const at = `${field}.${name}`
        if (!Object.hasOwn(given, name)) throw new InvalidStep({ field: at, problem: "Missing key" })
        return [name, part(given[name], at)]
      })
    ) as Fields // each of its fields was read as what it is
  }

/** Data that JSON can carry, as it is. */
export const json: Reader<Schema.Json> = (value, field) => (isJson(value) ? value : refuse(field, "JSON value"))

// without recursion: what is nested too deep for that is nobody's fault; what stands inside itself is no JSON
const isJson = (root: unknown): root is Schema.Json => {
  const [around, whole] = [new Set<object>(), new Set<object>()]
  const left: Array<{ readonly value: unknown; readonly isRead: boolean }> = [{ value: root, isRead: false }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { isRead, value } = next
    if (typeof value !== "object" || value === null) {
      if (!isLeaf(value)) return false
    } else if (isRead) {
      around.delete(value)
      whole.add(value)
    } else if (!whole.has(value)) {
      if (around.has(value) || !(Array.isArray(value) || isPlain(value))) return false
      around.add(value)
      left.push({ value, isRead: true })
      for (const part of Array.isArray(value) ? value : Object.values(value)) left.push({ value: part, isRead: false })
    }
  }
  return true
}

const isLeaf = (value: unknown): boolean =>
  value === null || isText(value) || typeof value === "boolean" || Number.isFinite(value)

/** Whether an object is a record, of another realm too, and no instance of a class. */
export const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** A positive, finite duration, rounded up to whole milliseconds. */
export const duration = (input: Duration.Input, field: string): Duration.Duration => {
  const given = Duration.fromInput(input)
  const millis = Option.isSome(given) ? Math.ceil(Duration.toMillis(given.value)) : Number.NaN
  return Number.isSafeInteger(millis) && millis > 0
    ? Duration.millis(millis)
    : refuse(field, 'a positive, finite duration such as "30 seconds" or 500 (milliseconds)')
}
