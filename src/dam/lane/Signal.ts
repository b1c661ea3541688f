/**
 * What has a lane look whose turn it is.
 *
 * A lane looks in a fiber that ends when nothing is left to see. While time alone can bring something new, one fiber sleeps
 * until then; a lane in which nothing waits has none. There may be ten thousand of them, so nothing here is made before
 * it is needed, and no function for each.
 *
 * No look begins in the middle of something: whoever lets somebody through has looked at what a look of another lane would
 * change, and lanes that tell each other, however many, have their looks one after the other.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"

/** Runs something beside, as long as the lanes are there. */
export type Fork = (work: Effect.Effect<void>) => Fiber.Fiber<void>

/** The signal of one lane. `look` answers the moment at which to look again, in monotonic milliseconds. */
export class Signal {
  private readonly fork: Fork
  private readonly look: () => Effect.Effect<number>
  private isOpen = false
  private isLooking = false
  private alarm: Fiber.Fiber<void> | undefined = undefined

  constructor(fork: Fork, look: () => Effect.Effect<number>) {
    this.fork = fork
    this.look = look
  }

  /** Has the lane look, now or again. */
  openUnsafe(): void {
    this.isOpen = true
    if (this.isLooking) return
    this.isLooking = true
    this.alarm?.interruptUnsafe()
    this.alarm = undefined
    waiting.push(this)
    if (!isBusy) beginLooks()
  }

  /** Begins its look; for whoever has seen that nobody is in the middle of something. */
  begin(): void {
    this.fork(this.looking())
  }

  /** Whether the lane is neither looking nor about to. */
  isQuiet(): boolean {
    return !this.isLooking
  }

  private looking(): Effect.Effect<void> {
    return Effect.flatMap(this.round(), (next) => this.rest(next))
  }

  private round(): Effect.Effect<number> {
    this.isOpen = false
    return this.look()
  }

  private rest(next: number): Effect.Effect<void> {
    if (this.isOpen) return this.looking()
    this.isLooking = false
    return next === Number.POSITIVE_INFINITY
      ? Effect.void
      : Effect.map(monotonicMillis, (now) => {
          // somebody may have opened it already, who looks or has set another
          if (!this.isLooking && this.alarm === undefined) this.alarm = this.fork(this.awake(next - now))
        })
  }

  // whole milliseconds: timers know no others; and never before whoever forks it knows of it
  private awake(millis: number): Effect.Effect<void> {
    return Effect.andThen(
      millis > 0 ? Effect.sleep(Math.ceil(millis)) : Effect.yieldNow,
      Effect.sync(() => {
        this.alarm = undefined
        this.openUnsafe()
      })
    )
  }
}

/** Does something in whose middle no lane begins to look. */
export const atOnce = <A>(act: () => A): A => {
  if (isBusy) return act()
  isBusy = true
  const done = Result.try(act)
  beginLooks()
  return Result.getOrThrow(done)
}

const beginLooks = (): void => {
  isBusy = true
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) begin(next)
  isBusy = false
}

/** Where a stack is full, it begins on an empty one: no lane is left alone, and none keeps the others waiting. */
const begin = (signal: Signal): void => {
  if (Result.isFailure(Result.try(() => signal.begin()))) queueMicrotask(() => signal.begin())
}

// of all lanes: it is over before anything else has its turn in this process
let isBusy = false
const waiting: Array<Signal> = []

const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
