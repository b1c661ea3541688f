import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import type { Event } from "../../src/run/Observer.ts"
import { Observer } from "../../src/run/Observer.ts"
import * as Step from "../../src/step/Step.ts"
import type { Step as StepValue } from "../../src/step/StepModel.ts"
import type { Options } from "../../src/testing/TestTransport.ts"
import { TestTransport } from "../../src/testing/TestTransport.ts"
import { backup, countingClock, third, url } from "./support.ts"

type Wire = TestTransport["Service"]

const regions = ["iad", "lax", "ord"]
const get = Step.get(url).pipe(Step.frugal(), Step.retryPolicy(), Step.onFailure(Step.get(third).pipe(Step.frugal())))

/** Interrupts a run at some point of it, turns the clock by a day, and looks at what is left. */
const interruptedAt = (step: StepValue, reach: (wire: Wire) => Effect.Effect<unknown>, options: Options = {}) =>
  Effect.gen(function* () {
    const wire = yield* TestTransport
    const seen: Array<Event> = []
    const { clock, openSleeps } = yield* countingClock
    const observed = EZThrottle.execute(step).pipe(
      Effect.provideService(Observer, (event) => void seen.push(event)),
      Effect.provideService(Clock.Clock, clock)
    )
    const fiber = yield* Effect.forkChild(observed)
    yield* reach(wire)
    yield* Fiber.interrupt(fiber)
    assert.strictEqual(openSleeps(), 0, "nobody sleeps after the interruption")
    const exit = yield* Fiber.await(fiber)
    assert.isTrue(Exit.hasInterrupts(exit) && !Exit.hasFails(exit))
    const before = [...(yield* wire.exchanges), ...(yield* wire.delegations)]
    const told = seen.length
    yield* TestClock.adjust("1 day")
    const after = [...(yield* wire.exchanges), ...(yield* wire.delegations)]
    assert.lengthOf(after, before.length, "nothing is sent after the interruption")
    assert.strictEqual(seen.length, told, "nothing happens after the interruption")
    assert.notInclude(
      after.map(({ ending }) => ending._tag),
      "Waiting"
    )
    assert.isTrue(yield* wire.idle)
    const starts = seen.filter(({ _tag }) => _tag === "Started").length
    assert.strictEqual(seen.length, 2 * starts, "every attempt that started has ended")
    return { calls: after, seen }
  }).pipe(Effect.provide(TestTransport.layerWith({ regions, ...options })))

