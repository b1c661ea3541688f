import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Step from "../../src/step/Step.ts"
import { ServiceUnreachable } from "../../src/step/Failure.ts"
import * as Script from "../../src/testing/Script.ts"
import { accepted, backup, client, completed, failed, lines, third, url } from "./support.ts"

const primary = Step.get(url).pipe(Step.frugal(), Step.fallbackOnError([]))
const second = Step.get(backup)
const last = Step.get(third)
const script = (api: Script.Input, second: Script.Input = { status: 200 }, last: Script.Input = { status: 200 }) =>
  Script.all(Script.on(url, api), Script.on(backup, second), Script.on(third, last))

describe("a fallback", () => {
  it.effect("runs after any failure when it has no trigger, and the outcome names it as it was given", () =>
    Effect.gen(function* () {
      for (const api of [{ status: 404 }, { status: 503 }, Script.refuse]) {
        const { execute, sent } = yield* client(script(api))
        const end = completed(yield* execute(Step.fallback(primary, second)))
        assert.strictEqual(end.path, 1)
        assert.strictEqual(end.answeredBy, second)
        assert.deepStrictEqual(
          (yield* sent).map((line) => line.split(" ")[0]),
          ["api", "backup"]
        )
      }
    })
  )

  it.effect("does not run after success", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(script({ status: 204 }))
      const end = completed(yield* execute(Step.fallback(primary, second)))
      assert.strictEqual(end.path, 0)
      assert.strictEqual(end.answeredBy.request.url, url)
      assert.lengthOf(yield* sent, 1)
    })
  )

  it.effect("runs after the retries and reroutes of the path before it, with a policy of its own", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(script({ status: 503 }, { status: 503 }))
      const step = primary.pipe(
        Step.retryPolicy({ maxRetries: 1 }),
        Step.fallback(Step.retryPolicy(second, { maxRetries: 2 }))
      )
      failed(yield* execute(step), "Rejected")
      assert.deepStrictEqual(yield* sent, ["api 0", "api 100", "backup 100", "backup 200", "backup 400"])
    })
  )

  it.effect("on errors runs on its codes or without an answer, and is skipped otherwise", () =>
    Effect.gen(function* () {
      const step = Step.fallback(primary, second, { onError: [503] })
      assert.strictEqual(completed(yield* (yield* client(script({ status: 503 }))).execute(step)).path, 1)
      assert.strictEqual(completed(yield* (yield* client(script(Script.refuse))).execute(step)).path, 1)
      assert.strictEqual(completed(yield* (yield* client(script(Script.hang))).execute(step)).path, 1)
      const error = failed(yield* (yield* client(script({ status: 404 }))).execute(step), "Rejected")
      assert.strictEqual(error.reason.status, 404)
      assert.lengthOf(error.history, 1)
    })
  )

  it.effect("that is skipped leaves the next to be judged against the last path that ran", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(script({ status: 404 }))
      const step = primary.pipe(Step.fallback(second, { onError: [503] }), Step.fallback(last, { onError: [404] }))
      const end = completed(yield* execute(step))
      assert.strictEqual(end.path, 2)
      assert.strictEqual(end.answeredBy, last)
      assert.deepStrictEqual(yield* sent, ["api 0", "third 0"])
    })
  )

  it.effect("is judged against the fallback before it, not against the step", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(script({ status: 503 }, { status: 404 }))
      const step = primary.pipe(Step.fallback(second), Step.fallback(last, { onError: [503] }))
      const error = failed(yield* execute(step), "Rejected")
      assert.deepStrictEqual(lines(error.history), ["0 start 503", "1 start 404"])
    })
  )

  it.effect("of a fallback comes before the next sibling", () =>
    Effect.gen(function* () {
      const nested = Step.fallback(second, Step.get("https://nested.example/"))
      const all = Script.all(script({ status: 500 }, { status: 500 }), Script.always({ status: 500 }))
      const { execute, sent } = yield* client(all)
      completed(yield* execute(primary.pipe(Step.fallback(nested), Step.fallback(last))))
      assert.deepStrictEqual(
        (yield* sent).map((line) => line.split(" ")[0]),
        ["api", "backup", "nested", "third"]
      )
    })
  )
})

