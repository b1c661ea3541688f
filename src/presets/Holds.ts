/**
 * Whether an answer is what a preset's rule speaks of.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import { type Answered, headerIn } from "./Answered.ts"
import * as JsonPath from "./JsonPath.ts"
import type { BodyTest, Condition } from "./Preset.ts"

/**
 * Whether everything that is asked is so. The body is asked last, because taking it apart costs most.
 *
 * @category predicates
 * @since 0.1.0
 */
export const holds = ({ body = [], headers = {}, status }: Condition, answered: Answered): boolean =>
  (status === undefined || status.includes(answered.status)) &&
  Object.entries(headers).every(([name, wanted]) => isValue(headerIn(answered.headers, name), wanted)) &&
  body.every((test) => passes(test, answered))

const isValue = (value: string | undefined, wanted: string): boolean =>
  value !== undefined && (wanted === "*" || value.toLowerCase() === wanted.toLowerCase())

const passes = ({ has, is, path }: BodyTest, { json, text }: Answered): boolean => {
  const found = path === undefined ? [text()] : JsonPath.valuesAt(json(), path)
  const wanted = is === undefined ? undefined : typeof is === "object" ? is : [is]
  return found.some(
    (value) =>
      (wanted === undefined || wanted.some((one) => one === value)) && (has === undefined || includes(value, has))
  )
}

const includes = (value: Schema.Json, has: string): boolean =>
  typeof value === "string" && value.toLowerCase().includes(has.toLowerCase())
