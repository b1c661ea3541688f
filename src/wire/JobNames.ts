/**
 * Which keys a job may have, in which spellings.
 *
 * Clients spell the same key in two ways: snake_case, and the camelCase that Node nests and Go sends. Reading turns
 * every key of the protocol into its snake_case spelling, at every depth, and refuses the rest by name: a misspelt
 * policy must not be lost in silence. What users put below `headers` and `metadata` is theirs and stays as it is, names of
 * secrets excepted.
 */
import * as Result from "effect/Result"
import { distance } from "../step/Names.ts"
import { InvalidJob } from "./InvalidJob.ts"
import { maxDepth } from "./JobJson.ts"

/**
 * Spells every key of the protocol in snake_case. Values that are not objects where one is expected stay as they are,
 * for the schema to refuse.
 *
 * @category decoding
 * @since 0.1.0
 */
export const canonical = (json: unknown): Result.Result<unknown, InvalidJob> =>
  isDeep(json)
    ? Result.fail(invalid("too_deep", "job", `is nested deeper than ${maxDepth} levels`))
    : respell(job, json, "")

/** The keys of one kind of object; a key with objects of the protocol below it says which. */
interface Names {
  readonly known: ReadonlyMap<string, Below>
  /** Both spellings of each, to the one that counts. */
  readonly spellings: ReadonlyMap<string, string>
}

/** A list has an object of its kind in each place, a record under each of its names where it has one. */
type Below = "value" | (() => Names) | { readonly each: () => Names } | { readonly every: () => Names }

const names = (keys: Readonly<Record<string, Below>>): Names => ({
  known: new Map(Object.entries(keys)),
  spellings: new Map(
    Object.keys(keys).flatMap((key): ReadonlyArray<[string, string]> => [
      [key, key],
      [camelCase(key), key]
    ])
  )
})

const camelCase = (key: string): string => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

const snakeCase = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const keysOfJob: Readonly<Record<string, Below>> = {
  url: "value",
  method: "value",
  headers: { every: () => secret },
  body: "value",
  body_base64: "value",
  metadata: "value",
  webhooks: { each: () => webhook },
  webhook_quorum: "value",
  regions: "value",
  region_policy: "value",
  execution_mode: "value",
  retry_policy: () => retryPolicy,
  retry_unsafe: "value",
  limits: { each: () => draw },
  fills: { each: () => fill },
  fallback_job: () => fallback,
  on_success: () => job,
  on_failure: () => job,
  on_failure_timeout_ms: "value",
  idempotent_key: "value",
  retry_at: "value",
  delay_ms: "value",
  start_before: "value",
  attempt_timeout_ms: "value",
  hedge: () => hedge,
  timeout_header: "value",
  total_timeout_ms: "value",
  priority: "value",
  in_order: () => order,
  debounce: () => debounce,
  coalesce: "value"
}

const job = names(keysOfJob)
const fallback = names({ ...keysOfJob, trigger: () => trigger })
const trigger = names({ type: "value", codes: "value", timeout_ms: "value" })
const webhook = names({
  url: "value",
  regions: "value",
  has_quorum_vote: "value",
  headers: { every: () => secret },
  secret: "value",
  body: "value"
})
const hedge = names({ percentile: "value", after_ms: "value", max: "value", to: "value" })
const draw = names({ name: "value", key: "value", cost: "value" })
const secret = names({ secret: "value", prefix: "value" })
const fill = names({ into: "value", from: "value" })
const debounce = names({ key: "value", wait_ms: "value", at_most_ms: "value" })
const order = names({ key: "value", on_failure: "value" })
const retryPolicy = names({ max_retries: "value", max_reroutes: "value", retry_codes: "value", reroute_codes: "value" })

// written as a loop: it runs for every job a busy dam takes in
const respell = (shape: Names, json: unknown, at: string): Result.Result<unknown, InvalidJob> => {
  if (!isObject(json)) return Result.succeed(json)
  const spelt: { [name: string]: unknown } = {}
  for (const [key, value] of Object.entries(json)) {
    const name = shape.spellings.get(key)
    if (name === undefined) return Result.fail(unknown(shape, key, at))
    if (Object.hasOwn(spelt, name)) {
      return Result.fail(invalid("duplicate_key", `${at}${key}`, `${name} is there in two spellings; send one of them`))
    }
    const kind = shape.known.get(name) ?? "value"
    if (kind === "value") spelt[name] = value
    else {
      const inner = below(kind, value, `${at}${name}`)
      if (Result.isFailure(inner)) return Result.fail(inner.failure)
      spelt[name] = inner.success
    }
  }
  return Result.succeed(spelt)
}

const below = (kind: Exclude<Below, "value">, value: unknown, at: string): Result.Result<unknown, InvalidJob> => {
  if (typeof kind === "function") return respell(kind(), value, `${at}.`)
  if ("every" in kind) {
    if (!isObject(value) || !Object.values(value).some(isNamed)) return Result.succeed(value)
    return Result.all(
      Object.fromEntries(
        Object.entries(value).map(([name, item]) => [
          name,
          isNamed(item) ? respell(kind.every(), item, `${at}.${name}.`) : Result.succeed(item)
        ])
      )
    )
  }
  return Array.isArray(value)
    ? Result.all(value.map((item: unknown, index) => respell(kind.each(), item, `${at}[${index}].`)))
    : Result.succeed(value)
}

/** Whatever else stands there is for the schema to refuse. */
const isNamed = (value: unknown): boolean => isObject(value) && "secret" in value

const unknown = (shape: Names, key: string, at: string): InvalidJob => {
  const nearest = nearestTo(snakeCase(key), [...shape.known.keys()])
  const short = key.length <= longestKey ? key : `${key.slice(0, longestKey)}…`
  return new InvalidJob({
    code: "unknown_field",
    field: `${at}${short}`,
    problem: `is not a key of the protocol${nearest === undefined ? "" : `; the nearest one is ${nearest}`}`,
    nearest
  })
}

const invalid = (code: InvalidJob["code"], field: string, problem: string) =>
  new InvalidJob({ code, field, problem, nearest: undefined })

/** The name that was probably meant; nothing where more than every third letter would have been mistyped. */
const nearestTo = (key: string, candidates: ReadonlyArray<string>): string | undefined => {
  // nothing longer can be near, and comparing it would cost its length times ours
  const wanted = key.slice(0, longestKey)
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const far = distance(wanted, candidate)
    if (far < least && far <= Math.max(2, Math.max(wanted.length, candidate.length) / 3)) {
      least = far
      nearest = candidate
    }
  }
  return nearest
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// a list of its own instead of recursion, because a million levels would overflow the stack
const isDeep = (json: unknown): boolean => {
  let level: ReadonlyArray<unknown> = [json]
  for (let depth = 0; depth <= maxDepth; depth++) {
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []))
    if (level.length === 0) return false
  }
  return true
}

const longestKey = 64
