/** A lane never stands still: whoever can have a turn is looked for, whatever happens at which moment. */
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { beside } from "./Beside.ts"
import * as HostGate from "../../../src/dam/lane/HostGate.ts"
import * as Lane from "../../../src/dam/lane/Lane.ts"
import * as LimitBook from "../../../src/dam/lane/LimitBook.ts"
import type { Permit } from "../../../src/dam/lane/Permit.ts"
import * as Places from "../../../src/dam/lane/Places.ts"
import type { Ticket } from "../../../src/dam/store/JobRecords.ts"
import type { Draw } from "../../../src/step/StepModel.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { ok, setUp, url, fixed } from "../support.ts"
import { define } from "./LimitSchedule.ts"

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

const tokens: ReadonlyArray<Draw> = [{ name: "tokens", key: "", cost: 1 }]

/** Counts what is open at once, and the most that was. */
const counting = () => {
  let open = 0
  let most = 0
  return {
    most: () => most,
    begin: Effect.sync(() => void (most = Math.max(most, ++open))),
    end: Effect.sync(() => void open--)
  }
}

/**
 * Two lanes of a host that share their room, a ceiling and a limit, over a store that takes its time, with whatever may
 * happen to them.
 */
const anything = Effect.fnUntraced(function* (seed: number) {
  const draw = drawing(seed)
  const places = Places.make(() => 3)
  const gate = HostGate.make({ maxConcurrent: 3 }, { burst: 1, ownerOf: () => "" })
  const limits = LimitBook.make()
  define(limits, "tokens", { concurrency: 1 }, 0)
  const [ofHost, ofLimit] = [counting(), counting()]
  const countsOf = ({ draws }: Permit) => (draws.length > 0 ? [ofHost, ofLimit] : [ofHost])
  const opened = (permit: Permit) => Effect.forEach(countsOf(permit), ({ begin }) => begin, { discard: true })
  const closed = (permit: Permit) =>
    Effect.andThen(
      Effect.forEach(countsOf(permit), ({ end }) => end, { discard: true }),
      permit.release
    )
  const queues = new Map<string, Array<Ticket>>()
  const started: Array<string> = []
  const waits: Array<Fiber.Fiber<unknown>> = []
  let submitted = 0
  let seq = 0
  const drawn = () => (draw(2) === 0 ? tokens : undefined)
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
          yield* opened(permit)
          yield* takes
          const queue = queues.get(ticket.queue) ?? []
          const place = queue.findIndex(({ id }) => id === ticket.id)
          if (place >= 0) queue.splice(place, 1)
          started.push(ticket.id)
          // now and then it was called off meanwhile
          const run = draw(5) === 0 ? Effect.void : Effect.andThen(permit.depart(), takes)
          yield* Effect.forkDetach(Effect.andThen(run, Effect.andThen(closed(permit), giveBack)))
        }),
      room: places.of,
      host: (told) => gate.join("", told),
      limits
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
        queues.set(name, [...(queues.get(name) ?? []), { id: `job ${seq}`, queue: name, seq: seq++, draws: drawn() }])
        lane.wake(name)
        break
      case 2: {
        const used = Effect.flatMap(lane.acquire(name, { draws: drawn() }), (permit) =>
          Effect.andThen(Effect.andThen(opened(permit), permit.depart()), Effect.andThen(takes, closed(permit)))
        )
        waits.push(yield* Effect.forkChild(Effect.uninterruptible(used)))
        break
      }
      case 3: {
        const given = Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(lane.acquire(name), (permit) =>
            Effect.andThen(opened(permit), Effect.ensuring(restore(permit.depart()), closed(permit)))
          )
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
    taken: places.taken(),
    isBeyond: ofHost.most() > 3 || ofLimit.most() > 1
  }
})

it.effect("nobody is left behind and no more is let through than may be, whatever crosses whatever", () =>
  Effect.gen(function* () {
    for (let seed = 1; seed <= 50; seed++) {
      assert.deepStrictEqual(yield* anything(seed), { left: 0, waiting: 0, taken: 0, isBeyond: false }, `seed ${seed}`)
    }
  })
)
