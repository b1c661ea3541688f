import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { NamedSecrets } from "../../../src/dam/secrets/NamedSecrets.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import type { Explanation } from "../../../src/wire/Explained.ts"
import type { Options } from "../support.ts"
import { backup, busy, fast, hook, ok, refusal, setUp as plain, url } from "../support.ts"

const lane = "api.example:443"
const nth = (n: number) => Step.get(url).pipe(Step.idempotentKey(`key ${n}`))

/** A dam that can be asked why, and how it really went. */
const setUp = Effect.fnUntraced(function* (options: Options = {}) {
  const dam = yield* plain(options)
  const why = (id: string) => Effect.flatMap(dam.get(id), dam.engine.explain)
  return {
    ...dam,
    why,
    fill: (jobs: number, change?: Parameters<typeof dam.submit>[1], from = 0) =>
      Effect.forEach(
        Array.from({ length: jobs }, (_, n) => nth(from + n)),
        (step) => dam.submit(step, change)
      ),
    /** Turns the clock to a millisecond before and to the moment the explanation names: the job's next call is then. */
    holdsTrue: Effect.fnUntraced(function* (id: string, { estimatedStart = Number.NaN }: Explanation, within = 0) {
      const attempts = (yield* dam.get(id)).epoch
      yield* TestClock.adjust(estimatedStart - within - 1 - (yield* Clock.currentTimeMillis))
      assert.strictEqual((yield* dam.get(id)).epoch, attempts, "it started before its time")
      yield* TestClock.adjust(1 + 2 * within)
      assert.strictEqual((yield* dam.get(id)).epoch, attempts + 1, "it did not start in time")
    })
  }
})

const kinds = ({ reasons }: Explanation) => reasons.map(({ kind }) => kind)
const find = ({ reasons }: Explanation, kind: Explanation["reasons"][number]["kind"]) => {
  const found = reasons.find((one) => one.kind === kind)
  if (found === undefined) throw new Error(`there is no ${kind} among ${reasons.map((one) => one.kind).join(", ")}`)
  return found
}

