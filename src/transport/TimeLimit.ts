/**
 * The time limits of calls, kept where the calls are made.
 *
 * A race of two fibers for each call is a third of what a call costs. Here one fiber for each length of time sleeps
 * until the oldest of its calls is due; a call that ends in time is struck off the list. It sleeps on the clock of the
 * calls, so that time in tests is virtual, and it ends soon after there is nothing left to wait for.
 */
import type * as Clock from "effect/Clock"
import { Clock as ClockRef } from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { AttemptTimedOut, TransportError } from "../step/FailureModel.ts"
import type { Response } from "../step/ReplyModel.ts"
import type { Exchange, Exchanging } from "./HttpTransport.ts"
import { type Link, Links } from "./Links.ts"

/** The limit of one exchange, whatever calls it is made of. */
export class TimeLimit {
  readonly #fiber: Fiber.Fiber<unknown, unknown>
  readonly #clock: Clock.Clock
  readonly #millis: number
  readonly #until: number

  constructor(fiber: Fiber.Fiber<unknown, unknown>, millis: number) {
    this.#fiber = fiber
    this.#clock = fiber.getRef(ClockRef)
    this.#millis = millis
    this.#until = now(this.#clock) + millis
  }

  /** Calls back with the failure when the time is up, unless what it returns is called before. */
  watch(expired: (exit: Exit.Exit<never, TransportError>) => void, isFirst = true): () => void {
    if (this.#millis === Number.POSITIVE_INFINITY) return () => undefined
    // what a redirect has left is a length of its own: rows are in order because their calls take equally long
    const row = rowOf(this.#clock, isFirst ? this.#millis : Math.max(0, this.#until - now(this.#clock)))
    const call: Watched = {
      until: this.#until,
      expire: () =>
        expired(Exit.fail(new TransportError({ reason: new AttemptTimedOut({ afterMillis: this.#millis }) })))
    }
    const link = row.add(call, this.#fiber)
    return () => row.remove(link, this.#fiber)
  }
}

/** Says of a transport that its calls end by themselves at `timeoutMillis`, as `AttemptTimedOut`. */
export const keeping = (transport: Exchanging): Exchanging => {
  keepers.add(transport.send)
  return transport
}

/** Whether it does. Known of the function, so that a transport with another `send` around it does not inherit it. */
export const isKeptBy = ({ send }: Exchanging): boolean => keepers.has(send)

/** Says it of a transport that sends by way of others, where all of those do. */
export const keepingLike = (transport: Exchanging, others: ReadonlyArray<Exchanging>): Exchanging =>
  others.length > 0 && others.every(isKeptBy) ? keeping(transport) : transport

/** Ends a send that takes longer than `millis`, which is what was left of the limit that it names. */
export const within = <A>(
  send: Effect.Effect<A, TransportError>,
  millis: number,
  afterMillis = millis
): Effect.Effect<A, TransportError> =>
  Effect.timeoutOrElse(send, {
    duration: millis,
    orElse: () => Effect.fail(new TransportError({ reason: new AttemptTimedOut({ afterMillis }) }))
  })

/** Makes a call within its limit, whoever keeps it. */
export const limited = (transport: Exchanging, exchange: Exchange): Effect.Effect<Response, TransportError> =>
  isKeptBy(transport) ? transport.send(exchange) : within(transport.send(exchange), exchange.timeoutMillis)

const keepers = new WeakSet<Exchanging["send"]>()

interface Watched {
  readonly until: number
  readonly expire: () => void
}

/** Calls of one length on one clock, the oldest first. */
class Row {
  readonly #clock: Clock.Clock
  readonly #close: () => void
  readonly #calls = new Links<Watched>()
  #sleeper: Fiber.Fiber<void> | undefined
  #isEnding = false

  constructor(clock: Clock.Clock, close: () => void) {
    this.#clock = clock
    this.#close = close
  }

  add(call: Watched, fiber: Fiber.Fiber<unknown, unknown>): Link<Watched> {
    const link = this.#calls.add(call)
    // of the caller it knows the scheduler only: it may outlive it by far; nobody is called back before `add` is over
    this.#sleeper ??= Effect.runFork(
      left(call, this.#clock) < 1 ? Effect.andThen(Effect.yieldNow, this.#sleep()) : this.#sleep(),
      { scheduler: fiber.cache.scheduler }
    )
    return link
  }

  remove(link: Link<Watched>, fiber: Fiber.Fiber<unknown, unknown>): void {
    if (!this.#calls.remove(link) || !this.#calls.isEmpty || this.#isEnding) return
    this.#isEnding = true
    // whoever calls one after the other is about to call again
    fiber.currentDispatcher.scheduleTask(() => {
      this.#isEnding = false
      if (!this.#calls.isEmpty) return
      this.#close()
      this.#sleeper?.interruptUnsafe()
    }, 0)
  }

  #sleep(): Effect.Effect<void> {
    return Effect.suspend(() => {
      for (let link = this.#calls.oldest; link !== undefined; link = this.#calls.oldest) {
        const millis = left(link.value, this.#clock)
        // a timer may be a little early
        if (millis >= 1) return this.#sleepFor(millis)
        this.#calls.remove(link)
        link.value.expire()
      }
      this.#close()
      return Effect.void
    })
  }

  // apart, so that what sleeps does not hold the call for which it began to
  #sleepFor(millis: number): Effect.Effect<void> {
    return Effect.flatMap(this.#clock.sleep(Duration.millis(millis)), () => this.#sleep())
  }
}

const left = ({ until }: Watched, clock: Clock.Clock): number => until - now(clock)

const now = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

const rowOf = (clock: Clock.Clock, millis: number): Row => {
  let ofClock = rows.get(clock)
  if (ofClock === undefined) rows.set(clock, (ofClock = new Map()))
  let row = ofClock.get(millis)
  if (row === undefined) {
    const made: Row = new Row(clock, () => {
      if (ofClock.get(millis) === made) ofClock.delete(millis)
    })
    ofClock.set(millis, (row = made))
  }
  return row
}

const rows = new WeakMap<Clock.Clock, Map<number, Row>>()
