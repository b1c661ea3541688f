/**
 * Exchanges without a fiber of their own: begun by a function, told by a callback, stopped by a function.
 *
 * What most calls are is one question and one answer; effects around both cost more than they do. So a transport that
 * is told in callbacks anyway says so here, and whoever has nothing to do in between takes it at its word. It is known of
 * the function that sends, so that a transport with another `send` around it does not inherit it.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { TransportError } from "../step/FailureModel.ts"
import type { Response } from "../step/ReplyModel.ts"
import type { Exchange, Exchanging } from "./HttpTransport.ts"

/**
 * Begins an exchange within its time limit and returns what stops it. `done` is called at most once, and not after
 * the exchange was stopped; with `more` where the answer leads elsewhere and is not the end. Once it was called there is
 * nothing to stop.
 */
export type Begin = (
  exchange: Exchange,
  fiber: Fiber.Fiber<unknown, unknown>,
  done: (result: Exit.Exit<Response, TransportError>, more?: Effect.Effect<Response, TransportError>) => void
) => () => void

/** The regions of a transport that tells none apart. */
export const nowhere: Exchanging["regions"] = Effect.succeed([])

/** Says of a transport how its exchanges are begun; what it tells too often or too late is not passed on. */
export const begunBy = (transport: Exchanging, begin: Begin): Exchanging => {
  begins.set(transport.send, heardOnce(begin))
  return transport
}

/** How the exchanges of a transport are begun, where that is all that there is to them. */
export const of = ({ inTurn, regions, rules, send }: Exchanging): Begin | undefined =>
  inTurn === undefined && rules === undefined && regions === nowhere ? begins.get(send) : undefined

/** Says it of a transport that sends by way of another, and chooses no region either, where it is so of the other. */
export const begunLike = (transport: Exchanging, other: Exchanging): Exchanging => {
  const begin = of(other)
  if (begin !== undefined) begins.set(transport.send, begin)
  return transport
}

const heardOnce =
  (begin: Begin): Begin =>
  (exchange, fiber, done) => {
    let isOver = false
    const stop = begin(exchange, fiber, (result, more) => {
      if (isOver) return
      isOver = true
      done(result, more)
    })
    return () => {
      if (isOver) return
      isOver = true
      stop()
    }
  }

const begins = new WeakMap<Exchanging["send"], Begin>()
