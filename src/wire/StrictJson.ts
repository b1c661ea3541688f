/**
 * Reads JSON from strangers, without the leniencies of `JSON.parse`.
 *
 * Two readers of one body must see one job. So a key that stands twice, a number that becomes Infinity and half a
 * surrogate pair are refused, where `JSON.parse` would keep the last, round and pass on. Depth and number of keys are
 * counted before anything is built.
 *
 * A sound body, which is nearly every one, costs a scan of its bytes, `JSON.parse` and a walk over the result: both count
 * the keys, and a key that stood twice makes the counts differ. Only then is the text read again, to name what is wrong.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as JsonText from "../step/JsonText.ts"
import { findFault } from "./JsonFault.ts"

/**
 * What a body may hold.
 *
 * @category models
 * @since 0.1.0
 */
export interface JsonLimits {
  /** Objects and lists inside each other. */
  readonly maxDepth: number
  /** Keys of all objects together. */
  readonly maxKeys: number
}

/**
 * A body that is refused.
 *
 * **Details** — `position` is a byte offset; `field` the path of what is wrong inside a body that is JSON, such as
 * `on_success.webhooks[0].url`. No value of the body is repeated.
 *
 * @category errors
 * @since 0.1.0
 */
export class StrictJsonError extends Schema.TaggedError<StrictJsonError>()("StrictJsonError", {
  code: Schema.Literals([
    "invalid_utf8",
    "invalid_json",
    "too_deep",
    "too_many_keys",
    "duplicate_key",
    "invalid_number",
    "invalid_unicode"
  ]),
  problem: Schema.String,
  field: Schema.UndefinedOr(Schema.String),
  position: Schema.Number
}) {
  override get message() {
    return `${this.field ?? "the body"}: ${this.problem} (byte ${this.position})`
  }
}

/**
 * 64 levels and 10,000 keys.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultLimits: JsonLimits = { maxDepth: 64, maxKeys: 10_000 }

/**
 * Parses one JSON document. Total: any bytes give a value or an error.
 *
 * **Details** — `__proto__` and `constructor` are keys like any other; no prototype is touched.
 * **Gotchas** — which value stands where, the root included, is the business of a schema.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (
  bytes: Uint8Array,
  limits: JsonLimits = defaultLimits
): Result.Result<Schema.Json, StrictJsonError> => {
  const keys = countKeys(bytes, limits)
  if (typeof keys !== "number") return Result.fail(keys)
  const text = Result.try(() => utf8.decode(bytes))
  if (Result.isFailure(text)) {
    return refuse("invalid_utf8", "the bytes are not UTF-8", firstInvalidUtf8(bytes))
  }
  const value = Result.try((): Schema.Json => JsonText.parse(text.success))
  if (Result.isSuccess(value) && keysIn(value.success, mayHoldSurrogates(text.success)) === keys) {
    return Result.succeed(value.success)
  }
  const fault = findFault(text.success)
  if (fault === undefined) return Result.mapError(value, () => error("invalid_json", "cannot be read", 0))
  const position = new TextEncoder().encode(text.success.slice(0, fault.at)).length
  return Result.fail(new StrictJsonError({ code: fault.code, problem: fault.problem, field: fault.field, position }))
}

/** Looks at brackets, colons and quotes only: exact for JSON, and bounded for anything else. */
const countKeys = (bytes: Uint8Array, { maxDepth, maxKeys }: JsonLimits): number | StrictJsonError => {
  let depth = 0
  let keys = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      at = closingQuote(bytes, at + 1)
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (++depth > maxDepth) return error("too_deep", `more than ${maxDepth} levels deep`, at)
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth--
    } else if (byte === COLON && ++keys > maxKeys) {
      return error("too_many_keys", `more than ${maxKeys} keys`, at)
    }
  }
  return keys
}

/** Byte by byte where quotes are near, with the platform's own search where they are far. */
const closingQuote = (bytes: Uint8Array, start: number): number => {
  let at = start
  while (at < bytes.length) {
    for (const near = Math.min(bytes.length, at + 64); at < near; at++) {
      const byte = bytes[at]
      if (byte === QUOTE) return at
      if (byte === BACKSLASH) at++
    }
    const quote = bytes.indexOf(QUOTE, at)
    if (quote === -1) return bytes.length
    let escape = quote
    while (escape > at && bytes[escape - 1] === BACKSLASH) escape--
    if ((quote - escape) % 2 === 0) return quote
    at = quote + 1
  }
  return at
}

/** Decoded UTF-8 has no lone surrogates; only an escape can bring one in. */
const mayHoldSurrogates = (text: string): boolean => text.includes("\\ud") || text.includes("\\uD")

/**
 * NaN where a number is infinite or, if that has to be looked at, a text is not well-formed. A list of its own instead of
 * recursion: how deep a body may be is the caller's choice.
 */
const keysIn = (root: Schema.Json, withSurrogates: boolean): number => {
  const left: Array<Schema.Json> = [root]
  let keys = 0
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value === "string") {
      if (withSurrogates && !value.isWellFormed()) return Number.NaN
    } else if (typeof value === "number") {
      if (!Number.isFinite(value)) return Number.NaN
    } else if (typeof value === "object" && value !== null) {
      if (isList(value)) {
        for (const item of value) left.push(item)
        continue
      }
      // own keys only, should anybody have added to the prototype of all objects
      for (const key of Object.keys(value)) {
        if (withSurrogates && !key.isWellFormed()) return Number.NaN
        keys++
        left.push(value[key] ?? null)
      }
    }
  }
  return keys
}

/** `Array.isArray` does not tell a read-only list from an object. */
const isList = (value: Schema.Json): value is Schema.JsonArray => Array.isArray(value)

/** Where the first ill-formed sequence begins. */
const firstInvalidUtf8 = (bytes: Uint8Array): number => {
  let at = 0
  while (at < bytes.length) {
    const length = sequenceLength(bytes[at] ?? 0, bytes[at + 1] ?? 0)
    const rest = bytes.subarray(at + 1, at + length)
    if (length === 0 || rest.length !== length - 1 || !rest.every(isContinuation)) return at
    at += length
  }
  return at
}

/** Table 3-7 of the Unicode standard: the second byte rules out overlong forms, surrogates and what is past U+10FFFF. */
const sequenceLength = (first: number, second: number): number => {
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  if (first < 0xe0) return 2
  if (first < 0xf0) return (first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f) ? 0 : 3
  return (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f) ? 0 : 4
}

const isContinuation = (byte: number): boolean => byte >= 0x80 && byte <= 0xbf

const error = (code: StrictJsonError["code"], problem: string, position: number): StrictJsonError =>
  new StrictJsonError({ code, problem, field: undefined, position })

const refuse = (code: StrictJsonError["code"], problem: string, position: number) =>
  Result.fail(error(code, problem, position))

// a byte order mark is kept, so that it is refused as what it is: something before the document
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
