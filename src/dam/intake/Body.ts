/**
 * Reads the body of a submission as a step, in either dialect. Pure.
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { Step } from "../../step/StepModel.ts"
import * as JobCodec from "../../wire/Job.ts"
import type { EgressPolicy } from "../egress/EgressPolicy.ts"
import { checkUrl } from "../egress/Url.ts"
import { refused, type Refused } from "./Refusal.ts"
import { breachOfUrl, expectedCount } from "./Tree.ts"
import type { Limits } from "./Limits.ts"
import * as StrictJson from "../../wire/StrictJson.ts"

/** Reads JSON within the limits. */
export const readJson = (body: Uint8Array, limits: Limits): Result.Result<Schema.Json, Refused> =>
  Result.mapError(
    StrictJson.parse(body, { maxDepth: limits.jsonDepth, maxKeys: limits.jsonKeys }),
    ({ code, field, message, position }) => refused(400, code, message, { field, extra: { position } })
  )

/** Reads the job JSON of the protocol. */
export const readCloud = (body: Uint8Array, limits: Limits, policy: EgressPolicy): Result.Result<Step, Refused> =>
  Result.flatMap(readJson(body, limits), (json) => stepIn(json, { limits, policy, deniedAs: 422 }))

interface Terms {
  readonly limits: Limits
  readonly policy: EgressPolicy
  /** The status of a URL that the policy refuses. */
  readonly deniedAs: 400 | 422
}

export const stepIn = (json: Schema.Json | object, terms: Terms): Result.Result<Step, Refused> =>
  Result.mapError(JobCodec.decode(json), (invalid) => refusalOf(json, invalid, terms))

const refusalOf = (json: unknown, invalid: JobCodec.InvalidJob, { deniedAs, limits, policy }: Terms): Refused => {
  const { code, field, nearest, problem } = invalid
  const name = field.slice(field.lastIndexOf(".") + 1)
  const value = code === "invalid_field" && name === "url" ? valueAt(json, field) : undefined
  if (typeof value === "string") {
    const breach = breachOfUrl(value, field, limits)
    if (breach !== undefined) return breach
    // a URL that no parser reads, or of another scheme, is one that the policy refuses
    const checked = checkUrl(policy, value)
    if (Result.isFailure(checked)) {
      const { message, reason } = checked.failure
      return refused(deniedAs, "url_denied", `${field}: ${message}`, { field, extra: { reason } })
    }
  }
  const told = `${field}: ${(code === "invalid_field" ? expectation(name, limits) : undefined) ?? problem}`
  return refused(400, code === "invalid_header" && name.includes("\0") ? "invalid_field" : code, told, {
    field,
    extra: nearest === undefined ? {} : { nearest }
  })
}

/** What is worth saying better than the codec, which knows neither limits nor alternatives. */
const expectation = (name: string, limits: Limits): string | undefined => {
  switch (name) {
    case "max_retries":
    case "max_reroutes":
      return expectedCount(limits.retries)
    case "body":
      return "Expected text; send anything else as text, or as body_base64"
    case "retry_at":
      return "Expected a moment as whole epoch milliseconds, at least 0"
    default:
      return undefined
  }
}

/** Follows a path of the protocol's spelling in a body that may be spelt in camelCase. */
export const valueAt = (json: unknown, field: string): unknown =>
  field.split(/[.[\]]+/).reduce<unknown>((value, name) => {
    if (name === "" || typeof value !== "object" || value === null) return name === "" ? value : undefined
    const camel = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    return (Object.getOwnPropertyDescriptor(value, name) ?? Object.getOwnPropertyDescriptor(value, camel))?.value
  }, json)

/** Tells an object from the other values of JSON. */
export const isObject = (json: Schema.Json): json is { readonly [key: string]: Schema.Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json)
