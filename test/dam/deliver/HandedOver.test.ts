import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as TestClock from "effect/testing/TestClock"
import * as Receiver from "../../../src/dam/deliver/Receiver.ts"
import { defaults } from "../../../src/dam/deliver/Schedule.ts"
import type { DueDelivery } from "../../../src/dam/store/DeliveryRecords.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { hook, ok, setUp, type Store, url } from "../support.ts"

const due: DueDelivery = {
  id: "job:0",
  jobId: "job",
  customer: "local",
  index: 0,
  url: hook,
  regions: [],
  hasQuorumVote: true,
  lane: "lane",
  body: new Uint8Array(0),
  state: "pending",
  attempts: [],
  dueAt: 0,
  begunAt: 0,
  spent: 0,
  dead: undefined,
  disabled: undefined
}

const setsToo = (_: string, value: unknown): unknown => (value instanceof Set ? Array.from(value) : value)

const telling = Step.webhooks(Step.get(url), [{ url: hook }])
const named = (name: string) => Step.idempotentKey(telling, name)

/** Counts how often the outbox is looked at. */
const counting = () => {
  let looks = 0
  const through = (store: Store): Store => ({
    ...store,
    dueDeliveries: (...args) => {
      looks++
      return store.dueDeliveries(...args)
    }
  })
  return { through, looks: () => looks }
}

