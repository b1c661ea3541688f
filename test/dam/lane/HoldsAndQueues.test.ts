import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { beside } from "./Beside.ts"
import * as Lane from "../../../src/dam/lane/Lane.ts"
import * as Places from "../../../src/dam/lane/Places.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import * as Dam from "../support.ts"
import { fixed } from "../support.ts"

const monotonic = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
const nothing = { rps: undefined, maxConcurrent: undefined, accountQueues: undefined, hold: undefined, ignored: 0 }

const setUp = Effect.fnUntraced(function* (accountQueues: boolean) {
  const lane = Lane.make({
    fork: yield* beside,
    burst: 1,
    settingOf: () => fixed({ rps: 10, maxConcurrent: 10 }),
    accountQueues,
    queues: Effect.succeed([]),
    page: () => Effect.succeed([]),
    start: () => Effect.void,
    room: Places.make(() => 10).of
  })
  lane.wake(undefined)
  return lane
})

it.effect.each([true, false])("a hold outlives that account queues become %s", (accountQueues) =>
  Effect.gen(function* () {
    const lane = yield* setUp(!accountQueues)
    lane.learn("a", { ...nothing, hold: 60_000 }, yield* monotonic)
    lane.learn("b", { ...nothing, accountQueues }, yield* monotonic)
    const waiting = yield* Effect.forkChild(Effect.uninterruptible(lane.acquire("a")))
    yield* TestClock.adjust("2 seconds")
    assert.isUndefined(waiting.pollUnsafe())
  })
)

it.effect("a hold of one account, once the host gives the pace again, stops nobody else", () =>
  Effect.gen(function* () {
    const lane = yield* setUp(true)
    lane.learn("a", { ...nothing, hold: 60_000 }, yield* monotonic)
    lane.learn("b", { ...nothing, accountQueues: false }, yield* monotonic)
    const held = yield* Effect.forkChild(Effect.uninterruptible(lane.acquire("a")))
    const free = yield* Effect.forkChild(Effect.uninterruptible(lane.acquire("b")))
    yield* TestClock.adjust("2 seconds")
    assert.isDefined(free.pollUnsafe())
    assert.isUndefined(held.pollUnsafe())
    yield* TestClock.adjust("1 minute")
    assert.isDefined(held.pollUnsafe())
  })
)

it.effect("a hold outlives the retention of jobs, and a restart", () =>
  Effect.gen(function* () {
    const dam = yield* Dam.setUp({ target: Script.always(Dam.refusal(1800)), retention: Duration.seconds(10) })
    yield* dam.submit(Step.get(Dam.url))
    yield* TestClock.adjust("10 minutes")
    yield* dam.stop
    const again = yield* dam.begin()
    assert.strictEqual((yield* again.engine.steering.get("api.example:443")).holds[0]?.until, 1_800_000)
    yield* TestClock.adjust("19 minutes")
    assert.lengthOf(yield* dam.sent, 1)
    yield* again.stop
  })
)
