/**
 * What a test double was asked and how that ended, with the times of the clock in place.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Failure, TransportError } from "../step/Failure.ts"
import type { Receipt, Response } from "../step/Reply.ts"
import { target } from "../step/Request.ts"
import type { Delegation, Exchange } from "../transport/HttpTransport.ts"

/**
 * How a call ended. `Waiting`: nobody has answered it yet. `Interrupted`: whoever made it gave up, because it lost a
 * race, ran into a limit or was cancelled.
 *
 * @category models
 * @since 0.1.0
 */
export type Ending<Reply> =
  | { readonly _tag: "Waiting" }
  | { readonly _tag: "Answered"; readonly at: number; readonly reply: Reply }
  | { readonly _tag: "Failed"; readonly at: number; readonly failure: Failure }
  | { readonly _tag: "Interrupted"; readonly at: number }

/**
 * One call a test double was asked to make.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call<Asked, Reply> {
  readonly asked: Asked
  /** Epoch milliseconds of the clock in place, 0 at the start of a test. */
  readonly at: number
  readonly ending: Ending<Reply>
}

/**
 * A call to a target.
 *
 * @category models
 * @since 0.1.0
 */
export type ExchangeCall = Call<Exchange, Response>

/**
 * A step handed over to a service.
 *
 * @category models
 * @since 0.1.0
 */
export type DelegationCall = Call<Delegation, Receipt>

/**
 * Prints a call in a line: what was asked, from where, when, and how it ended.
 *
 * @category accessors
 * @since 0.1.0
 */
export const format = ({ asked, at, ending }: ExchangeCall | DelegationCall): string => {
  const what =
    "request" in asked
      ? `${target(asked.request)}${asked.region === undefined ? "" : ` in ${asked.region}`}`
      : `handed over: ${target(asked.step.request)}`
  switch (ending._tag) {
    case "Waiting":
      return `${what} at ${at} ms: waiting`
    case "Answered":
      return `${what} at ${at} ms: ${ending.reply.status} at ${ending.at} ms`
    case "Failed":
      return `${what} at ${at} ms: ${ending.failure.message} at ${ending.at} ms`
    case "Interrupted":
      return `${what} at ${at} ms: interrupted at ${ending.at} ms`
  }
}

/** Keeps the calls of one test double. */
export interface Ledger<Asked, Reply> {
  /** Every call so far, in the order they were made. */
  readonly calls: Effect.Effect<ReadonlyArray<Call<Asked, Reply>>>
  /** Writes a call down and how it ends. */
  readonly note: (asked: Asked, answer: Effect.Effect<Reply, TransportError>) => Effect.Effect<Reply, TransportError>
}

/** Makes an empty ledger. */
export const ledger = <Asked, Reply>(): Ledger<Asked, Reply> => {
  const calls: Array<Call<Asked, Reply>> = []
  return {
    calls: Effect.sync(() => calls.slice()),
    note: (asked, answer) =>
      Clock.clockWith((clock) => {
        const at = clock.currentTimeMillisUnsafe()
        const index = calls.push({ asked, at, ending: { _tag: "Waiting" } }) - 1
        const end = (ending: (at: number) => Ending<Reply>) =>
          Effect.sync(() => {
            calls[index] = { asked, at, ending: ending(clock.currentTimeMillisUnsafe()) }
          })
        return answer.pipe(
          Effect.tap((reply) => end((at) => ({ _tag: "Answered", at, reply }))),
          Effect.tapError(({ reason }) => end((at) => ({ _tag: "Failed", at, failure: reason }))),
          Effect.onInterrupt(() => end((at) => ({ _tag: "Interrupted", at })))
        )
      })
  }
}

/** What goes on with an exchange as it is sent: with the secrets that it names. */
export const revealed = <A>(
  exchange: Exchange,
  send: (whole: Exchange) => Effect.Effect<A, TransportError>
): Effect.Effect<A, TransportError> =>
  exchange.reveal === undefined
    ? send(exchange)
    : Effect.flatMap(exchange.reveal(exchange.request), (request) => send({ ...exchange, request }))
