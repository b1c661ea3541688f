/** What operators are told, once when it begins and once when it is over. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { type DeliveryOptions, defaults } from "../../../src/dam/deliver/Schedule.ts"
import type { NoticeOptions } from "../../../src/dam/observe/Notice.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { hook, ok, type Options, refusal, setUp, url } from "../support.ts"

const ops = "https://ops.example/notices"
const telling = Step.webhooks(Step.get(url), [{ url: hook }])
const keyed = (key: string) => Step.idempotentKey(telling, key)
const short: DeliveryOptions = { ...defaults, schedule: [Duration.zero, Duration.seconds(20)] }

interface Body {
  readonly type: string
  readonly id: string
  readonly event: string
  readonly state: string
  readonly at: number
  readonly since: number
  readonly details: Readonly<Record<string, unknown>>
}

/** A dam that tells operators, whose receiver fails for as long as it is down. */
const watched = Effect.fnUntraced(function* (notices: NoticeOptions, options: Options = {}) {
  const receiver = { isDown: false }
  const receivers: Script.Script = {
    rules: [
      {
        name: "down",
        matches: ({ request }) => receiver.isDown && request.url === hook,
        answer: Script.always({ status: 500 }).rules[0]?.answer ?? Script.refuse
      },
      ...Script.always({ status: 204 }).rules
    ]
  }
  const dam = yield* setUp({
    receivers,
    deliveries: short,
    retention: Duration.days(30),
    notices: { urls: [ops], ...notices },
    ...options
  })
  const calls = Effect.map(dam.told, (all) => all.filter(({ asked }) => asked.request.url === ops))
  return {
    ...dam,
    receiver,
    calls,
    bodies: Effect.map(calls, (all) => all.map(({ asked }): Body => JSON.parse(textOf(asked.request.body))))
  }
})

/** Receivers of which one refuses everything. */
const refusing = (url: string): Script.Script => ({
  rules: [
    {
      name: "refusing",
      matches: ({ request }) => request.url === url,
      answer: Script.always({ status: 500 }).rules[0]?.answer ?? Script.refuse
    },
    ...Script.always({ status: 204 }).rules
  ]
})

const textOf = (body: string | Uint8Array | undefined) =>
  typeof body === "string" ? body : new TextDecoder().decode(body)

const said = (bodies: ReadonlyArray<Body>) => bodies.map(({ event, state }) => `${event} ${state}`)

