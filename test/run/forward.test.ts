import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  JobRefused,
  MalformedAnswer,
  MissingApiKey,
  ServiceDenied,
  ServiceFailed,
  ServiceUnreachable,
  TlsError,
  TransportError
} from "../../src/step/Failure.ts"
import * as Step from "../../src/step/Step.ts"
import * as Interpreter from "../../src/run/Interpreter.ts"
import * as Script from "../../src/testing/Script.ts"
import type { Delegating, Delegation } from "../../src/transport/HttpTransport.ts"
import * as Strategies from "../../src/transport/Strategies.ts"
import { accepted, backup, client, completed, ending, failed, lines, third, toEnd, url } from "./support.ts"

const frugal = Step.post(url, { body: "x" }).pipe(Step.frugal())
const on = (api: Script.Input, other: Script.Input = { status: 200 }) =>
  Script.all(Script.on(url, api), Script.always(other))

describe("a FRUGAL step", () => {
  for (const status of [429, 500, 502, 503, 504]) {
    it.effect(`is forwarded on ${status}, once`, () =>
      Effect.gen(function* () {
        const { execute, fake, sent } = yield* client(on({ status }))
        const end = accepted(yield* execute(frugal))
        assert.deepStrictEqual(lines(end.history), [`0 start ${status}`, "0 forward 201"])
        assert.strictEqual(end.status, "queued")
        assert.lengthOf(yield* fake.delegations, 1)
        assert.lengthOf(yield* sent, 1)
      })
    )
  }

  it.effect("is forwarded without an answer, whatever the list says", () =>
    Effect.gen(function* () {
      const tls = Script.fail(new TlsError({ kind: "issuer", detail: "nobody" }))
      for (const api of [Script.refuse, Script.reset, Script.notFound, Script.hang, tls]) {
        const { execute, fake } = yield* client(on(api))
        accepted(yield* execute(Step.fallbackOnError(frugal, [])))
        assert.lengthOf(yield* fake.jobs, 1)
      }
    })
  )

  it.effect("is not forwarded on a status outside the list", () =>
    Effect.gen(function* () {
      for (const [status, step] of [
        [404, frugal],
        [500, Step.fallbackOnError(frugal, [404])]
      ] as const) {
        const { execute, fake } = yield* client(on({ status }))
        failed(yield* execute(step), "Rejected")
        assert.lengthOf(yield* fake.delegations, 0)
      }
    })
  )

  it.effect("is forwarded whole: regions, policy, fallbacks and chain travel inside the job", () =>
    Effect.gen(function* () {
      const { execute, fake, sent } = yield* client(on({ status: 500 }, { status: 500 }))
      const step = frugal.pipe(
        Step.regions(["iad"]),
        Step.retryPolicy({ maxRetries: 0, maxReroutes: 0 }),
        Step.fallback(Step.get(backup)),
        Step.onSuccess(Step.get(third).pipe(Step.frugal())),
        Step.onFailure(Step.get(third).pipe(Step.frugal()), { timeout: "1 hour" })
      )
      accepted(yield* execute(step))
      const json = (yield* fake.jobs)[0]?.json
      assert.deepStrictEqual(json?.regions, ["iad"])
      assert.strictEqual(json?.retry_policy?.max_retries, 0)
      assert.strictEqual(json?.fallback_job?.url, backup)
      assert.strictEqual(json?.on_success?.url, third)
      assert.strictEqual(json?.on_failure?.url, third)
      assert.strictEqual(json?.on_failure_timeout_ms, 3_600_000)
      // the service runs what comes after: nothing of the chain leaves from here
      assert.deepStrictEqual(yield* sent, ["api@iad 0", "backup 0"])
      assert.lengthOf(yield* fake.delegations, 1)
    })
  )

  it.effect("is forwarded once though its FRUGAL fallback failed too", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(on({ status: 500 }, { status: 503 }))
      const end = accepted(yield* execute(Step.fallback(frugal, Step.get(backup).pipe(Step.frugal()))))
      assert.deepStrictEqual(lines(end.history), ["0 start 500", "1 start 503", "0 forward 201"])
      assert.deepStrictEqual(
        (yield* fake.delegations).map(({ asked }) => asked.step.request.url),
        [url]
      )
    })
  )

  it.effect("is forwarded because of its own status, not because of a fallback's", () =>
    Effect.gen(function* () {
      const step = Step.fallback(frugal, Step.get(backup))
      const own = yield* client(on({ status: 500 }, { status: 404 }))
      accepted(yield* own.execute(step))
      const others = yield* client(on({ status: 404 }, { status: 500 }))
      assert.strictEqual(failed(yield* others.execute(step), "Rejected").reason.status, 500)
      assert.lengthOf(yield* others.fake.delegations, 0)
    })
  )

  it.effect("is not forwarded when a fallback succeeded", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(on({ status: 500 }))
      completed(yield* execute(Step.fallback(frugal, Step.get(backup))))
      assert.lengthOf(yield* fake.delegations, 0)
    })
  )
})

