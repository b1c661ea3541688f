import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { knownBy } from "../../../src/dam/embedded/KnownHosts.ts"
import * as Prometheus from "../../../src/dam/http/routes/Prometheus.ts"
import * as Search from "../../../src/dam/job/Search.ts"
import { hostIn, keyIn } from "../../../src/dam/job/LaneName.ts"
import type { HostOptions } from "../../../src/dam/lane/Dial.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { fast, jobOf, ok, refusal, setUp, url } from "../support.ts"

const lane = "api.example:443"
const by = (key: string, target = url) =>
  Step.get(target).pipe(Step.headers({ Authorization: key }), Step.idempotentKey(`${key} ${target}`))

/** A dam with all that presets know, and some hosts besides. */
const damOf = (target: Script.Script, hosts: Readonly<Record<string, HostOptions>> = {}) =>
  setUp({ target, pacing: { ...fast, ...knownBy(undefined), hosts } })

const carries =
  (key: string): Script.Match =>
  ({ request }) =>
    request.headers["Authorization"] === key

const credential: Readonly<Record<string, HostOptions>> = { [lane]: { lane: ["credential"] } }

describe("jobs of one host by a rule", () => {
  it.effect("go on while those of another key wait", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on(carries("one"), refusal(600)), Script.always(ok))
      const dam = yield* damOf(target, credential)
      const held = yield* dam.submit(by("one"))
      yield* TestClock.adjust("1 second")
      const again = yield* dam.submit(by("one", `${url}again`))
      const other = yield* dam.submit(by("other"))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(other)).state, "succeeded")
      assert.notStrictEqual((yield* dam.get(held)).state, "succeeded")
      assert.strictEqual((yield* dam.get(again)).history.length, 0)
      const said = yield* dam.engine.explain(yield* dam.get(again))
      const named = (yield* dam.get(again)).lane
      assert.deepStrictEqual(
        said.reasons.map(({ kind }) => kind),
        ["hold", "lane"]
      )
      assert.deepStrictEqual(said.reasons[1]?.details, { lane: named, rule: "credential", rule_by: "configured" })
    })
  )

  it.effect("move to the lane that an answer has named, and wait there", () =>
    Effect.gen(function* () {
      const bucket = { "x-ratelimit-bucket": "b1", "x-ratelimit-scope": "user", "retry-after": "60" }
      const target = Script.all(
        Script.on(/messages/, Script.inTurn({ status: 429, headers: bucket }, ok)),
        Script.always({ status: 200, headers: { "x-ratelimit-bucket": "b2" } })
      )
      const dam = yield* damOf(target)
      const base = "https://discord.com/api/v10/channels/71234"
      const first = yield* dam.submit(by("Bot x", `${base}/messages`))
      yield* TestClock.adjust("1 second")
      assert.match((yield* dam.get(first)).lane, /~b1~71234$/)
      const later = yield* dam.submit(by("Bot x", `${base}/messages?before=1`))
      assert.match((yield* dam.get(later)).lane, /~b1~71234$/)
      const other = yield* dam.submit(by("Bot x", `${base}/pins`))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(other)).state, "succeeded")
      assert.strictEqual((yield* dam.get(later)).history.length, 0)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* dam.get(first)).state, "succeeded")
      assert.strictEqual((yield* dam.get(later)).state, "succeeded")
    })
  )

  it.effect("that were queued by another rule find their lane when they run", () =>
    Effect.gen(function* () {
      const dam = yield* damOf(Script.always(ok), credential)
      yield* dam.stop
      yield* dam.store.enqueue({ ...(yield* jobOf(by("one"))), lane })
      const again = yield* dam.begin()
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* dam.exchanges).length, 1)
      const [seen] = (yield* again.engine.steering.list({ limit: 9, prefix: `${lane}#` })).lanes
      assert.strictEqual(seen?.calls, 1)
      yield* again.stop
    })
  )

  it.effect("are found by the name of the host and by that of their lane", () =>
    Effect.gen(function* () {
      const dam = yield* damOf(Script.always(ok), credential)
      yield* dam.engine.steering.change(lane, "op", { _tag: "Pause", note: undefined })
      const one = yield* dam.submit(by("one"))
      const two = yield* dam.submit(by("two"))
      const bare = yield* dam.submit(Step.get(url))
      const strange = yield* dam.submit(Step.get("https://api.example:444/"))
      const named = (yield* dam.get(one)).lane
      assert.strictEqual(hostIn(named), lane)
      const found = (filter: { readonly lane?: string; readonly search?: Search.Search; readonly metadata?: {} }) =>
        Effect.map(dam.store.list({ customer: "local", limit: 9, ...filter }), ({ jobs }) =>
          jobs.map(({ id }) => id).toSorted()
        )
      const all = [one, two, bare].toSorted()
      assert.deepStrictEqual(yield* found({ lane }), all)
      assert.deepStrictEqual(yield* found({ lane: named }), [one])
      assert.deepStrictEqual(yield* found({ search: Search.parse(lane) }), all)
      assert.deepStrictEqual(yield* found({ search: Search.parse(named) }), [one])
      assert.deepStrictEqual(yield* found({ lane, search: Search.parse(named) }), [one])
      assert.deepStrictEqual(yield* found({ lane: named, search: Search.parse("api.example") }), [one])
      assert.deepStrictEqual(yield* found({ lane: `${lane}#none`, search: Search.parse(named) }), [])
      assert.deepStrictEqual(yield* found({ search: Search.parse("api.example") }), [...all, strange].toSorted())
    })
  )

  it.effect("are all found, however many lanes they stand in", () =>
    Effect.gen(function* () {
      const dam = yield* damOf(Script.always(ok), credential)
      yield* dam.engine.steering.change(lane, "op", { _tag: "Pause", note: undefined })
      for (let n = 0; n < 80; n++) yield* dam.submit(by(`key ${n}`))
      yield* dam.submit(Step.get("https://other.example/"))
      const ids = new Set<string>()
      for (const filter of [{ lane }, { search: Search.parse("api.example") }]) {
        const page = yield* dam.store.list({ customer: "local", limit: 200, ...filter })
        for (const { id } of page.jobs) ids.add(id)
        assert.strictEqual(page.jobs.length, 80)
        assert.strictEqual((yield* dam.store.count({ customer: "local", ...filter })).jobs, 80)
      }
      assert.strictEqual(ids.size, 80)
      assert.strictEqual((yield* dam.engine.steering.get(lane)).queued, 80)
    })
  )

  it.effect("fail under the name of their host too, and make no series of their own", () =>
    Effect.gen(function* () {
      const dam = yield* damOf(Script.always({ status: 400 }), { [lane]: { lane: ["credential"], rps: 50 } })
      for (const key of ["one", "two"]) yield* dam.submit(by(key))
      yield* TestClock.adjust("1 second")
      for (const host of [lane, "api.example"]) {
        const { groups } = yield* dam.store.failures({ customer: "local", host, sort: "largest", limit: 9 })
        assert.strictEqual(groups.length, 2, host)
      }
      const named = (yield* dam.engine.steering.list({ limit: 9, prefix: `${lane}#` })).lanes[0]?.lane ?? ""
      assert.strictEqual(
        (yield* dam.store.failures({ customer: "local", host: named, sort: "largest", limit: 9 })).groups.length,
        1
      )
      const text = yield* Prometheus.render(dam.engine)
      assert.include(text, `ezthrottle_dam_lane_rps{lane="${lane}"} 50`)
      assert.notInclude(text, keyIn(named))
      assert.strictEqual(
        (yield* dam.engine.history(lane, 1)).spans.reduce((sum, { failed }) => sum + failed, 0),
        2
      )
    })
  )

  it.effect("follow what an operator says, over restarts too, and what is known again once it is taken back", () =>
    Effect.gen(function* () {
      const dam = yield* damOf(Script.always(ok), credential)
      const laneOfOne = Effect.fnUntraced(function* (n: number) {
        const id = yield* dam.submit(by("one", `${url}${n}`))
        return (yield* dam.get(id)).lane
      })
      const before = yield* laneOfOne(1)
      yield* dam.engine.steering.change(lane, "op", { _tag: "Rule", choice: "host" })
      assert.strictEqual(yield* laneOfOne(2), lane)
      yield* dam.engine.steering.change(lane, "op", { _tag: "Rule", choice: ["method"] })
      assert.strictEqual(yield* laneOfOne(3), `${lane}#GET`)
      yield* TestClock.adjust("1 second")
      yield* dam.stop
      const again = yield* dam.begin()
      assert.deepStrictEqual((yield* again.engine.steering.get(lane)).rule, { rule: "method", by: "operator" })
      yield* again.engine.steering.change(lane, "op", { _tag: "Rule", choice: undefined })
      yield* again.engine.submit(yield* jobOf(by("one", `${url}4`), { id: "last" }))
      assert.strictEqual((yield* dam.get("last")).lane, before)
      yield* again.stop
    })
  )

  it.effect("start their children in lanes of their own", () =>
    Effect.gen(function* () {
      const dam = yield* damOf(Script.always(ok), credential)
      const parent = yield* dam.submit(Step.onSuccess(by("one"), by("two", `${url}child`)))
      yield* TestClock.adjust("5 seconds")
      const { jobs } = yield* dam.store.list({ customer: "local", limit: 9, parent })
      assert.match(jobs[0]?.lane ?? "", /^api\.example:443#[0-9a-f]{12}$/)
      assert.notStrictEqual(jobs[0]?.lane, (yield* dam.get(parent)).lane)
    })
  )
})
