import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { knownBy } from "../../../src/dam/embedded/KnownHosts.ts"
import { type PacingOptions, ruleOf } from "../../../src/dam/lane/Dial.ts"
import * as LaneNames from "../../../src/dam/lane/LaneNames.ts"
import type { LaneRouter } from "../../../src/dam/lane/LaneRouter.ts"
import * as Lanes from "../../../src/dam/lane/Lanes.ts"
import * as Places from "../../../src/dam/lane/Places.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Reply from "../../../src/step/Reply.ts"

/** Lanes with everything that presets know, which can be stopped and made again over the same store. */
const setUp = Effect.fnUntraced(function* (more: PacingOptions = {}) {
  const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  const options: PacingOptions = { pace: { rps: 1000, maxConcurrent: 100 }, ...knownBy(undefined), ...more }
  const begin = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const names = yield* LaneNames.make(store, {
      ruleOf: (host) => ruleOf(options, host),
      keysPerHost: options.keysPerHost
    })
    const parts = { start: () => Effect.void, room: Places.make(() => 100).of, names }
    const lanes = yield* Lanes.make(store, options, parts).pipe(Scope.provide(scope))
    return { lanes, names, stop: Scope.close(scope, Exit.void) }
  })
  return { store, begin, ...(yield* begin) }
})

const by = (key: string, url: string): LaneNames.LaneCall => ({
  url,
  method: "GET",
  headers: { Authorization: `Bearer ${key}` }
})

interface Made {
  readonly lanes: LaneRouter
  readonly names: LaneNames.LaneNames
}

/** An answer to a call that was sent just now, taken in as a run does. */
const answered = ({ lanes, names }: Made, call: LaneNames.LaneCall, response: Reply.Response) =>
  Effect.flatMap(Clock.monotonicTimeNanos, (nanos) =>
    lanes.observe({
      lane: names.heard(call, response.headers),
      account: "a",
      response,
      jobId: undefined,
      sentAt: Number(nanos) / 1e6
    })
  )

const heldFor = ({ lanes, names }: Made, call: LaneNames.LaneCall) => lanes.heldFor(names.laneOf(call), "a")

const example = "api.example.com:443"
const each = { lane: ["credential"] as const }

/** Takes permits of a lane one after the other; each is kept for a while. */
const taking = (lanes: LaneRouter, lane: string, into: Array<string>, lasting = 0) =>
  Effect.forkChild(
    Effect.forever(
      Effect.flatMap(Effect.uninterruptible(lanes.acquire(lane, "a")), ({ depart, release }) =>
        Effect.gen(function* () {
          yield* depart()
          into.push(lane)
          yield* Effect.sleep(lasting)
          yield* release
        })
      )
    )
  )

