/** What is typed to define a limit, as the JSON of the API. What is wrong with it is for the dam to say. */
import type { Limit as Shape } from "../dam/api/LimitShapes.ts"

export type Limit = typeof Shape.Type

/** The form, as it is typed. */
export interface Typed {
  readonly name: string
  readonly rate: string
  /** Seconds. */
  readonly per_ms: string
  readonly burst: string
  readonly concurrency: string
  /** A path into JSON, or a header with a colon behind its name. */
  readonly settle: string
  /** `customer weight`, a line for each. */
  readonly weights: string
}

/** The form with nothing in it. */
export const empty: Typed = { name: "", rate: "", per_ms: "", burst: "", concurrency: "", settle: "", weights: "" }

/** The form, filled with a limit as it is. */
export const typedOf = ({ burst, concurrency, name, per_ms: per, rate, settle, weights }: Limit): Typed => ({
  name,
  rate: textOf(rate),
  per_ms: textOf(per / 1000),
  // what it would be anyway is not said
  burst: burst === rate ? "" : textOf(burst),
  concurrency: textOf(concurrency),
  settle: settle?.header === undefined ? (settle?.json ?? "") : `${settle.header}:`,
  weights: Object.entries(weights)
    .map(([customer, weight]) => `${customer} ${weight}`)
    .join("\n")
})

const textOf = (value: number | null): string => (value === null ? "" : String(value))

/** The body of a definition; what is empty is left to the dam. */
export const choiceOf = (typed: Typed) => ({
  rate: numberIn(typed.rate),
  per_ms: typed.per_ms.trim() === "" ? null : Number(typed.per_ms) * 1000,
  burst: numberIn(typed.burst),
  concurrency: numberIn(typed.concurrency),
  settle: settleIn(typed.settle.trim()),
  weights: Object.fromEntries(
    typed.weights.split("\n").flatMap((line) => {
      const [customer, weight] = line.trim().split(/[\s:=]+/)
      return customer === undefined || customer === "" ? [] : [[customer, Number(weight ?? Number.NaN)]]
    })
  )
})

const numberIn = (text: string): number | null => (text.trim() === "" ? null : Number(text))

const settleIn = (text: string) => {
  if (text === "") return null
  return text.endsWith(":") ? { header: text.slice(0, -1).trim() } : { json: text }
}

/** The field of the form that a field of the API stands in. */
export const fieldOf = (path: string): string => path.split(/[.[]/)[0] ?? path
