/** What is typed to submit a job, as the JSON of the API. What is wrong with it is for the dam to say. */
import * as Result from "effect/Result"
import type { Job } from "./Api.ts"
import { cutFrom, redacted } from "./CopyAs.ts"

/** The fields of the form, as they are typed. */
export interface Typed {
  readonly method: string
  readonly url: string
  /** A line for each: `name: value`. */
  readonly headers: string
  readonly body: string
  readonly idempotent_key: string
  /** A line for each: `name: value`. */
  readonly metadata: string
  /** A line for each URL. */
  readonly webhooks: string
  readonly max_retries: string
  /** A moment in the time of whoever types it. */
  readonly retry_at: string
  /** Everything else that the API takes, as a JSON object. */
  readonly more: string
}

export type Name = keyof Typed

export const nothingTyped: Typed = {
  method: "POST",
  url: "",
  headers: "content-type: application/json",
  body: "",
  idempotent_key: "",
  metadata: "",
  webhooks: "",
  max_retries: "",
  retry_at: "",
  more: ""
}

/** What cannot even be asked, and in which field. */
export interface Unsaid {
  readonly field: Name
  readonly problem: string
}

const linesOf = (text: string): ReadonlyArray<string> =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")

type Said<A> = Result.Result<A, Unsaid>

const unsaid = (field: Name, problem: string) => Result.fail<Unsaid>({ field, problem: `${field}: ${problem}` })

const pairsIn = (text: string, field: Name): Said<Readonly<Record<string, string>>> => {
  const pairs: Record<string, string> = {}
  for (const line of linesOf(text)) {
    const colon = line.indexOf(":")
    if (colon < 1) return unsaid(field, `each line is "name: value"`)
    const name = line.slice(0, colon).trim()
    const value = line.slice(colon + 1).trim()
    if (value === redacted) return unsaid(field, `the dam keeps ${name} to itself; type it, or leave the line out`)
    pairs[name] = value
  }
  return Result.succeed(pairs)
}

const moreIn = (text: string): Said<object> => {
  if (text.trim() === "") return Result.succeed({})
  try {
    const more: unknown = JSON.parse(text)
    if (typeof more === "object" && more !== null && !Array.isArray(more)) return Result.succeed({ ...more })
  } catch {
    // said below
  }
  return unsaid("more", "it is no JSON object")
}

/** The body of the submission; what is left empty is left out. */
export const jobOf = (typed: Typed): Said<Readonly<Record<string, unknown>>> =>
  Result.map(
    Result.all({
      headers: pairsIn(typed.headers, "headers"),
      metadata: pairsIn(typed.metadata, "metadata"),
      more: moreIn(typed.more)
    }),
    ({ headers, metadata, more }) => {
      const webhooks = linesOf(typed.webhooks)
      return {
        url: typed.url.trim(),
        method: typed.method,
        ...(Object.keys(headers).length === 0 ? {} : { headers }),
        ...(typed.body === "" ? {} : { body: typed.body }),
        ...(typed.idempotent_key === "" ? {} : { idempotent_key: typed.idempotent_key }),
        ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
        ...(webhooks.length === 0 ? {} : { webhooks: webhooks.map((url) => ({ url })) }),
        ...(typed.max_retries === "" ? {} : { retry_policy: { max_retries: Number(typed.max_retries) } }),
        ...(typed.retry_at === "" ? {} : { retry_at: new Date(typed.retry_at).getTime() }),
        ...more
      }
    }
  )

/** The names of the form's fields. */
export const names = Object.keys(nothingTyped).filter((name): name is Name => name in nothingTyped)

/** The field of the form that a field of the API stands in: `webhooks[0].url` is one of the webhooks. */
export const fieldOf = (path: string): Name =>
  path === "retry_policy.max_retries" ? "max_retries" : (names.find((name) => name === path.split(/[.[]/)[0]) ?? "more")

const random = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("")

const lines = (of: Readonly<Record<string, unknown>>): string =>
  Object.entries(of)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("\n")

/** A job to be changed and run again: under a key of its own, or it would be a duplicate of what it was. */
export const typedOf = ({ deliveries, limits, metadata, request }: Job): Typed => ({
  ...nothingTyped,
  method: request.method,
  url: request.url,
  headers: lines(request.headers),
  // half of a body is another body
  body: cutFrom(request) > 0 ? "" : (request.body ?? ""),
  idempotent_key: `page-${random()}`,
  metadata: lines(metadata),
  webhooks: deliveries.map(({ url }) => url).join("\n"),
  more: limits === undefined ? "" : JSON.stringify({ limits })
})
