/**
 * What the dam answers, before it becomes HTTP: the proxy puts the same answers into its envelope.
 */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Schema from "effect/Schema"
import { refusal as body } from "../../api/RefusalShapes.ts"
import type { Outdated, WrongState } from "../../work/WrongState.ts"
import type { Overloaded } from "../../work/Admission.ts"
import type { TooManySchedules } from "../../work/Schedules.ts"
import { later, refused, type Refused } from "../../intake/Refusal.ts"
import type { StoreError } from "../../store/StoreError.ts"

/** An answer in JSON. */
export interface Answer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Makes an answer. */
export const json = (
  status: number,
  value: Readonly<Record<string, Schema.Json>>,
  headers: Readonly<Record<string, string>> = NONE
): Answer => ({ status, headers, body: JSON.stringify(value) })

/** Makes the answer that tells a refusal. */
export const ofRefusal = (refusal: Refused): Answer => json(refusal.status, body(refusal), refusal.headers)

/** Turns whatever goes wrong behind the API into what the caller is told. */
export const orRefused = <A>(
  effect: Effect.Effect<A, StoreError | Overloaded | Outdated | TooManySchedules | WrongState | Refused>
): Effect.Effect<A, Refused> =>
  effect.pipe(
    // how the database failed is the operator's business
    Effect.tapErrorTag(["StorageFailed", "StorageLost", "OutcomeUnknown"], ({ message }) => Effect.logError(message)),
    Effect.mapError(refusalOf)
  )

const refusalOf = (error: StoreError | Overloaded | Outdated | TooManySchedules | WrongState | Refused): Refused => {
  switch (error._tag) {
    case "Refused":
      return error
    case "StorageFull":
      return later({ status: 503, code: "storage_full", problem: error.message, after: 30 })
    case "StorageFailed":
      return later({ status: 503, code: "storage_failed", problem: "the store cannot work right now", after: 5 })
    case "StorageLost":
      return later({ status: 503, code: "storage_lost", problem: error.message, after: 30 })
    case "IsCopy":
      return refused(503, "is_copy", error.message, { extra: { copied_at: error.copiedAt } })
    case "OutcomeUnknown":
      return later({
        status: 503,
        code: "outcome_unknown",
        problem: "the disk failed while this was stored, and it may be there or not; send it again with the same key",
        after: 5
      })
    case "Overloaded":
      return later({
        status: 429,
        code: "overloaded",
        problem: error.message,
        after: error.retryAfterSeconds,
        extra: { limit_reason: error.limitReason, limit: error.limit, current: error.current }
      })
    // waiting makes no room: no time is named at which to come again
    case "TooManySchedules":
      return refused(429, "too_many_schedules", error.message, {
        extra: { limit_reason: "schedules", limit: error.limit, current: error.current }
      })
    case "Outdated":
      return refused(412, "precondition_failed", error.message, { field: "If-Match" })
    case "WrongState":
      return refused(409, "wrong_state", error.message, { extra: { state: error.state } })
  }
}

/** Answers, one way or the other. */
export const settled = (effect: Effect.Effect<Answer, Refused>): Effect.Effect<Answer> =>
  Effect.match(effect, { onFailure: ofRefusal, onSuccess: (answer) => answer })

/** Turns an answer into HTTP. */
export const toResponse = ({ body, headers, status }: Answer): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(body, { status, headers, contentType: "application/json" })

/** The headers of an answer that has none of its own. */
export const NONE: Answer["headers"] = {}
