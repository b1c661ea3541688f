import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { Host } from "../../src/run/Host.ts"
import * as Hosts from "../../src/run/Host.ts"
import * as Interpreter from "../../src/run/Interpreter.ts"
import type { History } from "../../src/step/History.ts"
import * as Step from "../../src/step/Step.ts"
import type { Step as StepValue } from "../../src/step/StepModel.ts"
import * as Script from "../../src/testing/Script.ts"
import * as Strategies from "../../src/transport/Strategies.ts"
import { backup, completed, ending, failed, lines, toEnd, url } from "./support.ts"

const get = Step.get(url)
const ok: Script.Input = { status: 200 }
const busy: Script.Input = { status: 503 }

/** Every exchange waits so long for its turn, by host. */
const waiting =
  (millis: (host: string) => number): NonNullable<Host["paced"]> =>
  ({ request }, exchange) =>
    Effect.andThen(Effect.sleep(millis(new URL(request.url).hostname)), exchange)

const run = (step: StepValue, script: Script.Script, host: Partial<Host>, options?: Script.Options) =>
  Effect.gen(function* () {
    const local = yield* Script.make(script, options)
    const end = yield* toEnd(ending(Interpreter.run(step, Strategies.only(local), { ...Hosts.client, ...host })))
    return { end, sent: (yield* local.exchanges).map(({ at }) => at) }
  })

const always = waiting(() => 5000)

describe("a host that makes exchanges wait for their turn", () => {
  it.effect("asks for a turn before each exchange, retries and fallbacks included", () =>
    Effect.gen(function* () {
      const hosts: Array<string> = []
      const paced: Host["paced"] = ({ request }, exchange) => {
        hosts.push(new URL(request.url).hostname)
        return exchange
      }
      const step = get.pipe(Step.retryPolicy({ maxRetries: 1 }), Step.fallback(Step.get(backup)))
      yield* run(step, Script.all(Script.on(url, busy), Script.on(backup, ok)), { paced })
      assert.deepStrictEqual(hosts, ["api.example", "api.example", "backup.example"])
    })
  )

  it.effect("takes the wait from neither the attempt's limit nor its latency", () =>
    Effect.gen(function* () {
      const step = Step.localTimeout(get, "2 seconds")
      const { end } = yield* run(step, Script.always(Script.later("1 second", ok)), { paced: always })
      assert.deepStrictEqual(
        completed(end).history.map(({ at, latency }) => [at, latency]),
        [[5000, 1000]]
      )
    })
  )

  it.effect("leaves the wait out of a fallback's onTimeout", () =>
    Effect.gen(function* () {
      const step = get.pipe(Step.fallback(Step.get(backup), { onTimeout: "2 seconds" }))
      const script = Script.all(Script.on(url, Script.later("1900 millis", ok)), Script.on(backup, ok))
      const { end } = yield* run(step, script, { paced: always })
      assert.deepStrictEqual(lines(completed(end).history), ["0 start 200"])
    })
  )

  it.effect("interrupts the path when its sends and pauses alone have taken that long", () =>
    Effect.gen(function* () {
      const step = get.pipe(
        Step.retryPolicy({ maxRetries: 5 }),
        Step.fallback(Step.get(backup), { onTimeout: "2 seconds" })
      )
      const script = Script.all(Script.on(url, Script.later("900 millis", busy)), Script.on(backup, ok))
      const { end, sent } = yield* run(step, script, { paced: waiting((host) => (host === "api.example" ? 5000 : 0)) })
      const { history } = completed(end)
      assert.deepStrictEqual(lines(history), ["0 start 503", "0 retry 503", "1 start 200"])
      // 5 s, 900 ms, a pause of 100 ms, 5 s, 900 ms, then a pause that the limit cuts short after 100 ms
      assert.deepStrictEqual(sent, [5000, 11_000, 12_000])
    })
  )

  it.effect("counts a race as one while somebody is sending, and each racer's time once", () =>
    Effect.gen(function* () {
      const step = get.pipe(
        Step.regions(["iad", "lax"]),
        Step.regionPolicy("strict"),
        Step.fallback(Step.get(backup), { onTimeout: "3 seconds" }),
        Step.fallback(Step.get("https://third.example/"), { onError: [500] })
      )
      const script = Script.all(
        Script.on(url, Script.later("2 seconds", { status: 500 })),
        Script.on(backup, ok),
        Script.on("https://third.example/", ok)
      )
      const { end } = yield* run(step, script, { paced: always }, { regions: ["iad", "lax"] })
      assert.strictEqual(completed(end).path, 2)
    })
  )

  it.effect("lets the deadline go on while exchanges wait", () =>
    Effect.gen(function* () {
      const step = Step.onFailureTimeout(get, "4 seconds")
      const { end, sent } = yield* run(step, Script.always(ok), { paced: always })
      failed(end, "DeadlineExceeded")
      assert.deepStrictEqual(sent, [])
    })
  )

  it.effect("ends the wait of whoever loses a race", () =>
    Effect.gen(function* () {
      let open = 0
      const paced: Host["paced"] = (_, exchange) =>
        Effect.suspend(() => {
          open++
          const wait = open === 1 ? Effect.void : Effect.never
          return Effect.ensuring(
            Effect.andThen(wait, exchange),
            Effect.sync(() => void open--)
          )
        })
      const step = get.pipe(Step.regions(["iad", "lax", "ord"]))
      const { end } = yield* run(
        step,
        Script.always(Script.later(10, ok)),
        { paced },
        { regions: ["iad", "lax", "ord"] }
      )
      assert.strictEqual(completed(end).region, "iad")
      assert.strictEqual(open, 0)
    })
  )

  it.effect("is interrupted with the run while it waits", () =>
    Effect.gen(function* () {
      const local = yield* Script.make(Script.always(ok))
      const stopped = yield* Deferred.make<void>()
      const paced: Host["paced"] = () =>
        Effect.onInterrupt(Effect.never, () => Effect.asVoid(Deferred.succeed(stopped, undefined)))
      const fiber = yield* Effect.forkChild(Interpreter.run(get, Strategies.only(local), { ...Hosts.client, paced }))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(stopped)
      assert.deepStrictEqual(yield* local.exchanges, [])
    })
  )
})

