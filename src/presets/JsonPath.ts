/**
 * Finds values in JSON by a path: `error.code`, `errors[].type`, `[].code`, `reason[".tag"]`.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"

/**
 * Whether a text is a path.
 *
 * @category guards
 * @since 0.1.0
 */
export const isPath = (text: string): boolean => WHOLE.test(text)

/**
 * The values at a path, in order; `[]` stands for every item of a list.
 *
 * @category accessors
 * @since 0.1.0
 */
export const valuesAt = (document: Schema.Json | undefined, path: string): ReadonlyArray<Schema.Json> => {
  let found: ReadonlyArray<Schema.Json> = document === undefined ? [] : [document]
  for (const [piece, quoted, plain] of path.matchAll(PIECE)) {
    found = piece === "[]" ? found.flatMap(itemsOf) : found.flatMap((value) => fieldOf(value, quoted ?? plain ?? ""))
  }
  return found
}

const PIECE = /\[\]|\["([^"\\]+)"\]|\.?([^.[\]"]+)/g

const WHOLE = /^(?:\[\]|\["[^"\\]+"\]|[^.[\]"]+)(?:\[\]|\["[^"\\]+"\]|\.[^.[\]"]+)*$/

const isList = (value: Schema.Json): value is Schema.JsonArray => Array.isArray(value)

const itemsOf = (value: Schema.Json): ReadonlyArray<Schema.Json> => (isList(value) ? value : [])

const fieldOf = (value: Schema.Json, name: string): ReadonlyArray<Schema.Json> => {
  if (typeof value !== "object" || value === null || isList(value) || !Object.hasOwn(value, name)) return []
  const field = value[name]
  return field === undefined ? [] : [field]
}