describe("lanes of one host", () => {
  it.effect("are held each by its own refusals: those of one key are no other's", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ hosts: { [example]: each } })
      const [one, other] = [by("one", "https://api.example.com/"), by("other", "https://api.example.com/")]
      yield* answered(dam, one, Reply.response(429, { "retry-after": "30" }))
      assert.isAbove(yield* heldFor(dam, one), 29_000)
      assert.strictEqual(yield* heldFor(dam, other), 0)
    })
  )

  it.effect(
    "are those of GitHub's resources: search is no core, and a secondary limit is of both, of one token alone",
    () =>
      Effect.gen(function* () {
        const dam = yield* setUp()
        const [core, search] = [
          by("k", "https://api.github.com/repos/a/b"),
          by("k", "https://api.github.com/search/code?q=1")
        ]
        const other = by("j", "https://api.github.com/search/code")
        const quota = { "x-ratelimit-resource": "code_search", "x-ratelimit-limit": "10", "x-ratelimit-remaining": "0" }
        yield* answered(dam, search, Reply.response(403, { ...quota, "retry-after": "40" }))
        assert.isAbove(yield* heldFor(dam, search), 39_000)
        assert.strictEqual(yield* heldFor(dam, core), 0)
        const body = new TextEncoder().encode('{"message":"You have exceeded a secondary rate limit."}')
        yield* answered(dam, core, Reply.response(403, { "retry-after": "90" }, body))
        assert.isAbove(yield* heldFor(dam, core), 89_000)
        assert.isAbove(yield* heldFor(dam, search), 89_000)
        assert.strictEqual(yield* heldFor(dam, other), 0)
      })
  )

  it.effect("are Discord's buckets: one holds itself, and what is global holds all of the bot", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const at = (path: string) => by("bot", `https://discord.com/api/v10/channels/71234/${path}`)
      const bucket = (name: string) => ({
        "x-ratelimit-bucket": name,
        "x-ratelimit-remaining": "1",
        "x-ratelimit-limit": "5"
      })
      yield* answered(dam, at("pins"), Reply.response(200, bucket("b2")))
      yield* answered(
        dam,
        at("messages"),
        Reply.response(429, { ...bucket("b1"), "retry-after": "5", "x-ratelimit-scope": "user" })
      )
      assert.isAbove(yield* heldFor(dam, at("messages")), 4000)
      assert.strictEqual(yield* heldFor(dam, at("pins")), 0)
      yield* answered(dam, at("pins"), Reply.response(429, { "retry-after": "9", "x-ratelimit-global": "true" }))
      for (const path of ["messages", "pins", "invites"]) assert.isAbove(yield* heldFor(dam, at(path)), 8000, path)
      const waiting = yield* Effect.forkChild(dam.lanes.acquire(dam.names.laneOf(at("invites")), "a"))
      yield* TestClock.adjust("8 seconds")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      yield* (yield* Fiber.join(waiting)).release
    })
  )

  it.effect("of calls without a credential hold nobody who has one", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const bare = { url: "https://discord.com/api/v10/gateway", method: "GET", headers: {} }
      yield* answered(dam, bare, Reply.response(429, { "retry-after": "9", "x-ratelimit-global": "true" }))
      assert.isAbove(yield* heldFor(dam, bare), 8000)
      assert.strictEqual(yield* heldFor(dam, by("bot", bare.url)), 0)
    })
  )

  it.effect("stay held over restarts, each of them and what is wider", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const at = (key: string, path: string) => by(key, `https://discord.com/api/v10/channels/71234/${path}`)
      yield* answered(dam, at("one", "a"), Reply.response(429, { "retry-after": "50" }))
      yield* answered(dam, at("two", "a"), Reply.response(429, { "retry-after": "70", "x-ratelimit-scope": "global" }))
      yield* dam.stop
      const again = yield* dam.begin
      assert.isAbove(yield* heldFor(again, at("one", "a")), 49_000)
      assert.strictEqual(yield* heldFor(again, at("one", "guilds")), yield* heldFor(again, at("one", "a")))
      assert.isAbove(yield* heldFor(again, at("two", "b")), 69_000)
      assert.strictEqual(yield* heldFor(again, at("three", "a")), 0)
      yield* again.stop
    })
  )

  it.effect("have each the default pace", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp({ pace: { rps: 2, maxConcurrent: 2 }, hosts: { [example]: each } })
      const sent: Array<string> = []
      for (const key of ["a", "b", "c"]) yield* taking(lanes, `${example}#${key}`, sent)
      yield* TestClock.adjust("10 seconds")
      for (const key of ["a", "b", "c"]) {
        const count = sent.filter((lane) => lane.endsWith(key)).length
        assert.isTrue(count >= 20 && count <= 22, `${key} ${count}`)
      }
    })
  )

  it.effect("do not exceed together what is set for the host, and take turns", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp({ hosts: { [example]: { ...each, rps: 20 } } })
      const sent: Array<string> = []
      const keys = ["a", "b", "c", "d", "e"]
      for (const key of keys) yield* taking(lanes, `${example}#${key}`, sent)
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(sent.length >= 195 && sent.length <= 202, String(sent.length))
      for (const key of keys) {
        const count = sent.filter((lane) => lane.endsWith(key)).length
        assert.isTrue(count >= 38 && count <= 42, `${key} ${count}`)
      }
    })
  )

  it.effect("have no more calls open together than is set for the host, and nobody is left behind", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp({ hosts: { [example]: { ...each, maxConcurrent: 3 } } })
      const sent: Array<string> = []
      const keys = ["a", "b", "c", "d", "e"]
      // two of each lane want one at the same time
      for (const key of [...keys, ...keys]) yield* taking(lanes, `${example}#${key}`, sent, 1000)
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(sent.length, 3)
      yield* TestClock.adjust("50 seconds")
      assert.isTrue(sent.length >= 148 && sent.length <= 153, String(sent.length))
      for (const key of keys) {
        const count = sent.filter((lane) => lane.endsWith(key)).length
        assert.isTrue(count >= 28 && count <= 32, `${key} ${count}`)
      }
    })
  )

  it.effect("keep to a ceiling that an operator sets while they are called, and to none again after a reset", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp({ hosts: { [example]: each } })
      const sent: Array<string> = []
      for (const key of ["a", "b"]) yield* taking(lanes, `${example}#${key}`, sent, 100)
      yield* TestClock.adjust("1 second")
      const before = sent.length
      yield* lanes.steering.change(example, "op", { _tag: "Pace", rps: 4, maxConcurrent: undefined })
      yield* TestClock.adjust("10 seconds")
      const slow = sent.length - before
      assert.isTrue(slow >= 38 && slow <= 42, String(slow))
      yield* lanes.steering.change(example, "op", { _tag: "Reset" })
      yield* TestClock.adjust("1 second")
      assert.isAbove(sent.length - before - slow, 15)
    })
  )

  it.effect("are paused and let go with their host, and one of them alone by its name", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp({ hosts: { [example]: each } })
      const sent: Array<string> = []
      for (const key of ["a", "b"]) yield* taking(lanes, `${example}#${key}`, sent, 100)
      const during = Effect.fnUntraced(function* () {
        yield* TestClock.adjust("200 millis")
        const from = sent.length
        yield* TestClock.adjust("1 second")
        return [...new Set(sent.slice(from).map((lane) => lane.slice(-1)))].toSorted().join("")
      })
      yield* lanes.steering.change(`${example}#a`, "op", { _tag: "Pause", note: "one" })
      assert.strictEqual(yield* during(), "b")
      yield* lanes.steering.change(example, "op", { _tag: "Pause", note: "all" })
      assert.strictEqual(yield* during(), "")
      assert.strictEqual((yield* lanes.steering.get(`${example}#b`)).paused?.note, "all")
      yield* lanes.steering.change(example, "op", { _tag: "Resume" })
      assert.strictEqual(yield* during(), "ab")
      assert.isUndefined((yield* lanes.steering.get(`${example}#a`)).paused)
    })
  )

  it.effect("are told together under the name of their host", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp({ hosts: { [example]: { ...each, rps: 7 } } })
      const sent: Array<string> = []
      for (const key of ["a", "b"]) yield* taking(lanes, `${example}#${key}`, sent, 60_000)
      yield* TestClock.adjust("1 second")
      const host = yield* lanes.steering.get(example)
      assert.deepInclude(host, { lanes: 3, calls: 2, rps: 7 })
      assert.deepStrictEqual(host.rule, { rule: "credential", by: "configured" })
      const one = yield* lanes.steering.get(`${example}#a`)
      assert.deepInclude(one, { lanes: undefined, calls: 1, rps: 7, source: "configured" })
    })
  )

  it.effect("forget what they were taught with their host", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ hosts: { [example]: each } })
      const one = by("one", "https://api.example.com/")
      yield* answered(dam, one, Reply.response(429, { "retry-after": "30" }))
      yield* dam.lanes.steering.change(example, "op", { _tag: "Reset" })
      assert.strictEqual(yield* heldFor(dam, one), 0)
      yield* dam.stop
      const again = yield* dam.begin
      assert.strictEqual(yield* heldFor(again, one), 0)
      yield* again.stop
    })
  )

  it.effect("are dropped when nobody needs them, and their keys are free again", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ hosts: { [example]: each }, keysPerHost: 1 })
      const [one, other] = [by("one", "https://api.example.com/"), by("other", "https://api.example.com/")]
      yield* dam.lanes.wake(dam.names.laneOf(one))
      assert.strictEqual(dam.names.laneOf(other), `${example}#others`)
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(yield* dam.lanes.views, [])
      assert.notStrictEqual(dam.names.laneOf(other), `${example}#others`)
    })
  )

  it.effect("leave nobody behind, whatever crosses whatever", () =>
    Effect.gen(function* () {
      const keys = ["a", "b", "c", "d", "e", "f"]
      for (let seed = 1; seed <= 12; seed++) {
        const { lanes, stop } = yield* setUp({ hosts: { [example]: { ...each, rps: 200, maxConcurrent: 3 } } })
        let state = seed * 7919
        const draw = (below: number) => (state = (state * 48_271) % 2_147_483_647) % below
        let open = 0
        let most = 0
        const call = (key: string, lasting: number) =>
          Effect.flatMap(
            Effect.uninterruptible(lanes.acquire(`${example}#${key}`, `acc${draw(2)}`)),
            ({ depart, release }) =>
              Effect.ensuring(
                Effect.gen(function* () {
                  yield* depart()
                  most = Math.max(most, ++open)
                  yield* Effect.ensuring(
                    Effect.sleep(lasting),
                    Effect.sync(() => void open--)
                  )
                }),
                release
              )
          )
        const fibers: Array<Fiber.Fiber<void>> = []
        for (let turn = 0; turn < 300; turn++) {
          const key = keys[draw(keys.length)] ?? "a"
          switch (draw(7)) {
            case 0: {
              const fiber = fibers[draw(fibers.length + 1)]
              if (fiber !== undefined) yield* Fiber.interrupt(fiber)
              break
            }
            case 1:
              yield* lanes.steering.change(`${example}#${key}`, "op", { _tag: "Pause", note: undefined })
              break
            case 2:
              yield* lanes.steering.change(`${example}#${key}`, "op", { _tag: "Resume" })
              break
            default:
              fibers.push(yield* Effect.forkChild(call(key, draw(60))))
          }
          if (draw(3) === 0) yield* TestClock.adjust(draw(40))
        }
        yield* lanes.steering.change(example, "op", { _tag: "Resume" })
        yield* TestClock.adjust("1 minute")
        assert.isTrue(
          fibers.every((fiber) => fiber.pollUnsafe() !== undefined),
          `seed ${seed}`
        )
        assert.isAtMost(most, 3, `seed ${seed}`)
        assert.strictEqual(open, 0)
        yield* stop
      }
    })
  )
})
