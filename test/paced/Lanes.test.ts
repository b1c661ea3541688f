import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { Limit } from "../../src/engine/limits/Limit.ts"
import type { Pace } from "../../src/engine/pace/Gate.ts"
import * as HostRules from "../../src/presets/HostRules.ts"
import * as Lanes from "../../src/paced/Lanes.ts"
import { resolve } from "../../src/engine/limits/LimitOptions.ts"
import { type Ask, LaneHeld, type Permit } from "../../src/paced/Permits.ts"
import type { Draw } from "../../src/step/StepModel.ts"

const fast: Pace = { rps: 1000, maxConcurrent: 100 }

const lanesOf = (pace: Pace = fast, limits: Readonly<Record<string, Limit>> = {}, mostLanes?: number) =>
  Lanes.make({
    settingOf: () => ({ pace, finds: false, bursts: false }),
    rulesOf: HostRules.make(),
    limits,
    mostLanes
  })

const asking = (lane: string, ...draws: ReadonlyArray<Draw>): Ask => ({
  lane,
  host: "api.example.com:443",
  draws,
  patience: Infinity
})

const draw = (name: string, cost = 1, key = ""): Draw => ({ name, key, cost })

const millis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

/** A call that takes a while and is answered with a status. */
const call = (
  lanes: ReturnType<typeof lanesOf>,
  ask: Ask,
  { at, status = 200, takes = 0, headers = {} }: Answering
): Effect.Effect<void, LaneHeld> =>
  Effect.acquireUseRelease(
    lanes.acquire(ask),
    (permit) =>
      Effect.gen(function* () {
        yield* permit.depart
        at.push(yield* millis)
        if (takes > 0) yield* Effect.sleep(takes)
        yield* permit.hear({ status, headers })
      }),
    ({ release }) => release
  )

interface Answering {
  readonly at: Array<number>
  readonly status?: number
  readonly takes?: number
  readonly headers?: Readonly<Record<string, string>>
}

