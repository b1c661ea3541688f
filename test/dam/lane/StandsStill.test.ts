/** A lane never stands still: whoever can have a turn is looked for, whatever happens at which moment. */
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { beside } from "./Beside.ts"
import * as Lane from "../../../src/dam/lane/Lane.ts"
import * as Places from "../../../src/dam/lane/Places.ts"
import type { Ticket } from "../../../src/dam/store/JobRecords.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { ok, setUp, url, fixed } from "../support.ts"

it.effect("a retry in the moment of a read leaves nobody behind", () =>
  Effect.gen(function* () {
    const dam = yield* setUp({
      pacing: {},
      target: Script.all(Script.on(`${url}broken`, Script.reset), Script.always(ok)),
      through: (store) => ({ ...store, page: (...asked) => Effect.delay(store.page(...asked), 100) })
    })
    // called at 100 and 350
    yield* dam.submit(Step.retryPolicy(Step.get(`${url}broken`), { maxRetries: 1, base: 500 }))
    yield* TestClock.adjust(300)
    const second = yield* dam.submit(Step.get(url))
    yield* TestClock.adjust("1 minute")
    const third = yield* dam.submit(Step.get(`${url}third`))
    yield* TestClock.adjust("1 hour")
    const states = [(yield* dam.get(second)).state, (yield* dam.get(third)).state]
    assert.deepStrictEqual(states, ["succeeded", "succeeded"])
  })
)

const monotonic = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
const nothing = { rps: undefined, maxConcurrent: undefined, accountQueues: undefined, hold: undefined, ignored: 0 }

/** Numbers that are drawn the same every time, below `most`. */
const drawing = (seed: number) => {
  let state = seed
  return (most: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % most
  }
}

/** Two lanes that share their room, over a store that takes its time, with whatever may happen to them. */
const anything = Effect.fnUntraced(function* (seed: number) {
  const draw = drawing(seed)
  const places = Places.make(() => 3)
  const queues = new Map<string, Array<Ticket>>()
  const started: Array<string> = []
  const waits: Array<Fiber.Fiber<unknown>> = []
  let submitted = 0
  let seq = 0
  const takes = Effect.suspend(() => Effect.sleep(draw(4) * draw(60)))
  const fork = yield* beside
  const laneOf = (host: string): Lane.Lane =>
    Lane.make({
      fork,
      burst: 1,
      settingOf: () => fixed({ rps: 5, maxConcurrent: 1 + draw(3) }),
      queues: Effect.andThen(
        takes,
        Effect.sync(() => Array.from(queues.keys()).flatMap((name) => (name.startsWith(host) ? [name] : [])))
      ),
      page: (name, limit) =>
        Effect.andThen(
          takes,
          Effect.sync(() => (queues.get(name) ?? []).slice(0, limit))
        ),
      start: (ticket, permit, giveBack) =>
        Effect.gen(function* () {
          yield* takes
          const queue = queues.get(ticket.queue) ?? []
          const place = queue.findIndex(({ id }) => id === ticket.id)
          if (place >= 0) queue.splice(place, 1)
          started.push(ticket.id)
          // now and then it was called off meanwhile
          const run = draw(5) === 0 ? Effect.void : Effect.andThen(permit.depart(), takes)
          yield* Effect.forkDetach(Effect.andThen(run, Effect.andThen(permit.release, giveBack)))
        }),
      room: places.of
    })
  const lanes = new Map([..."xy"].map((host) => [host, laneOf(host)]))
  for (const lane of lanes.values()) lane.wake(undefined)
  for (let turn = 0; turn < 120; turn++) {
    const host = draw(2) === 0 ? "x" : "y"
    const name = `${host}${draw(3)}`
    const lane = lanes.get(host) ?? laneOf(host)
    const now = yield* monotonic
    switch (draw(7)) {
      case 0:
      case 1:
        submitted++
        queues.set(name, [...(queues.get(name) ?? []), { id: `job ${seq}`, queue: name, seq: seq++ }])
        lane.wake(name)
        break
      case 2: {
        const used = Effect.flatMap(lane.acquire(name), ({ depart, release }) =>
          Effect.andThen(Effect.andThen(depart(), takes), release)
        )
        waits.push(yield* Effect.forkChild(Effect.uninterruptible(used)))
        break
      }
      case 3: {
        const given = Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(lane.acquire(name), ({ depart, release }) => Effect.ensuring(restore(depart()), release))
        )
        const fiber = yield* Effect.forkChild(given)
        yield* TestClock.adjust(draw(100))
        yield* Fiber.interrupt(fiber)
        break
      }
      case 4:
        lane.learn(
          name,
          { ...nothing, rps: 1 + draw(20), accountQueues: draw(4) === 0 ? draw(2) === 0 : undefined },
          now
        )
        break
      case 5:
        lane.learn(name, { ...nothing, hold: draw(500) }, now)
        break
      default:
        lane.pause(draw(2) === 0, now)
    }
    yield* TestClock.adjust(draw(3) * draw(100))
  }
  const end = yield* monotonic
  for (const lane of lanes.values()) lane.pause(false, end)
  yield* TestClock.adjust("10 minutes")
  return {
    left: submitted - new Set(started).size,
    waiting: waits.filter((fiber) => fiber.pollUnsafe() === undefined).length,
    taken: places.taken()
  }
})

it.effect("nobody is left behind, whatever crosses whatever", () =>
  Effect.gen(function* () {
    for (let seed = 1; seed <= 50; seed++) {
      assert.deepStrictEqual(yield* anything(seed), { left: 0, waiting: 0, taken: 0 }, `seed ${seed}`)
    }
  })
)
