/** A lane looks in a moment of its own, and not in the middle of what another one does. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { accountOf, queueOf } from "../../../src/dam/job/LaneName.ts"
import * as Lane from "../../../src/dam/lane/Lane.ts"
import * as LimitBook from "../../../src/dam/lane/LimitBook.ts"
import * as Places from "../../../src/dam/lane/Places.ts"
import type { Draw } from "../../../src/step/StepModel.ts"
import { Signal } from "../../../src/dam/lane/Signal.ts"
import { fixed } from "../support.ts"
import { beside } from "./Beside.ts"
import { define } from "./LimitSchedule.ts"

const monotonic = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

/** A lane with one job, which hangs once it has started. */
const laneWith = Effect.fnUntraced(function* (
  places: Places.Places,
  { book, draws, id, readMillis = 0 }: Job,
  started: Array<string>
) {
  const queue = queueOf({ account: accountOf("a", {}), isolated: false }, draws)
  let tickets = [{ id, queue, seq: 0, draws }]
  const lane = Lane.make({
    fork: yield* beside,
    burst: 1,
    settingOf: () => fixed({ rps: 1000, maxConcurrent: 100 }),
    limits: book,
    queues: Effect.sync(() => tickets.map((ticket) => ticket.queue)),
    page: () =>
      Effect.andThen(
        readMillis === 0 ? Effect.void : Effect.sleep(readMillis),
        Effect.sync(() => tickets)
      ),
    start: () =>
      Effect.sync(() => {
        tickets = []
        started.push(id)
      }),
    room: places.of
  })
  lane.wake(undefined)
  return lane
})

interface Job {
  readonly id: string
  readonly book?: LimitBook.LimitBook
  readonly draws?: ReadonlyArray<Draw>
  readonly readMillis?: number
}

/** Takes all places, and answers what gives one back. */
const fill = (places: Places.Places, most: number) => {
  const room = places.of(() => undefined)
  for (let n = 0; n < most; n++) room.take()
  return room.giveBack
}

describe("a fault of this program", () => {
  it.effect("does not stop a lane that looks", () =>
    Effect.gen(function* () {
      const started: Array<string> = []
      let faults = 2
      const faulty = <A>(answer: A) =>
        Effect.suspend(() => (faults-- > 0 ? Effect.die("a fault") : Effect.succeed(answer)))
      const lane = Lane.make({
        fork: yield* beside,
        burst: 1,
        settingOf: () => fixed({ rps: 1000, maxConcurrent: 100 }),
        queues: Effect.suspend(() => faulty(started.length === 0 ? ["a"] : [])),
        page: () => faulty(started.length === 0 ? [{ id: "job", queue: "a", seq: 0 }] : []),
        start: ({ id }, { release }, giveBack) =>
          Effect.andThen(
            Effect.sync(() => started.push(id)),
            Effect.andThen(release, giveBack)
          ),
        room: Places.make(() => 1).of
      })
      lane.wake(undefined)
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(started, ["job"])
      assert.isTrue(lane.idle(1e9))
    })
  )
})

it.effect("a look that cannot begin where it is told of begins soon after, and stops no other lane", () =>
  Effect.gen(function* () {
    const fork = yield* beside
    let isFull = true
    const laneOf = (own: typeof fork) =>
      Lane.make({
        fork: own,
        burst: 1,
        settingOf: () => fixed({ rps: 1000, maxConcurrent: 1 }),
        queues: Effect.succeed([]),
        page: () => Effect.succeed([]),
        start: () => Effect.void,
        room: Places.make(() => 1).of
      })
    const first = laneOf((work) => {
      if (!isFull) return fork(work)
      isFull = false
      throw new RangeError("Maximum call stack size exceeded")
    })
    const granted: Array<string> = []
    for (const [name, lane] of Object.entries({ first, second: laneOf(fork) })) {
      yield* Effect.forkChild(
        Effect.map(lane.acquire("a"), () => granted.push(name)),
        { startImmediately: true }
      )
    }
    yield* TestClock.adjust(10)
    assert.sameMembers(granted, ["first", "second"])
  })
)

it.effect("a look that is late already is followed by others all the same", () =>
  Effect.gen(function* () {
    const looks: Array<number> = []
    const look = Effect.gen(function* () {
      const now = yield* monotonic
      looks.push(now)
      if (looks.length === 1) return now - 1
      if (looks.length > 2) return Number.POSITIVE_INFINITY
      yield* Effect.sleep(5)
      return now + 50
    })
    new Signal(yield* beside, () => look).openUnsafe()
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(looks, [0, 0, 50])
  })
)

describe("lanes that wait for places", () => {
  it.effect("draw no more on a limit than it has, where one lets the next one through", () =>
    Effect.gen(function* () {
      const places = Places.make(() => 10)
      const giveBack = fill(places, 10)
      const book = LimitBook.make()
      define(book, "tokens", { concurrency: 1 }, 0)
      const draws = [{ name: "tokens", key: "", cost: 1 }]
      const started: Array<string> = []
      yield* laneWith(places, { id: "slow", book, draws, readMillis: 10 }, started)
      yield* laneWith(places, { id: "quick", book, draws }, started)
      yield* TestClock.adjust(1)
      // the first one reads; the second has its turn once the first has taken its place
      yield* giveBack
      yield* giveBack
      yield* TestClock.adjust("1 second")
      assert.lengthOf(started, 1)
    })
  )

  it.effect("have their turns one after the other, however many there are", () =>
    Effect.gen(function* () {
      const lanes = 3000
      const most = 10 * lanes
      const places = Places.make(() => most)
      const giveBack = fill(places, most)
      const started: Array<string> = []
      yield* laneWith(places, { id: "slow", readMillis: 10 }, started)
      for (let n = 1; n < lanes; n++) yield* laneWith(places, { id: `quick ${n}` }, started)
      yield* TestClock.adjust(1)
      for (let n = 0; n < lanes; n++) yield* giveBack
      yield* TestClock.adjust("1 second")
      assert.lengthOf(started, lanes)
    })
  )
})
