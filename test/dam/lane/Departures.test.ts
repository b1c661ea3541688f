import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Pace } from "../../../src/engine/pace/Gate.ts"
import type { Ticket } from "../../../src/dam/store/JobRecords.ts"
import { beside } from "./Beside.ts"
import * as Lane from "../../../src/dam/lane/Lane.ts"
import * as Places from "../../../src/dam/lane/Places.ts"
import { fixed } from "../support.ts"

const monotonic = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

/** Runs a lane with a backlog for a while; its store answers each write and read when `diskAfter` says. */
const callsOf = Effect.fnUntraced(function* (
  pace: Pace,
  seconds: number,
  disk: { readonly write: (now: number) => number; readonly read: number }
) {
  const queue = Array.from({ length: 20 * pace.rps * seconds }, (_, seq): Ticket => {
    return { id: `job-${seq}`, queue: "a", seq }
  })
  const calls: Array<number> = []
  const waits: Array<number> = []
  const lane = Lane.make({
    fork: yield* beside,
    burst: 1,
    settingOf: () => fixed(pace),
    queues: Effect.succeed(["a"]),
    page: (_, limit) =>
      Effect.delay(
        Effect.sync(() => queue.slice(0, limit)),
        disk.read
      ),
    start: (ticket, permit, giveBack) =>
      Effect.gen(function* () {
        queue.splice(queue.indexOf(ticket), 1)
        yield* Effect.sleep(disk.write(yield* monotonic))
        const from = yield* monotonic
        yield* Effect.forkDetach(
          Effect.gen(function* () {
            yield* permit.depart()
            calls.push(yield* monotonic)
            waits.push((yield* monotonic) - from)
            yield* permit.release
            yield* giveBack
          })
        )
      }),
    room: Places.make(() => 1000).of
  })
  lane.wake(undefined)
  for (let step = 0; step < seconds * 100; step++) yield* TestClock.adjust(10)
  return { calls, waits }
})

const mostInASecond = (calls: ReadonlyArray<number>): number =>
  Math.max(...calls.map((at, from) => calls.filter((other, n) => n >= from && other < at + 1000).length))

describe("LaneDepartures", () => {
  it.effect("sends no more than the rate plus the burst in any second, however long a disk keeps jobs waiting", () =>
    Effect.gen(function* () {
      // what is written within 700 ms is answered at once
      const { calls } = yield* callsOf({ rps: 10, maxConcurrent: 100 }, 20, {
        write: (now) => 700 - (now % 700),
        read: 0
      })
      assert.isAtMost(mostInASecond(calls), 11)
      assert.isAtLeast(calls.length, 190)
    })
  )

  it.effect("keeps nobody waiting whose job is written within an interval", () =>
    Effect.gen(function* () {
      const { calls, waits } = yield* callsOf({ rps: 20, maxConcurrent: 100 }, 10, {
        write: (now) => (now % 7) * 6,
        read: 0
      })
      assert.isAtLeast(calls.length, 198)
      // a thousandth of an interval is never given back
      assert.isAtMost(Math.max(...waits), 1)
    })
  )

  it.effect("keeps the rate of a backlog though a page takes long to read", () =>
    Effect.gen(function* () {
      const { calls } = yield* callsOf({ rps: 100, maxConcurrent: 100 }, 10, { write: () => 0, read: 300 })
      // all but the first page, which nothing could be sent before
      assert.isAtLeast(calls.length, 965)
      assert.isAtMost(mostInASecond(calls), 101)
    })
  )
})
