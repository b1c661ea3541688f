/**
 * What a call has cost, as its answer tells.
 *
 * @since 0.1.0
 */
import type { Settle } from "../engine/limits/Limit.ts"
import * as Answered from "./Answered.ts"
import * as JsonPath from "./JsonPath.ts"

/**
 * Reads the cost from a header, or from a path of the answer's JSON: of a stream of events the last one that has it.
 * `undefined` where it says none, or no number of at least 0.
 *
 * @category decoding
 * @since 0.1.0
 */
export const costIn = (answer: Answered.Answer, where: Settle): number | undefined => {
  const answered = Answered.make(answer)
  if ("header" in where) return amountIn(Answered.headerIn(answered.headers, where.header.toLowerCase()))
  const document = answered.json()
  const found = JsonPath.valuesAt(
    document,
    Array.isArray(document) && !where.json.startsWith("[]") ? `[].${where.json}` : where.json
  )
  return amountIn(found.findLast((value) => amountIn(value) !== undefined))
}

const amountIn = (value: unknown): number | undefined => {
  if (typeof value === "string" && value.trim() === "") return undefined
  const amount = typeof value === "string" ? Number(value) : value
  return typeof amount === "number" && Number.isFinite(amount) && amount >= 0 ? amount : undefined
}
