import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import * as TimeLimit from "../../../src/transport/TimeLimit.ts"
import { backup, lines, ok, refusal, setUp, url } from "../support.ts"

const to = (location: string, status = 302): Script.Input => ({ status, headers: { location } })
const from = (location: string, then: Script.Input = ok) =>
  Script.all(Script.on(`${url}old`, to(location)), Script.always(then))
const old = Step.get(`${url}old`)

describe("a redirect of a job", () => {
  it.effect.each([301, 302, 303, 307, 308])(
    "is followed as a client follows it, within the same attempt: %i",
    (status) =>
      Effect.gen(function* () {
        const dam = yield* setUp({ target: Script.all(Script.on(`${url}old`, to("/new", status)), Script.always(ok)) })
        const job = yield* dam.runToEnd(old)
        assert.deepStrictEqual([job.state, ...lines(job)], ["succeeded", "0 start 200"])
        const called = (yield* dam.exchanges).map(({ asked }) => asked.request.url)
        assert.deepStrictEqual(called, [`${url}old`, `${url}new`])
      })
  )

  it.effect("takes a permit for each hop, in a lane that lets one call through at a time", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: from("/new"), pacing: { pace: { rps: 0.5, maxConcurrent: 1 } } })
      yield* dam.submit(old)
      yield* TestClock.adjust("1999 millis")
      assert.lengthOf(yield* dam.sent, 1)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* dam.sent, ["api 0", "api 2000"])
      assert.deepStrictEqual(
        (yield* dam.engine.lanes).map(({ open }) => open),
        [0]
      )
    })
  )

  it.effect("waits for the lane of the host it leads to, and leaves behind what could identify the caller", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        target: from(backup),
        credentials: ["X-Tenant"],
        pacing: {
          pace: { rps: 100, maxConcurrent: 9 },
          hosts: { "backup.example:443": { rps: 0.1, maxConcurrent: 1 } }
        }
      })
      yield* dam.submit(Step.get(`${backup}first`))
      yield* TestClock.adjust("1 second")
      const personal = { Authorization: "Bearer s3cret", "Private-Token": "s3cret", "x-tenant": "acme" }
      yield* dam.submit(Step.get(`${url}old`, { headers: { ...personal, Accept: "text/plain" } }))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* dam.sent, ["backup 0", "api 1000", "backup 10000"])
      const { headers } = (yield* dam.exchanges)[2]?.asked.request ?? assert.fail("there is no third call")
      assert.deepInclude(headers, { Accept: "text/plain" })
      assert.doesNotHaveAnyKeys(headers, Object.keys(personal))
    })
  )

  it.effect("teaches the lane of the host that answered, and a 429 of it is waited out there", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        target: Script.all(Script.on(`${url}old`, to(backup)), Script.always(Script.inTurn(refusal(30), ok)))
      })
      const job = yield* dam.runToEnd(old)
      assert.deepStrictEqual([job.state, ...lines(job)], ["succeeded", "0 start 429", "0 repeat 200"])
      assert.deepStrictEqual(yield* dam.sent, ["api 0", "backup 0", "api 30000", "backup 30000"])
    })
  )

  it.effect("is not followed to where the dam may not call", () =>
    Effect.gen(function* () {
      for (const target of ["http://10.0.0.7/", "http://localhost/", "https://api.example:22/"]) {
        const dam = yield* setUp({ target: from(target), egress: EgressPolicy.publicOnly })
        const job = yield* dam.runToEnd(old)
        assert.deepStrictEqual([job.state, job.result?.error?.tag], ["failed", "Unsendable"])
        assert.match(job.result?.error?.message ?? "", /its redirect \(302\) leads to where the dam may not call: /)
        assert.lengthOf(yield* dam.sent, 1)
      }
    })
  )

  it.effect("is the answer to a method that changes something", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: from("/new") })
      const job = yield* dam.runToEnd(Step.post(`${url}old`))
      assert.deepStrictEqual([job.state, job.result?.response?.status], ["failed", 302])
      assert.lengthOf(yield* dam.sent, 1)
    })
  )

  it.effect("ends after five, and within the limit of its attempt", () =>
    Effect.gen(function* () {
      const once = Step.retryPolicy({ maxRetries: 0 })
      const round = yield* setUp({ target: Script.always(to("/old")) })
      assert.strictEqual((yield* round.runToEnd(once(old))).result?.error?.tag, "InvalidResponse")
      assert.lengthOf(yield* round.sent, 6)
      const hanging = yield* setUp({
        target: Script.all(Script.on(`${url}old`, to("/new")), Script.always(Script.hang))
      })
      assert.strictEqual((yield* hanging.runToEnd(once(old))).result?.error?.tag, "AttemptTimedOut")
      assert.deepStrictEqual(
        (yield* hanging.engine.lanes).map(({ open }) => open),
        [0]
      )
    })
  )

  it.effect("ends within the limit of its attempt while it waits for a lane, whoever keeps the limit of calls", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        transport: TimeLimit.keeping(yield* Script.make(from(backup))),
        pacing: { hosts: { "backup.example:443": { rps: 0.005, maxConcurrent: 1 } } }
      })
      yield* dam.runToEnd(Step.get(`${backup}first`))
      const { history, result } = yield* dam.runToEnd(Step.retryPolicy({ maxRetries: 0 })(old))
      assert.strictEqual(result?.error?.tag, "AttemptTimedOut")
      assert.include(result?.error?.message ?? "", "60")
      assert.closeTo(history[0]?.latency ?? 0, 60_000, 10)
    })
  )
})
