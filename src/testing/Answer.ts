/**
 * What a scripted target does with a call, as data: it can be printed, compared and generated.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { Failure } from "../step/Failure.ts"
import { ConnectionFailed, TransportError } from "../step/Failure.ts"
import type { Response } from "../step/Reply.ts"
import { response } from "../step/Reply.ts"

/**
 * A response the way a test writes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReplyLike {
  readonly status: number
  /** In any case. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Text and bytes are sent as they are, anything else as JSON with its content type. Defaults to nothing. */
  readonly body?: string | Uint8Array | Schema.Json | undefined
}

/**
 * What becomes of a call.
 *
 * **Details** — `Reply`: a response. `Fail`: no response, and why. `Hang`: nothing, for ever; the caller's own limits
 * end it. `Later`: after a while. `InTurn`: the first call gets the first answer, the next one the next; the last
 * answer is repeated.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer =
  | { readonly _tag: "Reply"; readonly reply: ReplyLike }
  | { readonly _tag: "Fail"; readonly failure: Failure }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Later"; readonly delay: Duration.Duration; readonly answer: Answer }
  | { readonly _tag: "InTurn"; readonly answers: readonly [Answer, ...ReadonlyArray<Answer>] }

/**
 * An answer, or the response it consists of.
 *
 * @category models
 * @since 0.1.0
 */
export type Input = Answer | ReplyLike

/**
 * Answers with a response.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reply = (like: ReplyLike): Answer => ({ _tag: "Reply", reply: like })

/**
 * Fails in any way a transport can fail.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fail = (failure: Failure): Answer => ({ _tag: "Fail", failure })

/**
 * Nobody listens: the target never sees the call.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refuse: Answer = fail(new ConnectionFailed({ kind: "refused", detail: "scripted" }))

/**
 * The connection breaks before an answer is complete: the target may have seen the call.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reset: Answer = fail(new ConnectionFailed({ kind: "reset", detail: "scripted" }))

/**
 * The name of the target leads nowhere.
 *
 * @category constructors
 * @since 0.1.0
 */
export const notFound: Answer = fail(new ConnectionFailed({ kind: "notFound", detail: "scripted" }))

/**
 * Never answers; a limit of the caller's ends the call.
 *
 * @category constructors
 * @since 0.1.0
 */
export const hang: Answer = { _tag: "Hang" }

/**
 * Answers after a while of the clock in place.
 *
 * @category constructors
 * @since 0.1.0
 */
export const later = (delay: Duration.Input, answer: Input): Answer => ({
  _tag: "Later",
  delay: Duration.fromInputUnsafe(delay),
  answer: from(answer)
})

/**
 * Gives each call the next answer; the last one is repeated.
 *
 * @category constructors
 * @since 0.1.0
 */
export const inTurn = (first: Input, ...rest: ReadonlyArray<Input>): Answer => ({
  _tag: "InTurn",
  answers: [from(first), ...rest.map(from)]
})

/**
 * Gives the first `times` calls one answer and all later ones another.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failTimes = (times: number, answer: Input, then: Input): Answer => {
  const [first = then, ...rest] = Array.from({ length: times }, () => answer)
  return times < 1 ? from(then) : inTurn(first, ...rest, then)
}

/** Reads what a test wrote. */
export const from = (input: Input): Answer => ("_tag" in input ? input : reply(input))

/** The response a test wrote, as a transport brings it. */
export const toResponse = ({ body, headers = {}, status }: ReplyLike): Response => {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return response(status, lower, body)
  return response(status, { "content-type": "application/json", ...lower }, JSON.stringify(body))
}

/** Starts an answer afresh: what comes back answers one call after the other and remembers whose turn it is. */
export const start = (answer: Answer): (() => Effect.Effect<Response, TransportError>) => {
  switch (answer._tag) {
    case "Reply": {
      const made = Effect.sync(() => toResponse(answer.reply))
      return () => made
    }
    case "Fail": {
      const failed = Effect.fail(new TransportError({ reason: answer.failure }))
      return () => failed
    }
    case "Hang":
      return () => Effect.never
    case "Later": {
      const next = start(answer.answer)
      return () => Effect.delay(next(), answer.delay)
    }
    case "InTurn": {
      const [first, ...rest] = answer.answers.map(start)
      let turn = first
      return () => {
        const now = turn
        turn = rest.shift() ?? turn
        return now === undefined ? Effect.never : now()
      }
    }
  }
}