describe("why a job waits", () => {
  it.effect("token: the lane's rate, to the millisecond", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 0.3, maxConcurrent: 9 } } })
      yield* dam.fill(1)
      yield* TestClock.adjust(100)
      const id = yield* dam.submit(nth(9))
      yield* TestClock.adjust(1)
      const said = yield* dam.why(id)
      assert.deepStrictEqual(kinds(said), ["token"])
      assert.deepInclude(find(said, "token"), { until: 3334, details: { lane, rps: 0.3 } })
      assert.deepInclude(said, { status: "queued", estimatedStart: 3334, confidence: "exact" })
      yield* dam.holdsTrue(id, said)
    })
  )

  it.effect("position: how many come before, at a rate that is known", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 2.5, maxConcurrent: 9 } } })
      const ids = yield* dam.fill(40)
      yield* TestClock.adjust(1)
      const id = ids[30] ?? ""
      const said = yield* dam.why(id)
      assert.deepInclude(find(said, "position").details, { position: 30, ahead: 29 })
      assert.strictEqual(said.confidence, "likely")
      yield* dam.holdsTrue(id, said)
    })
  )

  it.effect("concurrency: calls that are open, from how long the ones before took", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        pacing: { pace: { rps: 1000, maxConcurrent: 2 } },
        target: Script.always(Script.later("3 seconds", ok))
      })
      const ids = yield* dam.fill(20)
      yield* TestClock.adjust("1 second")
      const early = yield* dam.why(ids[4] ?? "")
      // none has ended, so nobody can tell
      assert.deepInclude(early, { estimatedStart: undefined, confidence: "unknown" })
      assert.deepInclude(find(early, "concurrency"), {
        until: undefined,
        details: { lane, scope: "lane", open: 2, max_concurrent: 2 }
      })
      yield* TestClock.adjust("3 seconds")
      const said = yield* dam.why(ids[11] ?? "")
      assert.strictEqual(said.confidence, "rough")
      assert.closeTo(find(said, "concurrency").until ?? 0, 6000, 2)
      yield* dam.holdsTrue(ids[11] ?? "", said, 10)
    })
  )

  it.effect("concurrency: no room in the whole dam", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ maxRunning: 1, target: Script.always(Script.hang) })
      yield* dam.submit(Step.get(backup))
      yield* TestClock.adjust(1)
      const id = yield* dam.submit(nth(1))
      yield* TestClock.adjust("1 second")
      const said = yield* dam.why(id)
      assert.deepStrictEqual(find(said, "concurrency").details, { scope: "dam" })
      assert.deepInclude(said, { estimatedStart: undefined, confidence: "unknown" })
    })
  )

  it.effect("hold: the answer that asked for it, and the job it was given to", () =>
    Effect.gen(function* () {
      const spent = { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "90" }
      const target = Script.always(Script.inTurn({ status: 200, headers: spent }, ok))
      const dam = yield* setUp({ target })
      const first = yield* dam.submit(nth(1))
      yield* TestClock.adjust(5)
      const id = yield* dam.submit(nth(2))
      yield* TestClock.adjust("10 seconds")
      const said = yield* dam.why(id)
      assert.deepStrictEqual(kinds(said), ["hold"])
      const hold = find(said, "hold")
      assert.deepStrictEqual(hold.details, { lane, reason: "rate_limit", status: 200, job_id: first })
      assert.include(hold.message, "its rate limit is used up")
      assert.deepInclude(said, { estimatedStart: hold.until, confidence: "exact" })
      yield* dam.holdsTrue(id, said)
    })
  )

  it.effect("hold: over a restart, with the answer that brought it", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.inTurn(refusal(3600), ok)) })
      const first = yield* dam.submit(nth(1))
      yield* TestClock.adjust(5)
      yield* dam.stop
      const again = yield* dam.begin()
      const said = yield* again.engine.explain(yield* dam.get(first))
      assert.deepInclude(find(said, "hold"), {
        until: 3_600_000,
        details: { lane, reason: "retry_after", status: 429, job_id: first }
      })
      yield* again.stop
    })
  )

  it.effect("paused: by whom and why; nobody knows until when", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      yield* dam.engine.steering.change(lane, "ann", { _tag: "Pause", note: "migration" })
      const [id = ""] = yield* dam.fill(1)
      yield* TestClock.adjust("1 hour")
      const said = yield* dam.why(id)
      assert.deepStrictEqual(find(said, "paused").details, { lane, by: "ann", at: 0, note: "migration" })
      assert.deepInclude(said, { estimatedStart: undefined, confidence: "unknown" })
      yield* dam.engine.steering.change(lane, "ann", { _tag: "Resume" })
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(kinds(yield* dam.why(id)), ["finished"])
    })
  )

  for (const place of [0, 3, 7]) {
    it.effect(`account_turn: other accounts between its own jobs (number ${place})`, () =>
      Effect.gen(function* () {
        const dam = yield* setUp({ pacing: { pace: { rps: 4, maxConcurrent: 9 } } })
        yield* dam.fill(30, { account: "big" })
        yield* dam.fill(4, { account: "small" }, 100)
        yield* TestClock.adjust(600)
        const ids = yield* dam.fill(10, { account: "mine" }, 200)
        yield* TestClock.adjust(1)
        const id = ids[place] ?? ""
        const said = yield* dam.why(id)
        const turn = find(said, "account_turn").details
        assert.deepInclude(turn, { lane, own_before: place })
        assert.strictEqual(said.confidence, "likely")
        yield* dam.holdsTrue(id, said)
      })
    )
  }

  it.effect("account_turn: a queue of its own beside its account's backlog", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 1, maxConcurrent: 9 } } })
      yield* dam.fill(30)
      yield* TestClock.adjust(10)
      const ids = yield* Effect.forEach([100, 101, 102], (n) => dam.submit(nth(n), { isolated: true }))
      yield* TestClock.adjust(1)
      const id = ids[2] ?? ""
      yield* dam.holdsTrue(id, yield* dam.why(id))
    })
  )

  it.effect("where each account has a pace of its own, only its own jobs come first", () =>
    Effect.gen(function* () {
      const says: Script.Input = { status: 200, headers: { "X-Aqueduct-Account-Queue": "enabled" } }
      const dam = yield* setUp({ pacing: { pace: { rps: 1, maxConcurrent: 9 } }, target: Script.always(says) })
      yield* dam.fill(9, { account: "big" })
      yield* TestClock.adjust("2 seconds")
      const ids = yield* dam.fill(3, { account: "mine" }, 50)
      yield* TestClock.adjust(1)
      const said = yield* dam.why(ids[2] ?? "")
      assert.notInclude(kinds(said), "account_turn")
      yield* dam.holdsTrue(ids[2] ?? "", said)
    })
  )

  it.effect("scheduled: until its moment, and then its turn", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const id = yield* dam.submit(Step.retryAt(Step.get(url), 3_600_000))
      const said = yield* dam.why(id)
      assert.deepStrictEqual(kinds(said), ["scheduled"])
      assert.deepInclude(said, { status: "scheduled", estimatedStart: 3_600_000, confidence: "likely" })
      yield* dam.holdsTrue(id, said)
    })
  )

  it.effect("retry_pause: after which failure", () =>
    Effect.gen(function* () {
      const target = Script.always(Script.inTurn({ status: 503, headers: { "Retry-After": "30" } }, ok))
      const dam = yield* setUp({ target, pacing: fast })
      const id = yield* dam.submit(Step.get(url))
      yield* TestClock.adjust(100)
      const said = yield* dam.why(id)
      assert.deepStrictEqual(kinds(said), ["retry_pause", "hold"])
      assert.deepInclude(find(said, "retry_pause").details, { attempt: 1, response_status: 503, error: null })
      assert.strictEqual(said.status, "parked")
      yield* dam.holdsTrue(id, said)
    })
  )

  it.effect("running: since when, and which attempt", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.hang) })
      const [id = ""] = yield* dam.fill(1)
      yield* TestClock.adjust("4 seconds")
      const said = yield* dam.why(id)
      assert.deepStrictEqual(kinds(said), ["running"])
      assert.deepStrictEqual(find(said, "running").details, { since: 0, attempt: 1, starts: 1 })
      assert.deepInclude(said, { estimatedStart: undefined, confidence: "exact" })
    })
  )

  it.effect("running, with a call that waits for another host's lane", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        target: Script.all(Script.on(url, { status: 404 }), Script.always(ok)),
        pacing: { ...fast, hosts: { "backup.example:443": { rps: 0.1, maxConcurrent: 5 } } }
      })
      yield* dam.submit(Step.get(backup))
      yield* TestClock.adjust("1 second")
      const id = yield* dam.submit(Step.fallback(Step.get(url), Step.get(`${backup}other`)))
      yield* TestClock.adjust(100)
      const said = yield* dam.why(id)
      assert.deepStrictEqual(kinds(said), ["running", "token"])
      assert.deepInclude(said, { estimatedStart: 10_000, confidence: "exact" })
      yield* TestClock.adjust(9_999 - 1_100)
      assert.lengthOf(yield* dam.exchanges, 2)
      yield* TestClock.adjust(1)
      assert.lengthOf(yield* dam.exchanges, 3)
    })
  )

  it.effect("running, with a call before which jobs of other accounts have their turn", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        target: Script.all(Script.on(url, { status: 404 }), Script.always(ok)),
        pacing: { ...fast, hosts: { "backup.example:443": { rps: 0.1, maxConcurrent: 5 } } }
      })
      for (const n of [1, 2, 3]) yield* dam.submit(Step.get(`${backup}${n}`), { account: "other" })
      yield* TestClock.adjust("1 second")
      const id = yield* dam.submit(Step.fallback(Step.get(url), Step.get(`${backup}mine`)), { account: "mine" })
      yield* TestClock.adjust(100)
      const said = yield* dam.why(id)
      assert.deepInclude(find(said, "account_turn").details, { accounts: 1, turns_before: 1, own_before: 0 })
      assert.deepInclude(said, { estimatedStart: 20_000, confidence: "likely" })
      const isSent = Effect.map(dam.exchanges, (calls) =>
        calls.some(({ asked }) => asked.request.url === `${backup}mine`)
      )
      yield* TestClock.adjust(19_999 - 1_100)
      assert.isFalse(yield* isSent)
      yield* TestClock.adjust(1)
      assert.isTrue(yield* isSent)
    })
  )

  it.effect("hedge: what waits is a further call, and the one that counts is under way", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        target: Script.always(Script.later("10 seconds", ok)),
        pacing: { pace: { rps: 1000, maxConcurrent: 1 } }
      })
      const id = yield* dam.submit(Step.post(url).pipe(Step.hedge({ after: "2 seconds" })))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(kinds(yield* dam.why(id)), ["running"])
      yield* TestClock.adjust("2 seconds")
      const said = yield* dam.why(id)
      assert.deepStrictEqual(kinds(said), ["running", "hedge", "concurrency"])
      assert.include(find(said, "hedge").message, "its call is under way and slow")
    })
  )

  it.effect("secret: one that is not kept, or may not go where the call goes, until it is there and may", () =>
    Effect.gen(function* () {
      const kept = new Map<string, ReadonlyArray<string>>()
      const secrets = {
        get: (customer: string, name: string) =>
          Effect.sync(() => {
            const hosts = kept.get(`${customer} ${name}`)
            return hosts && { customer, name, hosts, tokens: undefined, madeAt: 0, rotatedAt: 0 }
          })
      } as unknown as NamedSecrets // nothing else of it is asked
      const dam = yield* setUp({ secrets })
      const step = Step.get(url, { headers: { authorization: Step.secret("shop", { prefix: "Bearer " }) } })
      const id = yield* dam.submit(Step.retryAt(step, 60_000))
      const origin = new URL(url).origin
      const unknown = yield* dam.why(id)
      assert.deepStrictEqual(kinds(unknown), ["scheduled", "secret"])
      assert.deepStrictEqual(find(unknown, "secret").details, { secret: "shop", host: origin, why: "unknown" })
      kept.set("other shop", [origin])
      kept.set("local shop", ["https://elsewhere.example"])
      const elsewhere = find(yield* dam.why(id), "secret")
      assert.deepStrictEqual(elsewhere.details, { secret: "shop", host: origin, why: "elsewhere" })
      assert.include(elsewhere.message, `may not go to ${origin}`)
      kept.set("local shop", [origin])
      assert.deepStrictEqual(kinds(yield* dam.why(id)), ["scheduled"])
      kept.clear()
      const other = yield* dam.submit(
        Step.retryAt(
          Step.fallback(Step.get(url), Step.get(backup, { headers: { "x-key": Step.secret("shop") } })),
          60_000
        )
      )
      assert.deepInclude(find(yield* dam.why(other), "secret").details, { host: new URL(backup).origin })
    })
  )

  it.effect("schedule: which one has submitted it, and for when", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const { schedules } = dam.engine
      yield* schedules.set("local", "tens", {
        timing: { every: 10_000 },
        rules: { overlap: "parallel", catchUp: "last", catchUpMost: 100 },
        step: Step.delay(Step.get(url), "1 minute")
      })
      yield* TestClock.adjust("11 seconds")
      const fired = (yield* schedules.get("local", "tens"))?.progress.last?.jobId ?? ""
      const said = yield* dam.why(fired)
      assert.deepStrictEqual(kinds(said), ["scheduled", "schedule"])
      assert.deepStrictEqual(find(said, "schedule").details, { schedule: "tens", scheduled_for: 10_000 })
      assert.include(find(said, "schedule").message, "the schedule tens fired for 1970-01-01T00:00:10.000Z")
      yield* schedules.runNow("local", "tens")
      const run = (yield* dam.store.list({ customer: "local", limit: 1 })).jobs[0]?.id ?? ""
      assert.include(find(yield* dam.why(run), "schedule").message, "the schedule tens was run now")
      yield* schedules.remove("local", "tens")
      assert.deepInclude(find(yield* dam.why(fired), "schedule").details, { schedule: null })
      assert.deepStrictEqual(kinds(yield* dam.why(yield* dam.submit(Step.retryAt(nth(1), 90_000)))), ["scheduled"])
    })
  )

  it.effect("finished, and delivery: what is still to be told, and when", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: Script.always(Script.inTurn(busy, { status: 204 })) })
      const id = yield* dam.submit(Step.webhooks(Step.get(url), [{ url: hook }]))
      yield* TestClock.adjust("1 second")
      const said = yield* dam.why(id)
      assert.deepStrictEqual(kinds(said), ["finished", "delivery"])
      const { details, message, until = Number.NaN } = find(said, "delivery")
      // the name under which that lane is steered
      const receiver = "webhook@hooks.example:443"
      assert.deepInclude(details, { lane: receiver, attempts: 1, last_status: 503, last_error: null })
      assert.include(message, "the last one: answered 503")
      assert.deepInclude(said, { status: "succeeded", estimatedStart: undefined, confidence: "exact" })
      yield* TestClock.adjust(until - 1 - (yield* Clock.currentTimeMillis))
      assert.lengthOf(yield* dam.told, 1)
      yield* TestClock.adjust(1)
      assert.lengthOf(yield* dam.told, 2)
      yield* TestClock.adjust(Duration.minutes(1))
      assert.deepStrictEqual(kinds(yield* dam.why(id)), ["finished"])
    })
  )
})
