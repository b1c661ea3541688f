/** What callers write, read as `JSON.stringify` would print it: the official SDK does so with all it is given. */
import type { Json } from "effect/Schema"
import * as JsonText from "../step/JsonText.ts"
import type { HeaderValue } from "../step/SecretHeader.ts"
import * as Names from "../step/Names.ts"
import { EZThrottleError } from "./Errors.ts"

/**
 * Headers as `fetch` takes them: a record, a `Headers`, a `Map` or a list of entries. What is `undefined` is not sent.
 *
 * @category models
 * @since 0.1.0
 */
export type HeadersOptions =
  | Iterable<readonly [name: string, value: HeaderValue | number | boolean]>
  | Readonly<Record<string, HeaderValue | number | boolean | undefined>>

/** Data for JSON: what is `undefined` is left out, and what has a `toJSON`, such as a `Date`, is asked. */
export type MetadataOptions = { readonly [key: string]: unknown }

// whatever is no text after this is refused, by name, by the check of the field
export const headers = (given: HeadersOptions): Readonly<Record<string, HeaderValue>> => {
  if (!isObject(given)) return given
  const entries: ReadonlyArray<unknown> = isIterable(given) ? [...given] : Object.entries(given)
  return entries.every(Array.isArray)
    ? Object.fromEntries(
        entries
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => [name, isPrinted.test(typeof value) ? `${value}` : value])
      )
    : (given as {})
}

export const metadata = (given: MetadataOptions): { readonly [key: string]: Json } => {
  try {
    // JSON would make nothing of a `Map`
    if (!isObject(given) || !isIterable(given))
      return JsonText.parse(JSON.stringify(given)) as { readonly [key: string]: Json } // as an object gives one
  } catch {
    // a BigInt, or an object inside itself
  }
  throw new EZThrottleError("metadata: Expected data for JSON")
}

export const moment = (given: number): number => (typeof given === "number" ? Math.ceil(given) : given)

/** What is passed as `undefined` or `null` is not there on the wire. */
export const plain = <A>(given: A): A => read(given, []) as A // the same with less in it

/** A path in the caller's own spelling: the protocol's names may be written in snake_case and in camelCase. */
export const spelt = (field: string, said: unknown): string => {
  let at = said
  return field.replaceAll(/[^.[\]]+/g, (name) => {
    const within = Object(at)
    const own = Object.keys(within).find((key) => camel(key) === camel(name))
    at = own && within[own]
    return own ?? name
  })
}

/** An object with its keys in camelCase; anything else is left to the check of its field. */
export const camelCased = <A>(given: A): A =>
  isObject(given)
    ? (Object.fromEntries(Object.entries(given).map(([key, value]) => [camel(key), value])) as A) // the spellings mean the same
    : given

const camel = (name: string): string => name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())

/** Refuses a name that nobody knows: a misspelt option would be lost in silence. */
export const checkNames = (given: object, known: ReadonlyArray<string>, at?: string): void => {
  const problem = Names.problemOf(given, known, at)
  if (problem !== undefined) throw new EZThrottleError(problem)
}

export const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

const read = (value: unknown, around: ReadonlyArray<unknown>): unknown => {
  if (!isObject(value)) return value
  if (around.includes(value)) throw new EZThrottleError("A job cannot be a part of itself")
  const inside = [...around, value]
  if (Array.isArray(value)) return value.map((item) => read(item, inside))
  if ("toJSON" in value && typeof value.toJSON === "function") return read(value.toJSON(), inside)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined && part !== null)
      .map(([name, part]) => [name, readPart(name, part as never, inside)])
  )
}

// what the part is, the check of its field says
const readPart = (name: string, part: never, around: ReadonlyArray<unknown>): unknown => {
  switch (name) {
    case "headers":
      return headers(part)
    case "metadata":
      return metadata(part)
    case "retryAt":
    case "retry_at":
      return moment(part)
    default:
      return read(part, around)
  }
}

const isIterable = (value: object): value is Iterable<unknown> => Symbol.iterator in value

const isPrinted = /^(number|boolean)$/