describe("Lanes", () => {
  it.effect("lets calls of a lane through at its pace, in the order in which they asked", () =>
    Effect.gen(function* () {
      const lanes = lanesOf({ rps: 2, maxConcurrent: 10 })
      const order: Array<string> = []
      const at: Array<number> = []
      for (const name of ["a", "b", "c"]) {
        yield* Effect.forkChild(
          Effect.andThen(
            call(lanes, asking("one"), { at }),
            Effect.sync(() => order.push(name))
          )
        )
      }
      yield* TestClock.adjust(2000)
      // one more than the rate may be late
      assert.deepStrictEqual(at, [0, 1, 501])
      assert.deepStrictEqual(order, ["a", "b", "c"])
    })
  )

  it.effect("lets no more calls out at once than the pace says", () =>
    Effect.gen(function* () {
      const lanes = lanesOf({ rps: 1000, maxConcurrent: 2 })
      const at: Array<number> = []
      for (let n = 0; n < 4; n++) yield* Effect.forkChild(call(lanes, asking("one"), { at, takes: 300 }))
      yield* TestClock.adjust(299)
      assert.strictEqual(at.length, 2)
      yield* TestClock.adjust(1000)
      assert.strictEqual(at.length, 4)
      assert.isAtLeast(at[2] ?? 0, 300)
    })
  )

  it.effect("keeps lanes apart", () =>
    Effect.gen(function* () {
      const lanes = lanesOf({ rps: 1, maxConcurrent: 1 })
      const at: Array<number> = []
      for (const lane of ["one", "two"]) yield* Effect.forkChild(call(lanes, asking(lane), { at }))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(at, [0, 0])
    })
  )

  it.effect("holds everybody back by one refusal, those with a permit too, and lets one ask", () =>
    Effect.gen(function* () {
      const lanes = lanesOf({ rps: 100, maxConcurrent: 10 })
      const first = yield* lanes.acquire(asking("one"))
      yield* first.depart
      const second = yield* Effect.forkChild(lanes.acquire(asking("one")))
      yield* TestClock.adjust(10)
      const permit = yield* Fiber.join(second)
      yield* first.hear({ status: 429, headers: { "retry-after": "7" } })
      yield* first.release
      const departed = yield* Effect.forkChild(permit.depart)
      const at: Array<number> = []
      for (let n = 0; n < 5; n++) yield* Effect.forkChild(call(lanes, asking("one"), { at, takes: 200 }))
      yield* TestClock.adjust(6900)
      assert.isUndefined(departed.pollUnsafe())
      assert.deepStrictEqual(at, [])
      yield* TestClock.adjust(200)
      assert.isDefined(departed.pollUnsafe())
      assert.deepStrictEqual(at, [])
      yield* permit.hear({ status: 200, headers: {} })
      yield* permit.release
      yield* TestClock.adjust(2000)
      assert.strictEqual(at.length, 5)
    })
  )

  it.effect("sends those away who would wait for less than the lane is held, the last in line too", () =>
    Effect.gen(function* () {
      const lanes = lanesOf({ rps: 100, maxConcurrent: 1 })
      const at: Array<number> = []
      const headers = { "retry-after": "60" }
      yield* Effect.forkChild(call(lanes, asking("one"), { at, status: 429, headers, takes: 100 }))
      const impatient = yield* Effect.forkChild(
        Effect.all(
          [1, 2, 3].map(() => Effect.flip(lanes.acquire({ ...asking("one"), patience: 50_000 }))),
          { concurrency: 3 }
        )
      )
      const patient = yield* Effect.forkChild(call(lanes, asking("one"), { at }))
      yield* TestClock.adjust(100)
      const held = yield* Fiber.join(impatient)
      assert.deepStrictEqual(
        held.map((error) => error instanceof LaneHeld && Math.round(error.forMillis / 1000)),
        [60, 60, 60]
      )
      yield* TestClock.adjust(61_000)
      yield* Fiber.join(patient)
      assert.strictEqual(at.length, 2)
    })
  )

  it.effect("sends those away, too, who would wait for a used-up quota for longer", () =>
    Effect.gen(function* () {
      const lanes = lanesOf()
      const headers = { "ratelimit-limit": "10", "ratelimit-remaining": "0", "ratelimit-reset": "600" }
      yield* call(lanes, asking("one"), { at: [], headers })
      const waiting = yield* Effect.forkChild(Effect.flip(lanes.acquire({ ...asking("one"), patience: 60_000 })))
      yield* TestClock.adjust(10)
      const held = yield* Fiber.join(waiting)
      assert.isTrue(held instanceof LaneHeld && Math.round(held.forMillis / 1000) === 600)
    })
  )

  it.effect("gives a place up at once when the wait is interrupted, and loses no turn", () =>
    Effect.gen(function* () {
      const lanes = lanesOf({ rps: 1, maxConcurrent: 1 })
      const at: Array<number> = []
      yield* Effect.forkChild(call(lanes, asking("one"), { at, takes: 100 }))
      const waiting = yield* Effect.forkChild(call(lanes, asking("one"), { at }))
      yield* Effect.forkChild(call(lanes, asking("one"), { at }))
      yield* TestClock.adjust(50)
      yield* Fiber.interrupt(waiting)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(waiting)))
      yield* TestClock.adjust(500)
      assert.deepStrictEqual(at, [0, 100])
    })
  )

  it.effect("leaves the turn of a call that was never sent to the next one", () =>
    Effect.gen(function* () {
      const lanes = lanesOf({ rps: 1, maxConcurrent: 5 })
      const unused = yield* lanes.acquire(asking("one"))
      yield* unused.release
      yield* unused.release
      const at: Array<number> = []
      for (let n = 0; n < 3; n++) yield* Effect.forkChild(call(lanes, asking("one"), { at }))
      yield* TestClock.adjust(1500)
      assert.deepStrictEqual(at, [0, 1, 1001])
    })
  )

  it.effect("counts 503 of calls that were out together once, and holds longer for each in a row", () =>
    Effect.gen(function* () {
      const lanes = lanesOf()
      const at: Array<number> = []
      for (let n = 0; n < 5; n++) yield* Effect.forkChild(call(lanes, asking("one"), { at, status: 503, takes: 50 }))
      yield* TestClock.adjust(60)
      yield* Effect.forkChild(call(lanes, asking("one"), { at, status: 503 }))
      yield* TestClock.adjust(10)
      assert.strictEqual(at.length, 6)
      yield* Effect.forkChild(call(lanes, asking("one"), { at, status: 503 }))
      yield* TestClock.adjust(900)
      assert.strictEqual(at.length, 6)
      yield* TestClock.adjust(200)
      assert.strictEqual(at.length, 7)
      yield* Effect.forkChild(call(lanes, asking("one"), { at, status: 503 }))
      yield* TestClock.adjust(1700)
      assert.strictEqual(at.length, 7)
      yield* TestClock.adjust(300)
      assert.strictEqual(at.length, 8)
    })
  )

  it.effect("takes over a pace that the upstream dictates", () =>
    Effect.gen(function* () {
      const lanes = lanesOf()
      const at: Array<number> = []
      const headers = { "x-ezthrottle-rps": "0.5" }
      for (let n = 0; n < 3; n++) yield* Effect.forkChild(call(lanes, asking("one"), { at, headers }))
      yield* TestClock.adjust(10_000)
      assert.isAtLeast((at[2] ?? 0) - (at[1] ?? 0), 1990)
    })
  )

  it.effect("lets more calls out at once as it finds that they may be, when they last longer than their heads", () =>
    Effect.gen(function* () {
      const lanes = Lanes.make({
        settingOf: () => ({ pace: { rps: 50, maxConcurrent: 10 }, finds: true, bursts: false }),
        rulesOf: () => undefined,
        limits: {}
      })
      let [open, most, refused] = [0, 0, 0]
      // five streams at once are taken
      const stream = Effect.acquireUseRelease(
        lanes.acquire(asking("one")),
        (permit) =>
          Effect.gen(function* () {
            yield* permit.depart
            const isTaken = open < 5
            yield* Effect.sleep(20)
            yield* permit.hear({ status: isTaken ? 200 : 429, headers: {} })
            if (!isTaken) return void refused++
            most = Math.max(most, ++open)
            yield* Effect.sleep(1000)
            open--
          }),
        ({ release }) => release
      )
      yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 400 }), () => stream, { concurrency: "unbounded", discard: true })
      )
      for (let n = 0; n < 1200; n++) yield* TestClock.adjust(100)
      assert.isAtLeast(most, 5)
      assert.isAtMost(refused, 20)
    })
  )

  it.effect("drops lanes that rest, and never one that is used", () =>
    Effect.gen(function* () {
      const lanes = lanesOf({ rps: 0.001, maxConcurrent: 1 }, {}, 10)
      const used = yield* lanes.acquire(asking("used"))
      yield* used.depart
      for (let n = 0; n < 50; n++) yield* call(lanes, asking(`lane ${n}`), { at: [] })
      const at: Array<number> = []
      const fiber = yield* Effect.forkChild(call(lanes, asking("used"), { at }))
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(at, [])
      // forgotten, and so as new
      yield* call(lanes, asking("lane 0"), { at })
      assert.strictEqual(at.length, 1)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("lets calls of several lanes draw on one limit", () =>
    Effect.gen(function* () {
      const lanes = lanesOf(fast, { tokens: resolve({ rate: 10, burst: 10 }) })
      const at: Array<number> = []
      for (let n = 0; n < 4; n++) {
        yield* Effect.forkChild(call(lanes, asking(`lane ${n % 2}`, draw("tokens", 5)), { at }))
      }
      yield* TestClock.adjust(2000)
      assert.deepStrictEqual(
        at.map((time) => Math.round(time / 100)),
        [0, 0, 5, 10]
      )
    })
  )

  it.effect("lets a call that costs more than the burst go once that much has come in", () =>
    Effect.gen(function* () {
      const lanes = lanesOf(fast, { tokens: resolve({ rate: 10, burst: 10 }) })
      const at: Array<number> = []
      yield* Effect.forkChild(call(lanes, asking("one", draw("tokens", 30)), { at }))
      yield* TestClock.adjust(1900)
      assert.deepStrictEqual(at, [])
      yield* TestClock.adjust(200)
      assert.strictEqual(at.length, 1)
    })
  )

  it.effect("keeps nobody waiting who does not draw on what is used up, and starves no dear call", () =>
    Effect.gen(function* () {
      const lanes = lanesOf(fast, { tokens: resolve({ rate: 1, burst: 10 }) })
      const [dear, cheap, free]: [Array<number>, Array<number>, Array<number>] = [[], [], []]
      yield* call(lanes, asking("one", draw("tokens", 10)), { at: [] })
      yield* Effect.forkChild(call(lanes, asking("one", draw("tokens", 8)), { at: dear }))
      yield* TestClock.adjust(10)
      for (let n = 0; n < 4; n++) yield* Effect.forkChild(call(lanes, asking("two", draw("tokens")), { at: cheap }))
      yield* Effect.forkChild(call(lanes, asking("one"), { at: free }))
      yield* TestClock.adjust(7900)
      assert.strictEqual(free.length, 1)
      assert.deepStrictEqual([dear, cheap], [[], []])
      yield* TestClock.adjust(5000)
      assert.strictEqual(dear.length, 1)
      assert.strictEqual(cheap.length, 4)
      assert.isBelow(dear[0] ?? Infinity, cheap[0] ?? 0)
    })
  )

  it.effect("gives each key of a limit the whole of it, and counts open calls", () =>
    Effect.gen(function* () {
      const lanes = lanesOf(fast, { slots: resolve({ concurrency: 1 }) })
      const at: Array<number> = []
      for (const key of ["a", "a", "b"]) {
        yield* Effect.forkChild(call(lanes, asking("one", draw("slots", 1, key)), { at, takes: 1000 }))
      }
      yield* TestClock.adjust(500)
      assert.strictEqual(at.length, 2)
      yield* TestClock.adjust(1000)
      assert.strictEqual(at.length, 3)
    })
  )

  it.effect("keeps a limit for nobody whose lane was held meanwhile", () =>
    Effect.gen(function* () {
      const lanes = lanesOf(fast, { tokens: resolve({ rate: 1, burst: 10 }) })
      const held: Array<number> = []
      const at: Array<number> = []
      yield* call(lanes, asking("three", draw("tokens", 10)), { at: [] })
      const refused = { at: [], takes: 1000, status: 429, headers: { "retry-after": "3600" } }
      yield* Effect.forkChild(call(lanes, asking("one"), refused))
      yield* TestClock.adjust(100)
      yield* Effect.forkChild(call(lanes, asking("one", draw("tokens", 10)), { at: held }))
      yield* TestClock.adjust(100)
      yield* Effect.forkChild(call(lanes, asking("two", draw("tokens", 1)), { at }))
      yield* TestClock.adjust(700)
      assert.lengthOf(at, 0)
      yield* TestClock.adjust(2000)
      assert.lengthOf(at, 1)
      assert.lengthOf(held, 0)
    })
  )

  it.effect("settles by what an answer says, and gives back what was never made", () =>
    Effect.gen(function* () {
      const limit = resolve({ rate: 1, burst: 100, settle: { json: "usage.total" } })
      const lanes = lanesOf(fast, { tokens: limit })
      const permit: Permit = yield* lanes.acquire(asking("one", draw("tokens", 50)))
      assert.strictEqual(permit.settles, "by body")
      yield* permit.depart
      const answer = { status: 200, headers: {}, body: new TextEncoder().encode('{"usage":{"total":90}}') }
      yield* permit.settle(answer)
      yield* permit.settle(answer)
      yield* permit.release
      yield* TestClock.adjust(0)
      const unused = yield* lanes.acquire(asking("two", draw("tokens", 10)))
      yield* unused.release
      const at: Array<number> = []
      yield* Effect.forkChild(call(lanes, asking("one", draw("tokens", 10)), { at }))
      yield* Effect.forkChild(call(lanes, asking("one", draw("tokens", 5)), { at }))
      yield* TestClock.adjust(4900)
      assert.strictEqual(at.length, 1)
      yield* TestClock.adjust(200)
      assert.strictEqual(at.length, 2)
    })
  )

  it.effect("has no limit but those that were defined", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(lanesOf().acquire(asking("one", draw("toString"))))
      assert.isTrue(Exit.hasDies(exit))
    })
  )
})
