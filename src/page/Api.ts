/** What the page asks the dam, decoded by the shapes of its API. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as CallShapes from "../dam/api/CallShapes.ts"
import type * as DeliveryShapes from "../dam/api/DeliveryShapes.ts"
import type * as JobShapes from "../dam/api/JobShapes.ts"
import type * as LaneShapes from "../dam/api/LaneShapes.ts"
import { ApiError } from "../dam/api/RefusalShapes.ts"

export type Hold = typeof LaneShapes.Hold.Type
export type Lane = typeof LaneShapes.Lane.Type
export type JobSummary = typeof JobShapes.JobSummary.Type
export type Job = typeof JobShapes.JobView.Type
export type Attempt = typeof CallShapes.Attempt.Type
export type Delivery = typeof DeliveryShapes.Delivery.Type
export type DeliveryAttempt = typeof DeliveryShapes.DeliveryAttempt.Type
export type DeadLetter = typeof DeliveryShapes.DeadLetter.Type

/** What an answer is decoded by; nothing is looked up to do so. */
export type Shape<A> = Schema.ConstraintDecoder<A>

/** A request that did not do what it should, as the dam said it. */
export class Problem extends Error {
  readonly status: number
  /** What stands beside the sentence: which field, which job. */
  readonly said: typeof ApiError.Type | undefined
  constructor(status: number, message: string, said?: typeof ApiError.Type) {
    super(message)
    this.status = status
    this.said = said
  }
}

/** What was thrown, as a problem. */
export const problemOf = (cause: unknown): Problem => (cause instanceof Problem ? cause : new Problem(0, String(cause)))

const decodeProblem = Schema.decodeUnknownResult(Schema.fromJsonString(ApiError))

const problemIn = (text: string, status: number): Problem =>
  Result.match(decodeProblem(text), {
    onFailure: () => new Problem(status, `the dam answered ${status}`),
    onSuccess: (said) => new Problem(status, said.error, said)
  })

/** Decodes what the dam said; what the page does not understand is a problem to be shown, not a page that breaks. */
export const understood = <A>(shape: Shape<A>, text: string, status: number): A =>
  Result.getOrThrowWith(
    Schema.decodeUnknownResult(Schema.fromJsonString(shape))(text),
    ({ message }) =>
      new Problem(
        status,
        `the dam says what this page does not understand; load the page again (${message.slice(0, 200).replaceAll(/\s+/g, " ")})`
      )
  )

/** Makes one request, and decodes its answer. */
export const ask = async <A>(
  shape: Shape<A>,
  path: string,
  options: { readonly method?: string; readonly body?: unknown; readonly signal?: AbortSignal } = {}
): Promise<A> => {
  const { body, method = body === undefined ? "GET" : "POST", signal } = options
  const unreachable = (cause: unknown) => {
    if (signal?.aborted === true) throw cause
    throw new Problem(0, "the dam cannot be reached")
  }
  const response = await fetch(path, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      // another site cannot send it without asking first
      ...(method === "GET" ? {} : { "x-ezthrottle-page": "1" })
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal })
  }).catch(unreachable)
  const text = await response.text().catch(unreachable)
  if (!response.ok) throw problemIn(text, response.status)
  return understood(shape, text, response.status)
}

type Given = string | number | undefined

/** The part of an address behind the path; what is empty is left out, what is a list repeats. */
export const query = (given: Readonly<Record<string, Given | ReadonlyArray<Given>>>): string => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== "") parameters.append(name, String(one))
    }
  }
  const text = parameters.toString()
  return text === "" ? "" : `?${text}`
}