describe("a host that repeats attempts", () => {
  const until =
    (count: number, millis: number): NonNullable<Host["repeatsAfter"]> =>
    () =>
      Effect.sync(() => (count-- > 0 ? millis : undefined))

  it.effect("spends no retry on them", () =>
    Effect.gen(function* () {
      const script = Script.always(Script.inTurn({ status: 429 }, { status: 429 }, busy, ok))
      const step = Step.retryPolicy(get, { maxRetries: 1 })
      const { end, sent } = yield* run(step, script, { repeatsAfter: until(2, 700), paced: waiting(() => 0) })
      assert.deepStrictEqual(lines(completed(end).history), [
        "0 start 429",
        "0 repeat 429",
        "0 repeat 503",
        "0 retry 200"
      ])
      assert.deepStrictEqual(sent.slice(0, 3), [0, 700, 1400])
    })
  )

  it.effect("keeps their pauses out of a fallback's onTimeout, but not out of the deadline", () =>
    Effect.gen(function* () {
      const script = Script.all(Script.on(url, Script.inTurn({ status: 429 }, ok)), Script.on(backup, ok))
      const host = { paced: waiting(() => 0), repeatsAfter: until(1, 60_000) }
      const patient = get.pipe(Step.fallback(Step.get(backup), { onTimeout: "2 seconds" }))
      assert.deepStrictEqual(lines(completed((yield* run(patient, script, host)).end).history), [
        "0 start 429",
        "0 repeat 200"
      ])
      const limited = Step.onFailureTimeout(get, "30 seconds")
      failed((yield* run(limited, script, { ...host, repeatsAfter: until(1, 60_000) })).end, "DeadlineExceeded")
    })
  )
})

describe("a host that ends a run for the time of a pause", () => {
  /** Runs in parts: a pause ends the run, which goes on when the pause is over and a while has passed. */
  const inParts = (step: StepValue, script: Script.Script, away: number) =>
    Effect.gen(function* () {
      const local = yield* Script.make(script)
      let history: History = []
      let rested: number | undefined
      for (let parts = 1; parts < 20; parts++) {
        let parked: number | undefined
        const stop = yield* Deferred.make<void>()
        const host: Host = {
          ...Hosts.client,
          history,
          rested,
          acceptedAt: 0,
          paced: waiting(() => 0),
          record: (attempt) => Effect.sync(() => void (history = [...history, attempt])),
          pause: (millis) => {
            parked = millis
            return Effect.andThen(Deferred.succeed(stop, undefined), Effect.never)
          }
        }
        const end = yield* toEnd(
          Effect.raceFirst(
            Effect.map(ending(Interpreter.run(step, Strategies.only(local), host)), (it) => it),
            Effect.as(Deferred.await(stop), undefined)
          ),
          1000
        )
        if (end !== undefined) return { end, parts, now: yield* Clock.currentTimeMillis }
        rested = parked
        yield* TestClock.adjust((parked ?? 0) + away)
      }
      return yield* Effect.die(new Error("it did not end"))
    })

  it.effect("pauses as often as a run in one piece, though it comes back late", () =>
    Effect.gen(function* () {
      const step = Step.retryPolicy(get, { maxRetries: 3, base: "10 seconds" })
      const { end, parts } = yield* inParts(step, Script.always(Script.inTurn(busy, busy, busy, ok)), 3000)
      assert.deepStrictEqual(
        completed(end).history.map(({ pause }) => pause),
        [0, 5000, 10_000, 15_000]
      )
      assert.strictEqual(parts, 4)
    })
  )

  it.effect("falls back when the pause takes too long, and counts no time between the parts", () =>
    Effect.gen(function* () {
      const script = Script.all(Script.on(url, Script.inTurn(busy, busy, ok)), Script.on(backup, ok))
      const step = (limit: number) =>
        get.pipe(
          Step.retryPolicy({ maxRetries: 3, base: "10 seconds" }),
          Step.fallback(Step.get(backup), { onTimeout: limit })
        )
      const inTime = yield* inParts(step(15_100), script, 60_000)
      assert.deepStrictEqual(lines(completed(inTime.end).history), ["0 start 503", "0 retry 503", "0 retry 200"])
      const tooLate = yield* inParts(step(14_900), script, 60_000)
      assert.deepStrictEqual(lines(completed(tooLate.end).history), ["0 start 503", "0 retry 503", "1 start 200"])
    })
  )
})
