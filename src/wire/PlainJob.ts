/**
 * Knows the jobs that nearly all are, without a schema: one call, said in the spelling of the protocol, by the rules that
 * the schema checks too.
 *
 * It says yes or nothing. Whatever it does not know, every fault included, is left to the schema, which alone decides what
 * is refused and in which words.
 */
import { isBoolean, isObject, isString } from "effect/Predicate"
import * as Rules from "../step/FieldRules.ts"
import type { JobJson } from "./JobJson.ts"

/**
 * Tells whether a value is a job that the schema would leave as it is.
 *
 * @category guards
 * @since 0.1.0
 */
export const isPlain = (json: unknown): json is JobJson => {
  if (!isObject(json) || !Object.hasOwn(json, "url")) return false
  for (const [key, value] of Object.entries(json)) if (fields.get(key)?.(value) !== true) return false
  return true
}

type Holds = (value: unknown) => boolean

const text =
  ({ holds }: Rules.Rule<string>): Holds =>
  (value) =>
    isString(value) && holds(value)

const number =
  ({ holds }: Rules.Rule<number>): Holds =>
  (value) =>
    typeof value === "number" && holds(value)

const oneOf =
  (...literals: ReadonlyArray<string>): Holds =>
  (value) =>
    literals.some((literal) => literal === value)

// written as loops: they see the holes of a list, and run for every job a busy dam takes in
const listOf =
  (each: Holds): Holds =>
  (value) => {
    if (!Array.isArray(value)) return false
    for (const item of value) if (!each(item)) return false
    return true
  }

const objectOf = (known: ReadonlyMap<string, Holds>, ...required: ReadonlyArray<string>): Holds => {
  const lacks = (value: object) => required.some((key) => !Object.hasOwn(value, key))
  return (value) => {
    if (!isObject(value) || lacks(value)) return false
    for (const [key, inner] of Object.entries(value)) if (known.get(key)?.(inner) !== true) return false
    return true
  }
}

/** A name that means more than itself to whoever copies an object. */
const strange = "__proto__"

const isHeaders: Holds = (value) => {
  if (!isObject(value) || Object.hasOwn(value, strange)) return false
  for (const one of Object.values(value)) if (!isString(one)) return false
  return Rules.headers(value as Readonly<Record<string, string>>) === undefined // every value was looked at
}

const isMetadata: Holds = (value) => {
  if (!isObject(value) || Object.hasOwn(value, strange)) return false
  for (const one of Object.values(value)) if (!isScalar(one)) return false
  return true
}

const isScalar: Holds = (value) => isString(value) || isBoolean(value) || value === null || Number.isFinite(value)

const codes = listOf(number(Rules.code))
const regions = listOf(text(Rules.region))

const webhook: ReadonlyMap<string, Holds> = new Map([
  ["url", text(Rules.url)],
  ["regions", regions],
  ["has_quorum_vote", isBoolean]
])

const retryPolicy: ReadonlyMap<string, Holds> = new Map([
  ["max_retries", number(Rules.retries)],
  ["max_reroutes", number(Rules.retries)],
  ["retry_codes", codes],
  ["reroute_codes", codes]
])

const debounce: ReadonlyMap<string, Holds> = new Map([
  ["key", text(Rules.orderKey)],
  ["wait_ms", number(Rules.millis)],
  ["at_most_ms", number(Rules.millis)]
])

const order: ReadonlyMap<string, Holds> = new Map([
  ["key", text(Rules.orderKey)],
  ["on_failure", oneOf("continue", "stop")]
])

const fields: ReadonlyMap<string, Holds> = new Map([
  ["url", text(Rules.url)],
  ["method", text(Rules.method)],
  ["headers", isHeaders],
  ["body", isString],
  ["metadata", isMetadata],
  ["webhooks", listOf(objectOf(webhook, "url"))],
  ["webhook_quorum", number(Rules.quorum)],
  ["regions", regions],
  ["region_policy", oneOf("fallback", "strict")],
  ["execution_mode", oneOf("race", "fanout")],
  ["retry_policy", objectOf(retryPolicy)],
  ["retry_unsafe", isBoolean],
  ["idempotent_key", text(Rules.idempotentKey)],
  ["retry_at", number(Rules.epochMillis)],
  ["attempt_timeout_ms", number(Rules.millis)],
  ["total_timeout_ms", number(Rules.millis)],
  ["priority", oneOf("high", "normal", "low")],
  ["in_order", objectOf(order, "key")],
  ["debounce", objectOf(debounce, "key", "wait_ms")],
  ["coalesce", isBoolean]
])
