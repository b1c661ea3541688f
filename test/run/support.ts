/** What the interpreter's tests share: a client over scripts, time that passes by itself, attempts in a line each. */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import type { Host } from "../../src/run/Host.ts"
import * as Hosts from "../../src/run/Host.ts"
import * as Interpreter from "../../src/run/Interpreter.ts"
import type { History } from "../../src/step/History.ts"
import type { Accepted, Completed, Outcome, StepError, StepReason } from "../../src/step/Outcome.ts"
import type { Step } from "../../src/step/StepModel.ts"
import { FakeService } from "../../src/testing/FakeService.ts"
import * as Script from "../../src/testing/Script.ts"
import * as Strategies from "../../src/transport/Strategies.ts"

export const url = "https://api.example/"
export const backup = "https://backup.example/"
export const third = "https://third.example/"

/** Draws the same number for every pause: by default the middle. */
export const drawing = (number = 0.5): Random.Random => ({ nextIntUnsafe: () => 0, nextDoubleUnsafe: () => number })

/** Runs an effect to its end while the clock turns, 24 times at most. */
export const toEnd = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  turn: Duration.Input = "1 hour"
): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    for (let turns = 0; turns < 24 && fiber.pollUnsafe() === undefined; turns++) yield* TestClock.adjust(turn)
    if (fiber.pollUnsafe() === undefined) return yield* Effect.die(new Error("it did not end in 24 turns of the clock"))
    return yield* Fiber.join(fiber)
  }).pipe(Effect.provideService(Random.Random, drawing()))

/**
 * The clock in place, counting who sleeps on it. A fiber of the interpreter waits for a transport or for the clock, so
 * when neither is waited for, none is left.
 */
export const countingClock = Effect.map(Effect.service(Clock.Clock), (clock) => {
  let open = 0
  const sleep = (duration: Duration.Duration) =>
    Effect.suspend(() => {
      open++
      return Effect.onExit(clock.sleep(duration), () => Effect.sync(() => void open--))
    })
  return { clock: { ...clock, sleep } satisfies Clock.Clock, openSleeps: () => open }
})

/** The outcome or the error, whichever it is. */
export const ending = (run: Effect.Effect<Outcome, StepError>): Effect.Effect<Outcome | StepError> =>
  Effect.match(run, { onSuccess: (end): Outcome | StepError => end, onFailure: (error) => error })

/** A client over a script and a fake EZThrottle. */
export const client = Effect.fnUntraced(function* (script: Script.Script, options?: Script.Options) {
  const local = yield* Script.make(script, options)
  const fake = yield* FakeService.make({ extensions: options?.extensions })
  const strategies = Strategies.client(local, fake.transport)
  return {
    local,
    fake,
    strategies,
    execute: (step: Step, host: Partial<Host> = {}) =>
      toEnd(ending(Interpreter.run(step, strategies, { ...Hosts.client, ...host }))),
    /** Every exchange as `host@region at-millisecond`. */
    sent: Effect.map(local.exchanges, (calls) =>
      calls.map(({ asked, at }) => {
        const place = asked.region === undefined ? "" : `@${asked.region}`
        return `${new URL(asked.request.url).hostname.split(".")[0]}${place} ${at}`
      })
    )
  }
})

export const completed = (end: Outcome | StepError): Completed => {
  if (end._tag === "Completed") return end
  throw new Error(`expected Completed, got ${describe(end)}`)
}

export const accepted = (end: Outcome | StepError): Accepted => {
  if (end._tag === "Accepted") return end
  throw new Error(`expected Accepted, got ${describe(end)}`)
}

export const failed = <Tag extends StepReason["_tag"]>(
  end: Outcome | StepError,
  tag: Tag
): StepError & { readonly reason: Extract<StepReason, { readonly _tag: Tag }> } => {
  if (end._tag === "StepError" && end.reason._tag === tag) {
    return end as StepError & { readonly reason: Extract<StepReason, { readonly _tag: Tag }> }
  }
  throw new Error(`expected a StepError because of ${tag}, got ${describe(end)}`)
}

const describe = (end: Outcome | StepError) =>
  end._tag === "StepError"
    ? `${end.message}: ${lines(end.history).join("; ")}`
    : `${end._tag}: ${lines(end.history).join("; ")}`

/** Every attempt as `path kind@region ending`. */
export const lines = (history: History): ReadonlyArray<string> =>
  history.map(({ ending: end, kind, path, region }) => {
    const how = end._tag === "Answered" ? end.status : end._tag === "Failed" ? end.failure._tag : "interrupted"
    return `${path} ${kind}${region === undefined ? "" : `@${region}`} ${how}`
  })