describe("interruption", () => {
  it.effect("in the middle of an attempt stops it at once, and starts neither fallback, forward nor onFailure", () =>
    Effect.gen(function* () {
      const { calls } = yield* interruptedAt(Step.fallback(get, Step.get(backup)), (wire) => wire.next)
      assert.lengthOf(calls, 1)
      assert.strictEqual(calls[0]?.ending._tag, "Interrupted")
    })
  )

  it.effect("in the middle of a race stops every racer", () =>
    Effect.gen(function* () {
      const { calls } = yield* interruptedAt(Step.regions(get, regions), (wire) =>
        Effect.all([wire.nextIn("iad"), wire.nextIn("lax"), wire.nextIn("ord")])
      )
      assert.deepStrictEqual(
        calls.map(({ ending }) => ending._tag),
        ["Interrupted", "Interrupted", "Interrupted"]
      )
    })
  )

  it.effect("in the middle of a fanout stops every region", () =>
    Effect.gen(function* () {
      const step = get.pipe(Step.regions(regions), Step.executionMode("fanout"))
      const { calls } = yield* interruptedAt(step, (wire) =>
        Effect.flatMap(wire.nextIn("lax"), (received) => received.reply({ status: 200 }))
      )
      assert.deepStrictEqual(
        calls.map(({ ending }) => ending._tag),
        ["Interrupted", "Answered", "Interrupted"]
      )
    })
  )

  it.effect("in the middle of a pause ends the pause, and the retry is never made", () =>
    Effect.gen(function* () {
      const { calls } = yield* interruptedAt(get, (wire) =>
        Effect.gen(function* () {
          yield* (yield* wire.next).reply({ status: 429, headers: { "retry-after": "20" } })
          yield* TestClock.adjust("10 seconds")
        })
      )
      assert.lengthOf(calls, 1)
    })
  )

  it.effect("in the middle of a pause beside a running racer stops both", () =>
    Effect.gen(function* () {
      const { calls } = yield* interruptedAt(Step.regions(get, regions), (wire) =>
        Effect.flatMap(wire.nextIn("iad"), (received) =>
          received.reply({ status: 503, headers: { "retry-after": "20" } })
        )
      )
      assert.lengthOf(calls, 3)
    })
  )

  it.effect("while waiting for retryAt sends nothing at all", () =>
    Effect.gen(function* () {
      const { calls } = yield* interruptedAt(Step.retryAt(get, 60_000), () => TestClock.adjust("59 seconds"))
      assert.lengthOf(calls, 0)
    })
  )

  it.effect("in the middle of a forward stops it, and it is not repeated", () =>
    Effect.gen(function* () {
      const step = Step.get(url).pipe(Step.frugal(), Step.onFailure(Step.get(third).pipe(Step.frugal())))
      const { calls, seen } = yield* interruptedAt(
        step,
        (wire) =>
          Effect.gen(function* () {
            yield* (yield* wire.next).reply({ status: 500 })
            yield* wire.nextDelegation
          }),
        { delegations: "met" }
      )
      assert.lengthOf(calls, 2)
      assert.deepInclude(seen.at(-1), { _tag: "Ended" })
    })
  )

  it.effect("between two submissions ends the pause between them", () =>
    Effect.gen(function* () {
      const { calls } = yield* interruptedAt(
        Step.get(url),
        (wire) => Effect.flatMap(wire.nextDelegation, ({ disconnect }) => disconnect),
        { delegations: "met" }
      )
      assert.lengthOf(calls, 1)
    })
  )

  it.effect("in the middle of a child stops the child", () =>
    Effect.gen(function* () {
      const step = Step.onSuccess(get, Step.get(backup).pipe(Step.frugal()))
      const { calls } = yield* interruptedAt(step, (wire) =>
        Effect.gen(function* () {
          yield* (yield* wire.next).reply({ status: 200 })
          yield* wire.next
        })
      )
      assert.deepStrictEqual(
        calls.map(({ ending }) => ending._tag),
        ["Answered", "Interrupted"]
      )
    })
  )

  it.effect("under a deadline and a time-out of a fallback stops just as well", () =>
    Effect.gen(function* () {
      const step = get.pipe(Step.fallback(Step.get(backup), { onTimeout: "1 minute" }), Step.onFailureTimeout("1 hour"))
      const { calls } = yield* interruptedAt(step, (wire) => wire.next)
      assert.lengthOf(calls, 1)
    })
  )
})

describe("a run that has ended", () => {
  it.effect("leaves no fiber behind: neither a time-out, a loser nor a limit", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      const step = get.pipe(
        Step.regions(regions),
        Step.fallback(Step.get(backup), { onTimeout: "1 minute" }),
        Step.onFailureTimeout("1 hour")
      )
      const { clock, openSleeps } = yield* countingClock
      const fiber = yield* Effect.forkChild(Effect.provideService(EZThrottle.execute(step), Clock.Clock, clock))
      const received = yield* wire.nextIn("ord")
      assert.isAtLeast(openSleeps(), 3)
      yield* received.reply({ status: 200 })
      yield* Fiber.join(fiber)
      assert.strictEqual(openSleeps(), 0)
      yield* TestClock.adjust("1 day")
      assert.lengthOf(yield* wire.exchanges, 3)
      assert.isTrue(yield* wire.idle)
    }).pipe(Effect.provide(TestTransport.layerWith({ regions })))
  )
})