describe("notices", () => {
  it.effect("tell that an endpoint fails, is disabled, and works again, each once", () =>
    Effect.gen(function* () {
      const strict = { ...defaults, endpoints: { failures: 4, failingMillis: 600_000, probeMillis: 3_600_000 } }
      const dam = yield* watched({ thresholds: { endpointFailures: 2 } }, { deliveries: strict })
      dam.receiver.isDown = true
      yield* dam.submit(keyed("a"))
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(said(yield* dam.bodies), ["endpoint_failing begun"])
      yield* TestClock.adjust("3 hours")
      dam.receiver.isDown = false
      yield* TestClock.adjust("20 hours")
      const bodies = yield* dam.bodies
      assert.deepStrictEqual(said(bodies), [
        "endpoint_failing begun",
        "endpoint_disabled begun",
        "endpoint_recovered over"
      ])
      const [first] = bodies
      assert.deepInclude(first, { type: "notice", since: 0 })
      // a path may be a secret
      assert.deepStrictEqual(first?.details, { customer_id: "local", origin: "https://hooks.example", failures: 2 })
      assert.notInclude(JSON.stringify(bodies), "/done")
    })
  )

  it.effect("carry an id of their own, and the same bytes at every attempt", () =>
    Effect.gen(function* () {
      const dam = yield* watched(
        { thresholds: { memoryBytes: 10 } },
        { memoryBytes: () => 11, receivers: Script.always(Script.inTurn({ status: 503 }, ok)) }
      )
      yield* TestClock.adjust("1 hour")
      const bodies = yield* dam.bodies
      assert.deepStrictEqual(said(bodies), ["memory_bytes begun", "memory_bytes begun"])
      assert.deepStrictEqual(bodies[0], bodies[1])
      const [first] = yield* dam.calls
      assert.strictEqual(first?.asked.request.headers["webhook-id"], bodies[0]?.id)
    })
  )

  it.effect("are shown as they were sent, the newest first, with each receiver they reached or did not", () =>
    Effect.gen(function* () {
      const memory = { bytes: 200 }
      const other = "https://other.example/notices"
      const dam = yield* watched(
        { urls: [ops, other], thresholds: { memoryBytes: 100 } },
        { memoryBytes: () => memory.bytes, receivers: refusing(other) }
      )
      yield* TestClock.adjust("10 seconds")
      const [waiting] = (yield* dam.engine.notices.view).sent
      assert.deepStrictEqual(
        waiting?.deliveries.map(({ state, url }) => [url, state]),
        [
          [ops, "delivered"],
          [other, "pending"]
        ]
      )
      yield* TestClock.adjust("2 minutes")
      memory.bytes = 10
      yield* TestClock.adjust("10 seconds")
      const { sent } = yield* dam.engine.notices.view
      assert.deepStrictEqual(
        sent.map(({ event, state }) => `${event} ${state}`),
        ["memory_bytes over", "memory_bytes begun"]
      )
      assert.deepInclude(sent[1], { since: 0, at: 0, details: { value: 200, mark: 100 } })
      assert.deepStrictEqual(
        sent[1]?.deliveries.map(({ state }) => state),
        ["delivered", "dead"]
      )
      assert.deepStrictEqual(
        (yield* dam.bodies).map(({ id }) => id),
        [sent[1]?.id, sent[0]?.id]
      )
    })
  )

  it.effect("tell of a mark once, and that it is over only well below it", () =>
    Effect.gen(function* () {
      const memory = { bytes: 90 }
      const dam = yield* watched({ thresholds: { memoryBytes: 100 } }, { memoryBytes: () => memory.bytes })
      for (const bytes of [99, 100, 95, 101, 91, 150]) {
        memory.bytes = bytes
        yield* TestClock.adjust("1 minute")
      }
      assert.deepStrictEqual(said(yield* dam.bodies), ["memory_bytes begun"])
      memory.bytes = 90
      yield* TestClock.adjust("1 minute")
      const bodies = yield* dam.bodies
      assert.deepStrictEqual(said(bodies), ["memory_bytes begun", "memory_bytes over"])
      assert.deepStrictEqual(bodies[1]?.details, { value: 90, mark: 100 })
      assert.strictEqual(bodies[1]?.since, bodies[0]?.since)
    })
  )

  it.effect("tell of what the database holds", () =>
    Effect.gen(function* () {
      const dam = yield* watched({ thresholds: { storedBytes: 1 } })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(said(yield* dam.bodies), ["stored_bytes begun"])
    })
  )

  it.effect("tell of dead letters above a number, and when they are gone", () =>
    Effect.gen(function* () {
      const dam = yield* watched({ events: ["dead_letters"], thresholds: { deadLetters: 1 } })
      dam.receiver.isDown = true
      yield* dam.submit(keyed("a"))
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* dam.bodies, [])
      yield* dam.submit(keyed("b"))
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(said(yield* dam.bodies), ["dead_letters begun"])
      yield* dam.engine.deadLetters.purge({ customer: "local" })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(said(yield* dam.bodies), ["dead_letters begun", "dead_letters over"])
    })
  )

  it.effect("tell of a lane that is held for long, not of one that is held for a moment", () =>
    Effect.gen(function* () {
      const target = Script.all(
        Script.on(url, Script.inTurn(refusal(1200), ok)),
        Script.always(Script.inTurn(refusal(60), ok))
      )
      const dam = yield* watched({ thresholds: { laneHeldMillis: 600_000 } }, { target })
      yield* dam.submit(Step.get(url))
      yield* dam.submit(Step.get("https://short.example/"))
      yield* TestClock.adjust("9 minutes")
      assert.deepStrictEqual(yield* dam.bodies, [])
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(said(yield* dam.bodies), ["lane_held begun"])
      assert.strictEqual((yield* dam.bodies)[0]?.details["lane"], "api.example:443")
      yield* TestClock.adjust("20 minutes")
      assert.deepStrictEqual(said(yield* dam.bodies), ["lane_held begun", "lane_held over"])
    })
  )

  it.effect("are not told once more after a restart, and what ended meanwhile is", () =>
    Effect.gen(function* () {
      const memory = { bytes: 200 }
      const dam = yield* watched({ thresholds: { memoryBytes: 100 } }, { memoryBytes: () => memory.bytes })
      yield* TestClock.adjust("1 minute")
      yield* dam.stop
      const again = yield* dam.begin()
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(said(yield* dam.bodies), ["memory_bytes begun"])
      yield* again.stop
      memory.bytes = 1
      const last = yield* dam.begin()
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(said(yield* dam.bodies), ["memory_bytes begun", "memory_bytes over"])
      yield* last.stop
    })
  )

  it.effect("never tell of their own endpoint, its lane or its dead letters", () =>
    Effect.gen(function* () {
      const dam = yield* watched(
        { thresholds: { memoryBytes: 1, endpointFailures: 1, deadLetters: 0, laneHeldMillis: 1000 } },
        { memoryBytes: () => 1, receivers: Script.always({ status: 429, headers: { "Retry-After": "600" } }) }
      )
      yield* TestClock.adjust("2 days")
      assert.deepStrictEqual([...new Set(said(yield* dam.bodies))], ["memory_bytes begun"])
      const view = yield* dam.engine.notices.view
      assert.deepStrictEqual(
        view.told.map(({ subject }) => subject),
        ["memory_bytes"]
      )
      assert.deepStrictEqual(
        view.endpoints.map((endpoint) => endpoint.url),
        [ops]
      )
    })
  )

  it.effect("are of the chosen events only, and go nowhere without a URL", () =>
    Effect.gen(function* () {
      const dam = yield* watched({ urls: [], thresholds: { memoryBytes: 1 } }, { memoryBytes: () => 1 })
      yield* TestClock.adjust("1 hour")
      yield* dam.engine.notices.choose({ urls: [ops], events: ["dead_letters"], thresholds: { memoryBytes: 1 } })
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* dam.bodies, [])
    })
  )

  it.effect("keep over a restart what was chosen, until the configuration is chosen again", () =>
    Effect.gen(function* () {
      const dam = yield* watched({ urls: [] })
      yield* dam.engine.notices.choose({ urls: [ops], thresholds: { deadLetters: 7 } })
      yield* dam.stop
      const again = yield* dam.begin()
      const view = yield* again.engine.notices.view
      assert.deepInclude(view, { chosen: true, urls: [ops] })
      assert.strictEqual(view.thresholds.deadLetters, 7)
      yield* again.engine.notices.choose(undefined)
      assert.deepInclude(yield* again.engine.notices.view, { chosen: false, urls: [] })
      yield* again.stop
    })
  )

  it.effect("belong to nobody's jobs, dead letters and endpoints", () =>
    Effect.gen(function* () {
      const dam = yield* watched(
        { thresholds: { memoryBytes: 1 } },
        { memoryBytes: () => 1, receivers: Script.always({ status: 410 }) }
      )
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* dam.bodies, 1)
      assert.deepStrictEqual((yield* dam.store.list({ customer: "local", limit: 10 })).jobs, [])
      assert.deepStrictEqual((yield* dam.store.deadLetters({ customer: "local", limit: 10 })).deadLetters, [])
      assert.deepStrictEqual(yield* dam.store.endpoints("local"), [])
    })
  )
})