describe("a result that was stored just now", () => {
  it.effect("is told without being read from the outbox", () =>
    Effect.gen(function* () {
      const { looks, through } = counting()
      const dam = yield* setUp({ through })
      for (const name of ["one", "two", "three"]) yield* dam.runToEnd(named(name))
      assert.lengthOf(yield* dam.told, 3)
      assert.deepInclude(yield* dam.store.stats, { pendingDeliveries: 0 })
      assert.strictEqual(looks(), 0)
    })
  )

  it.effect("is told again on its schedule, and then nobody looks any more", () =>
    Effect.gen(function* () {
      const { looks, through } = counting()
      const dam = yield* setUp({ through, receivers: Script.always(Script.inTurn({ status: 500 }, ok)) })
      yield* dam.submit(telling)
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(yield* dam.told, 2)
      assert.deepInclude(yield* dam.store.stats, { pendingDeliveries: 0 })
      const before = looks()
      assert.isAbove(before, 0)
      yield* dam.submit(named("later"))
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(yield* dam.told, 3)
      assert.strictEqual(looks(), before)
    })
  )

  it.effect("waits behind those that are due in the outbox, where no more may be in memory", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        receivers: Script.always(Script.later("1 second", ok)),
        deliveries: { ...defaults, concurrency: 2 }
      })
      const names = Array.from({ length: 7 }, (_, n) => `${n}`)
      const ids: Array<string> = []
      for (const name of names) {
        ids.push(yield* dam.submit(named(name)))
        yield* TestClock.adjust(10)
      }
      assert.lengthOf(yield* dam.told, 2)
      yield* TestClock.adjust("10 seconds")
      const jobs = (yield* dam.told).map(({ asked }) => {
        const { body } = asked.request
        return (JSON.parse(new TextDecoder().decode(body as Uint8Array)) as { readonly job_id: string }).job_id
      })
      assert.deepStrictEqual(jobs, ids)
    })
  )

  it.effect(
    "is told once, where a look at the outbox finds it before it is handed over and answers after it was told",
    () =>
      Effect.gen(function* () {
        let ends = 0
        const slow = (store: Store): Store => ({
          ...store,
          finish: (...args) => Effect.tap(store.finish(...args), () => Effect.sleep(5 + 10 * ends++)),
          dueDeliveries: (...args) => Effect.tap(store.dueDeliveries(...args), Effect.sleep(20))
        })
        const receivers = Script.always(Script.inTurn({ status: 500 }, ok))
        const dam = yield* setUp({ through: slow, receivers })
        // the first is refused, which is a reason to look: the second is stored by then, and handed over meanwhile
        yield* dam.submit(named("first"))
        yield* dam.submit(named("second"))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(
          (yield* dam.told).map(({ at }) => at),
          [5, 16]
        )
      })
  )

  it.effect("is told once, where a look at the outbox finds it before it is handed over and is answered before", () =>
    Effect.gen(function* () {
      const waits = [20]
      const through = (store: Store): Store => ({
        ...store,
        finish: (...args) => Effect.tap(store.finish(...args), () => Effect.sleep(waits.shift() ?? 0))
      })
      const receivers = Script.always(Script.inTurn({ status: 500 }, Script.later(50, ok)))
      // the second ends while the first is stored and not handed over, and is refused, which is a reason to look
      const target = Script.always(Script.inTurn(ok, Script.later(10, ok)))
      const dam = yield* setUp({ through, receivers, target })
      yield* dam.submit(named("first"))
      yield* dam.submit(named("second"))
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* dam.told, 2)
    })
  )

  it.effect("is not remembered once it was told, however long another one waits for its time", () =>
    Effect.gen(function* () {
      const looks = yield* FiberSet.runtime(yield* FiberSet.make())()
      const receivers: Receiver.Receivers = {
        store: {
          dueDeliveries: (now) => Effect.succeed({ deliveries: [], nextDueAt: now + 3_600_000 })
        },
        concurrency: 100,
        clockEvery: 60_000,
        noticeClock: Effect.void,
        leaving: () => false,
        fork: looks,
        forkLook: (_, look) => looks(look),
        deliver: () => Effect.succeed(true),
        closings: () => 0,
        known: new Map(),
        underWay: 0,
        waiting: 0
      }
      Receiver.wake(receivers, "lane")
      for (let n = 0; n < 100; n++) Receiver.hand(receivers, { ...due, id: `job:${n}` })
      yield* TestClock.adjust("1 minute")
      const receiver = receivers.known.get("lane")
      assert.deepInclude(receiver, { isLooking: true, waiting: 0 })
      assert.strictEqual(JSON.stringify(receiver, setsToo).includes("job:"), false)
    })
  )

  it.effect("is told by the next dam, where the first ends before it was taken", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: Script.always(Script.inTurn(Script.hang, ok)) })
      yield* dam.submit(telling)
      yield* TestClock.adjust(10)
      assert.lengthOf(yield* dam.told, 1)
      yield* dam.stop
      yield* dam.begin()
      yield* TestClock.adjust(10)
      assert.lengthOf(yield* dam.told, 2)
      assert.deepInclude(yield* dam.store.stats, { pendingDeliveries: 0 })
    })
  )

  it.effect("is not sent to an endpoint that is disabled", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: Script.always(Script.inTurn({ status: 410 }, ok)) })
      yield* dam.submit(named("first"))
      yield* TestClock.adjust(10)
      const id = yield* dam.submit(named("second"))
      yield* TestClock.adjust(Duration.minutes(1))
      assert.lengthOf(yield* dam.told, 1)
      const [delivery] = yield* dam.store.deliveries(id)
      assert.deepInclude(delivery?.dead, { reason: "receiver_gone" })
    })
  )

  it.effect("waits in memory for others of its host, and in the outbox where that would be too much", () =>
    Effect.gen(function* () {
      const { looks, through } = counting()
      const dam = yield* setUp({
        through,
        target: Script.always({ status: 200, body: "x".repeat(1_000_000) }),
        receivers: Script.always(Script.hang),
        deliveries: { ...defaults, concurrency: 1 }
      })
      for (let n = 0; n < 5; n++) yield* dam.submit(named(`${n}`))
      yield* TestClock.adjust(10)
      assert.strictEqual(looks(), 0)
      for (let n = 5; n < 8; n++) yield* dam.submit(named(`${n}`))
      yield* TestClock.adjust("2 seconds")
      assert.isAbove(looks(), 0)
      assert.lengthOf(yield* dam.told, 1)
    })
  )

  it.effect("that waits in memory goes to no endpoint that is disabled meanwhile", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        receivers: Script.always(Script.later("1 second", { status: 410 })),
        deliveries: { ...defaults, concurrency: 1 }
      })
      for (let n = 0; n < 5; n++) yield* dam.submit(named(`${n}`))
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* dam.told, 1)
      assert.deepInclude(yield* dam.store.stats, { pendingDeliveries: 0, deadDeliveries: 5 })
    })
  )
})