describe("a fallback on a time-out", () => {
  const step = Step.fallback(primary, second, { onTimeout: "2 seconds" })

  it.effect("interrupts the path before it when that takes longer", () =>
    Effect.gen(function* () {
      const { execute, local, sent } = yield* client(script(Script.hang))
      const end = completed(yield* execute(step))
      assert.deepStrictEqual(yield* sent, ["api 0", "backup 2000"])
      assert.deepStrictEqual(lines(end.history), ["0 start interrupted", "1 start 200"])
      assert.deepInclude((yield* local.exchanges)[0]?.ending, { _tag: "Interrupted", at: 2000 })
    })
  )

  it.effect("does not run when the path fails sooner, whatever its error", () =>
    Effect.gen(function* () {
      for (const api of [Script.refuse, { status: 503 }, Script.later("1999 millis", { status: 500 })]) {
        const { execute, fake } = yield* client(script(api))
        yield* fake.deny()
        const end = yield* execute(step)
        assert.strictEqual(end._tag, "StepError")
        assert.notInclude(lines(end.history).join(), "1 start")
      }
    })
  )

  it.effect("counts the pauses of the path, too", () =>
    Effect.gen(function* () {
      const api = { status: 503, headers: { "Retry-After": "1" } }
      const { execute, sent } = yield* client(script(api))
      completed(yield* execute(Step.retryPolicy(step, { maxRetries: 50 })))
      assert.deepStrictEqual((yield* sent).slice(0, 2), ["api 0", "api 1000"])
      assert.strictEqual((yield* sent).at(-1), "backup 2000")
    })
  )

  it.effect("does not interrupt a path that is not directly before it, but runs when that took too long", () =>
    Effect.gen(function* () {
      const far = primary.pipe(
        Step.fallback(second, { onError: [404] }),
        Step.fallback(last, { onTimeout: "2 seconds" })
      )
      const slow = yield* client(script(Script.later("5 seconds", { status: 500 })))
      assert.strictEqual(completed(yield* slow.execute(far)).path, 2)
      assert.deepStrictEqual(yield* slow.sent, ["api 0", "third 5000"])
      const quick = yield* client(script(Script.later("1 second", { status: 500 })))
      failed(yield* quick.execute(far), "Rejected")
    })
  )

  it.effect("runs even where the timer that ended the path was a little early", () =>
    Effect.gen(function* () {
      const clock = yield* Effect.service(Clock.Clock)
      const early: Clock.Clock = {
        ...clock,
        sleep: (duration) => clock.sleep(Duration.millis(Math.max(0, Duration.toMillis(duration) - 0.5)))
      }
      const { execute } = yield* client(script(Script.hang))
      assert.strictEqual(completed(yield* Effect.provideService(execute(step), Clock.Clock, early)).path, 1)
    })
  )
})

