import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Classes from "../../../src/dam/lane/Classes.ts"
import { patience } from "../../../src/dam/job/LaneName.ts"
import * as Step from "../../../src/step/Step.ts"
import type { Priority } from "../../../src/step/StepModel.ts"
import { bool } from "../../../src/testing/Generators.ts"
import { setUp } from "../support.ts"

const slow = { pacing: { pace: { rps: 1, maxConcurrent: 1000 } } }

const ends = { high: "!h", normal: "", low: "!l" } as const

/** The paths that were called, in the order of their calls. */
const pathsOf = (dam: Effect.Success<ReturnType<typeof setUp>>) =>
  Effect.map(dam.exchanges, (calls) => calls.map(({ asked }) => new URL(asked.request.url).pathname))

/** The longest row of others before one of a class. */
const waits = (classes: ReadonlyArray<string>, one: string): number => {
  let longest = 0
  let row = 0
  for (const name of classes) {
    row = name === one ? 0 : row + 1
    longest = Math.max(longest, row)
  }
  return longest
}

describe("classes of priority", () => {
  it.effect("have their turns high, normal, low, in the order in which they came within each", () =>
    Effect.gen(function* () {
      const dam = yield* setUp(slow)
      const say = (path: string, priority: Priority) =>
        dam.submit(Step.get(`https://api.example/${path}`).pipe(Step.priority(priority)))
      // the first calls of a host go at once
      for (const n of [0, 1]) yield* say(`first/${n}`, "low")
      yield* TestClock.adjust("1 millis")
      for (const n of [1, 2]) {
        yield* say(`low/${n}`, "low")
        yield* dam.submit(Step.get(`https://api.example/normal/${n}`))
        yield* say(`high/${n}`, "high")
      }
      yield* TestClock.adjust("8 seconds")
      assert.deepStrictEqual(yield* pathsOf(dam), [
        "/first/0",
        "/first/1",
        "/high/1",
        "/high/2",
        "/normal/1",
        "/normal/2",
        "/low/1",
        "/low/2"
      ])
    })
  )

  it.effect("never starve: a low job that is first in its class is let through after 16 others", () =>
    Effect.gen(function* () {
      const dam = yield* setUp(slow)
      for (let n = 0; n < 60; n++) {
        yield* dam.submit(Step.get(`https://api.example/high/${n}`).pipe(Step.priority("high")))
        yield* dam.submit(Step.get(`https://api.example/normal/${n}`))
        yield* dam.submit(Step.get(`https://api.example/low/${n}`).pipe(Step.priority("low")))
      }
      yield* TestClock.adjust("70 seconds")
      // the first two went before there were others
      const classes = (yield* pathsOf(dam)).slice(2).map((path) => path.split("/")[1] ?? "")
      assert.isAtMost(waits(classes, "low"), patience.low)
      assert.isAtMost(waits(classes, "normal"), patience.normal + 1)
      assert.isAbove(classes.filter((name) => name === "high").length, 45)
    })
  )

  it.prop(
    "keep their bounds whatever comes and goes",
    [Arbitrary.array(Arbitrary.all([bool, bool, bool]), { maxLength: 200 })],
    ([rounds]) => {
      let passed = Classes.fresh
      const waited = { high: 0, normal: 0, low: 0 }
      for (const [high, normal, low] of rounds) {
        const queues = ([high && "high", normal && "normal", low && "low"] as const).flatMap((one) =>
          one === false ? [] : [{ name: `acc${ends[one]}`, tickets: [1], more: false, isReading: false, one }]
        )
        const [turn] = Classes.inTurn(queues, passed)
        if (turn === undefined) continue
        passed = Classes.served(queues, turn, passed)
        for (const one of ["normal", "low"] as const) {
          const isWaiting = queues.some((queue) => queue.one === one)
          waited[one] = turn.one === one || !isWaiting ? 0 : waited[one] + 1
        }
        assert.isAtMost(waited.normal, patience.normal + 1)
        assert.isAtMost(waited.low, patience.low)
      }
    }
  )
})
