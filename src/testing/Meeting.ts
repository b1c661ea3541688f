/** Where the two sides of a test transport meet: one waits with a call, the other takes it and answers. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Failure } from "../step/Failure.ts"
import { TransportError } from "../step/Failure.ts"

/**
 * What every call in the hands of a test can tell and do.
 *
 * @category models
 * @since 0.1.0
 */
export interface Meeting {
  /** Leaves the call unanswered for ever; `idle` no longer counts it, and a limit of the caller's ends it. */
  readonly hang: Effect.Effect<void>
  /** Lets the program go on until it waits, and tells whether it gave the call up. */
  readonly isInterrupted: Effect.Effect<boolean>
}

export interface Open<Asked, Reply> {
  readonly asked: Asked
  readonly handle: Meeting
  readonly succeed: (reply: Reply) => Effect.Effect<void>
  readonly fail: (failure: Failure) => Effect.Effect<void>
}

export interface Meetings<Asked, Reply> {
  /** The program's side: waits for the test's answer. */
  readonly meet: (asked: Asked) => Effect.Effect<Reply, TransportError>
  /** The test's side: waits for a call that is wanted. */
  readonly take: (wanted: (asked: Asked) => boolean) => Effect.Effect<Open<Asked, Reply>>
  readonly isIdle: () => boolean
}

interface Call<Asked, Reply> {
  readonly asked: Asked
  readonly answer: Deferred.Deferred<Reply, TransportError>
  state: "waiting" | "answered" | "hanging" | "interrupted"
}

interface Taker<Asked, Reply> {
  readonly wanted: (asked: Asked) => boolean
  readonly resume: (call: Call<Asked, Reply>) => void
}

/** `story` is told when no call comes within `patience`. */
export const make = <Asked, Reply>(story: Effect.Effect<string>, patience: Duration.Input): Meetings<Asked, Reply> => {
  const open = new Set<Call<Asked, Reply>>()
  const untaken: Array<Call<Asked, Reply>> = []
  const takers: Array<Taker<Asked, Reply>> = []
  const leave = (call: Call<Asked, Reply>, state: "answered" | "hanging" | "interrupted") => {
    call.state = state
    open.delete(call)
    const at = untaken.indexOf(call)
    if (at !== -1) untaken.splice(at, 1)
  }
  const inHand = (call: Call<Asked, Reply>): Open<Asked, Reply> => {
    const end = (answer: Effect.Effect<Reply, TransportError>) =>
      Effect.suspend(() => {
        if (call.state === "interrupted") return mistake("The program gave this call up before the test answered it")
        if (call.state === "answered") return mistake("The test answered this call already")
        leave(call, "answered")
        return Effect.andThen(Deferred.completeWith(call.answer, answer), settle)
      })
    return {
      asked: call.asked,
      handle: {
        hang: Effect.sync(() => leave(call, "hanging")),
        isInterrupted: Effect.map(settle, () => call.state === "interrupted")
      },
      succeed: (reply) => end(Effect.succeed(reply)),
      fail: (reason) => end(Effect.fail(new TransportError({ reason })))
    }
  }
  return {
    meet: (asked) =>
      Effect.suspend(() => {
        const call: Call<Asked, Reply> = { asked, answer: Deferred.makeUnsafe(), state: "waiting" }
        open.add(call)
        const taker = takers.findIndex(({ wanted }) => wanted(asked))
        if (taker === -1) untaken.push(call)
        else takers.splice(taker, 1)[0]?.resume(call)
        return Effect.onInterrupt(Deferred.await(call.answer), () => Effect.sync(() => leave(call, "interrupted")))
      }),
    take: (wanted) =>
      Effect.callback<Call<Asked, Reply>>((resume) => {
        const index = untaken.findIndex(({ asked }) => wanted(asked))
        const [call] = index === -1 ? [] : untaken.splice(index, 1)
        if (call !== undefined) return resume(Effect.succeed(call))
        // the caller must be waiting before the test goes on: resuming runs the test's fiber at once
        const taker: Taker<Asked, Reply> = { wanted, resume: (met) => resume(Effect.as(Effect.yieldNow, met)) }
        takers.push(taker)
        return Effect.sync(() => {
          const at = takers.indexOf(taker)
          if (at !== -1) takers.splice(at, 1)
        })
      }).pipe(Effect.raceFirst(nobodyCame(story, patience)), Effect.map(inHand)),
    isIdle: () => open.size === 0
  }
}

const mistake = (message: string): Effect.Effect<never> => Effect.die(new Error(message))

/** Lets every fiber run until it waits for a clock, for the test, or for something outside. */
export const settle: Effect.Effect<void> = Effect.forEach(Array.from({ length: 24 }), () => Effect.yieldNow, {
  discard: true
})

const nobodyCame = (story: Effect.Effect<string>, patience: Duration.Input): Effect.Effect<never> =>
  Effect.sleep(patience).pipe(
    // in real time, whatever clock the test has
    Effect.provideService(Clock.Clock, realClock),
    Effect.andThen(story),
    Effect.flatMap((calls) => mistake(`${expectation} ${calls === "" ? "no call" : calls}`))
  )

const expectation = "The test waits for a call that does not come; turn the clock before meeting it. So far:"

const realClock = Context.get(Context.empty(), Clock.Clock)