describe("what a fallback does not say", () => {
  const webhooks = [{ url: "https://hooks.example/done" }]

  it.effect("of its type it takes from its parent: under FRUGAL it runs here, without forwarding itself", () =>
    Effect.gen(function* () {
      for (const type of [second, Step.frugal(second)]) {
        const { execute, fake } = yield* client(script({ status: 404 }, { status: 503 }))
        const step = Step.fallback(Step.get(url).pipe(Step.frugal()), type)
        const error = failed(yield* execute(step), "Rejected")
        assert.strictEqual(error.reason.status, 503)
        assert.lengthOf(yield* fake.delegations, 0)
      }
    })
  )

  it.effect("of its chain it takes from its parent: the parent's onSuccess follows a winning fallback", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(script({ status: 500 }))
      const end = completed(yield* execute(primary.pipe(Step.fallback(second), Step.onSuccess(Step.frugal(last)))))
      assert.strictEqual(end.chained?._tag, "Ended")
      assert.deepStrictEqual(yield* sent, ["api 0", "backup 0", "third 0"])
    })
  )

  it.effect("and a chain of its own comes instead", () =>
    Effect.gen(function* () {
      const own = Step.onSuccess(second, Step.frugal(last))
      const { execute, sent } = yield* client(script({ status: 500 }))
      const step = primary.pipe(
        Step.fallback(own),
        Step.onSuccess(Step.get("https://never.example/").pipe(Step.frugal()))
      )
      completed(yield* execute(step))
      assert.deepStrictEqual(yield* sent, ["api 0", "backup 0", "third 0"])
    })
  )

  it.effect("of webhooks, quorum and chain it takes into the job that it is submitted as", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(script({ status: 500 }))
      const step = primary.pipe(Step.webhooks(webhooks), Step.onSuccess(last), Step.fallback(Step.performance(second)))
      accepted(yield* execute(step))
      const [job] = yield* fake.jobs
      assert.strictEqual(job?.json.url, backup)
      assert.deepStrictEqual(job?.json.webhooks, [{ url: "https://hooks.example/done" }])
      assert.strictEqual(job?.json.on_success?.url, third)
    })
  )
})

describe("a PERFORMANCE fallback", () => {
  const handed = Step.performance(second)

  it.effect("is submitted, and ends the line as Accepted", () =>
    Effect.gen(function* () {
      const { execute, fake, sent } = yield* client(script({ status: 500 }))
      const end = accepted(yield* execute(Step.fallback(primary, handed)))
      assert.strictEqual(end.jobId, "job-1")
      assert.deepStrictEqual(yield* sent, ["api 0"])
      assert.deepStrictEqual(lines(end.history), ["0 start 500", "1 forward 201"])
      assert.lengthOf(yield* fake.jobs, 1)
    })
  )

  it.effect("takes the rest of the line along, which keeps inheriting from the step", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(script({ status: 500 }))
      const own = [{ url: "https://own.example/hook" }]
      const parents = [{ url: "https://hooks.example/done" }]
      const step = primary.pipe(
        Step.webhooks(parents),
        Step.fallback(Step.webhooks(handed, own)),
        Step.fallback(last, { onError: [503] })
      )
      accepted(yield* execute(step))
      const json = (yield* fake.jobs)[0]?.json
      assert.deepStrictEqual(json?.webhooks, own)
      assert.strictEqual(json?.fallback_job?.url, third)
      assert.deepStrictEqual(json?.fallback_job?.trigger, { type: "on_error", codes: [503] })
      assert.deepStrictEqual(json?.fallback_job?.webhooks, parents)
    })
  )

  it.effect("that the service refuses leaves the line to the next one", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(script({ status: 500 }))
      yield* fake.deny(1)
      const end = completed(yield* execute(primary.pipe(Step.fallback(handed), Step.fallback(last))))
      assert.strictEqual(end.path, 2)
      assert.deepStrictEqual(lines(end.history), ["0 start 500", "1 forward ServiceDenied", "2 start 200"])
    })
  )

  it.effect("whose submission was lost ends the line: the rest of it may be running already", () =>
    Effect.gen(function* () {
      const { execute, fake, sent } = yield* client(script({ status: 500 }))
      yield* fake.failWith(new ServiceUnreachable({ detail: "timed out", maybeAccepted: true }))
      const step = Step.get(url).pipe(
        Step.frugal(),
        Step.fallback(handed),
        Step.fallback(last),
        Step.onFailure(Step.get("https://never.example/").pipe(Step.frugal()))
      )
      const error = failed(yield* execute(step), "ServiceUnreachable")
      assert.isTrue(error.reason.maybeAccepted)
      assert.isUndefined(error.chained)
      assert.deepStrictEqual(yield* sent, ["api 0"])
      const submitted = (yield* fake.delegations).map(({ asked }) => asked.step.request.url)
      assert.deepStrictEqual(submitted, [backup, backup, backup])
    })
  )
})