describe("a PERFORMANCE step", () => {
  it.effect("is handed over at once, and never called from here", () =>
    Effect.gen(function* () {
      const { execute, fake, sent } = yield* client(on({ status: 200 }))
      const end = accepted(yield* execute(Step.get(url).pipe(Step.regions(["iad", "lax"]))))
      assert.strictEqual(end.status, "racing")
      assert.isFalse(end.duplicate)
      assert.lengthOf(yield* sent, 0)
      assert.lengthOf(yield* fake.jobs, 1)
    })
  )

  it.effect("is the default", () =>
    Effect.gen(function* () {
      accepted(yield* (yield* client(on({ status: 200 }))).execute(Step.get(url)))
    })
  )

  it.effect("sent twice under one key is one job, and the second answer says so", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(on({ status: 200 }))
      const first = accepted(yield* execute(Step.get(url)))
      const second = accepted(yield* execute(Step.get(url)))
      assert.isTrue(second.duplicate)
      assert.strictEqual(second.jobId, first.jobId)
      assert.lengthOf(yield* fake.jobs, 1)
    })
  )
})

describe("a submission", () => {
  it.effect("is repeated with the same key while the service is unreachable, twice at most", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(on({ status: 500 }))
      yield* fake.disconnect(2)
      const end = accepted(yield* execute(frugal))
      assert.deepStrictEqual(
        (yield* fake.delegations).map(({ at }) => at),
        [0, 100, 300]
      )
      assert.deepStrictEqual(lines(end.history).slice(1), [
        "0 forward ServiceUnreachable",
        "0 forward ServiceUnreachable",
        "0 forward 201"
      ])
      assert.strictEqual(new Set((yield* fake.delegations).map(({ asked }) => asked.key)).size, 1)
    })
  )

  it.effect("that never gets through fails as unreachable", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(on({ status: 500 }))
      yield* fake.disconnect()
      const error = failed(yield* execute(frugal), "ServiceUnreachable")
      assert.isFalse(error.reason.maybeAccepted)
      assert.lengthOf(yield* fake.delegations, 3)
    })
  )

  it.effect("that may have got through says so, though the later ones surely did not", () =>
    Effect.gen(function* () {
      const failures = [
        new ServiceUnreachable({ detail: "timed out", maybeAccepted: true }),
        new ServiceUnreachable({ detail: "refused", maybeAccepted: false }),
        new ServiceDenied({ detail: "quota exceeded" })
      ]
      const submissions: Array<Delegation> = []
      const service: Delegating = {
        kind: "delegating",
        submit: (delegation) =>
          Effect.suspend(() => {
            const reason = failures[submissions.push(delegation) - 1]
            return reason === undefined ? Effect.die("too many") : Effect.fail(new TransportError({ reason }))
          })
      }
      const { local } = yield* client(on({ status: 500 }))
      const step = Step.onFailure(frugal, Step.get(third).pipe(Step.frugal()))
      const error = failed(
        yield* toEnd(ending(Interpreter.run(step, Strategies.client(local, service)))),
        "ServiceUnreachable"
      )
      assert.isTrue(error.reason.maybeAccepted)
      assert.isUndefined(error.chained)
      assert.lengthOf(submissions, 3)
      assert.lengthOf(yield* local.exchanges, 1)
    })
  )

  it.effect("is not repeated when the service refused: denial, 429, a failing proxy, a refused job, no key", () =>
    Effect.gen(function* () {
      const refusals = [
        new ServiceFailed({ status: 502, received: "bad gateway" }),
        new JobRefused({ status: 400, received: "no" }),
        new MalformedAnswer({ problem: "not JSON", received: "<html>" }),
        new MissingApiKey({ variable: "EZTHROTTLE_API_KEY" })
      ]
      for (const refusal of refusals) {
        const { execute, fake } = yield* client(on({ status: 500 }))
        yield* fake.failWith(refusal)
        const { after, message } = failed(yield* execute(frugal), refusal._tag)
        assert.deepInclude(after, { _tag: "Rejected", status: 500 })
        // who has no key learns why the call failed before what was missing
        assert.strictEqual(/answered 500; it was not forwarded/.test(message), refusal._tag === "MissingApiKey")
        assert.lengthOf(yield* fake.delegations, 1)
      }
      const denied = yield* client(on({ status: 500 }))
      yield* denied.fake.deny()
      failed(yield* denied.execute(frugal), "ServiceDenied")
      assert.lengthOf(yield* denied.fake.delegations, 1)
      const limited = yield* client(on({ status: 500 }))
      yield* limited.fake.rateLimit(5000)
      assert.strictEqual(failed(yield* limited.execute(frugal), "ServiceRateLimited").reason.retryAt, 5000)
      assert.lengthOf(yield* limited.fake.delegations, 1)
    })
  )
})

describe("submit", () => {
  it.effect("hands a step over whatever its type, under the same rules", () =>
    Effect.gen(function* () {
      const { fake, sent } = yield* client(on({ status: 200 }))
      yield* fake.disconnect(1)
      const end = accepted(yield* toEnd(ending(Interpreter.submit(Step.retryAt(frugal, 7000), fake.transport))))
      assert.deepStrictEqual(lines(end.history), ["0 forward ServiceUnreachable", "0 forward 201"])
      const [, delegation] = yield* fake.delegations
      assert.strictEqual(delegation?.asked.retryAt, 7000)
      assert.isUndefined(delegation?.asked.key)
      assert.lengthOf(yield* sent, 0)
    })
  )

  it.effect("refuses a step that breaks a rule between fields", () =>
    Effect.gen(function* () {
      const { fake } = yield* client(on({ status: 200 }))
      failed(yield* ending(Interpreter.submit(Step.regionPolicy(frugal, "strict"), fake.transport)), "InvalidStep")
      assert.lengthOf(yield* fake.delegations, 0)
    })
  )
})
