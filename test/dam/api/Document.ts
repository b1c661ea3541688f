/** The description of the API as a client of it reads it, and what it says of a value. */
import * as OpenApi from "effect/http-api/OpenApi"
import { Api } from "../../../src/dam/api/Api.ts"

export type Node = { readonly [key: string]: any }

export const document: Node = JSON.parse(JSON.stringify(OpenApi.fromApi(Api)))

/** Every object of the document, with the way to it. */
export const nodes = (node: unknown = document, at = ""): ReadonlyArray<readonly [at: string, node: Node]> => {
  if (typeof node !== "object" || node === null) return []
  const own: ReadonlyArray<readonly [string, Node]> = Array.isArray(node) ? [] : [[at, node as Node]]
  return [...own, ...Object.entries(node).flatMap(([key, value]) => nodes(value, `${at}/${key}`))]
}

/** The schema of an answer. */
export const answerOf = (method: string, path: string, status: number): Node => {
  const content: Node | undefined = document["paths"][path]?.[method.toLowerCase()]?.responses[status]?.content
  if (content === undefined) throw new Error(`${method} ${path} has no answer ${status}`)
  return content["application/json"].schema
}

const typeOf = (value: unknown): string =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "array"
      : typeof value === "number" && Number.isInteger(value)
        ? "integer"
        : typeof value

/** What of a value does not fit its schema; what no schema speaks of does not fit either. */
export const faultsIn = (value: any, schema: Node, at = "$"): ReadonlyArray<string> => {
  if (schema["$ref"] !== undefined) {
    return faultsIn(value, document["components"].schemas[schema["$ref"].split("/").at(-1)], at)
  }
  if (schema["anyOf"] !== undefined) {
    const all = schema["anyOf"].map((one: Node) => faultsIn(value, one, at))
    return all.some((faults: ReadonlyArray<string>) => faults.length === 0) ? [] : all.flat()
  }
  const type = typeOf(value)
  const types = [schema["type"] ?? type].flat()
  if (!types.includes(type) && !(type === "integer" && types.includes("number"))) return [`${at} is no ${types}`]
  if (schema["enum"] !== undefined && !schema["enum"].includes(value)) return [`${at} is none of ${schema["enum"]}`]
  if (typeof value === "number") {
    const isWithin = value >= (schema["minimum"] ?? value) && value <= (schema["maximum"] ?? value)
    return isWithin ? [] : [`${at} is out of bounds: ${value}`]
  }
  if (Array.isArray(value)) return value.flatMap((one, n) => faultsIn(one, schema["items"] ?? {}, `${at}[${n}]`))
  if (type !== "object") return []
  const { additionalProperties: more, properties, required = [] } = schema
  const missing = required.filter((key: string) => !(key in value)).map((key: string) => `${at} lacks ${key}`)
  return [
    ...missing,
    ...Object.entries(value).flatMap(([key, inner]) => {
      const described = properties?.[key] ?? more ?? (properties === undefined ? {} : undefined)
      return described === undefined ? [`${at}.${key} is not described`] : faultsIn(inner, described, `${at}.${key}`)
    })
  ]
}
