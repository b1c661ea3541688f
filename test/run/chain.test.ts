import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { MalformedAnswer, ServiceUnreachable } from "../../src/step/Failure.ts"
import type { Attempt } from "../../src/step/History.ts"
import type { Chained, Outcome, StepError } from "../../src/step/Outcome.ts"
import * as Step from "../../src/step/Step.ts"
import type { Step as StepValue } from "../../src/step/StepModel.ts"
import * as Script from "../../src/testing/Script.ts"
import { accepted, backup, client, completed, failed, lines, third, url } from "./support.ts"

const parent = Step.get(url).pipe(Step.frugal())
const alone = Step.fallbackOnError(parent, [])
const child = Step.get(third).pipe(Step.frugal(), Step.fallbackOnError([]))
const on = (api: Script.Input, last: Script.Input = { status: 201 }, second: Script.Input = { status: 200 }) =>
  Script.all(Script.on(url, api), Script.on(backup, second), Script.on(third, last))

const ended = (chained: Chained | undefined): Outcome => {
  if (chained?._tag === "Ended") return chained.outcome
  throw new Error(`expected a child that ended, got ${chained?._tag}`)
}
const lost = (chained: Chained | undefined): StepError => {
  if (chained?._tag === "Failed") return chained.error
  throw new Error(`expected a child that failed, got ${chained?._tag}`)
}

describe("onSuccess", () => {
  it.effect("runs after success, and its outcome is part of the parent's", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(on({ status: 200 }))
      const end = completed(yield* execute(Step.onSuccess(parent, child)))
      assert.strictEqual(end.response.status, 200)
      assert.strictEqual(end.chained?.relation, "onSuccess")
      assert.strictEqual(completed(ended(end.chained)).response.status, 201)
      assert.deepStrictEqual(yield* sent, ["api 0", "third 0"])
    })
  )

  it.effect("is waited for", () =>
    Effect.gen(function* () {
      const { execute, local } = yield* client(on({ status: 200 }, Script.later("20 seconds", { status: 201 })))
      completed(ended(completed(yield* execute(Step.onSuccess(parent, child))).chained))
      assert.deepInclude((yield* local.exchanges)[1]?.ending, { _tag: "Answered", at: 20_000 })
    })
  )

  it.effect("that fails leaves the parent's success alone, and runs the parent never again", () =>
    Effect.gen(function* () {
      const { execute, fake, sent } = yield* client(on({ status: 200 }, { status: 500 }))
      const end = completed(yield* execute(Step.onSuccess(parent, child)))
      assert.strictEqual(end.response.status, 200)
      assert.strictEqual(failed(lost(end.chained), "Rejected").reason.status, 500)
      assert.deepStrictEqual(yield* sent, ["api 0", "third 0"])
      assert.lengthOf(yield* fake.delegations, 0)
    })
  )

  it.effect("whose submission fails does not forward the parent that had succeeded", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(on({ status: 200 }))
      yield* fake.deny()
      const end = completed(yield* execute(Step.onSuccess(parent, Step.get(third))))
      failed(lost(end.chained), "ServiceDenied")
      const submitted = (yield* fake.delegations).map(({ asked }) => asked.step.request.url)
      assert.deepStrictEqual(submitted, [third])
    })
  )

  it.effect("of type PERFORMANCE is handed over by itself", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(on({ status: 200 }))
      const end = completed(yield* execute(Step.onSuccess(parent, Step.get(third))))
      assert.strictEqual(accepted(ended(end.chained)).jobId, "job-1")
      assert.lengthOf(yield* fake.jobs, 1)
    })
  )

  it.effect("does not run after failure", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(on({ status: 500 }))
      assert.isUndefined(failed(yield* execute(Step.onSuccess(alone, child)), "Rejected").chained)
      assert.deepStrictEqual(yield* sent, ["api 0"])
    })
  )

  it.effect("follows its own chain, to any depth", () =>
    Effect.gen(function* () {
      const deep = Step.onSuccess(
        parent,
        Step.onSuccess(child, Step.onFailure(Step.fallbackOnError(Step.frugal(Step.get(backup)), []), child))
      )
      const { execute, sent } = yield* client(on({ status: 200 }, { status: 200 }, { status: 404 }))
      const first = completed(ended(completed(yield* execute(deep)).chained))
      const second = failed(lost(first.chained), "Rejected")
      assert.strictEqual(completed(ended(second.chained)).response.status, 200)
      assert.deepStrictEqual(
        (yield* sent).map((line) => line.split(" ")[0]),
        ["api", "third", "backup", "third"]
      )
    })
  )

  it.effect("has a history of its own", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(on({ status: 200 }, Script.refuse))
      const end = completed(yield* execute(Step.onSuccess(parent, Step.retryPolicy(child, { maxRetries: 1 }))))
      assert.deepStrictEqual(lines(end.history), ["0 start 200"])
      const all = end.chained?._tag === "Ended" ? end.chained.outcome.history : []
      assert.deepStrictEqual(lines(all), ["0 start ConnectionFailed", "0 retry ConnectionFailed", "0 forward 201"])
    })
  )
})

describe("onFailure", () => {
  it.effect("runs after every path failed, an unlisted 4xx included", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(on({ status: 404 }, { status: 200 }, { status: 410 }))
      const step = parent.pipe(Step.fallback(Step.get(backup)), Step.onFailure(child))
      const error = failed(yield* execute(step), "Rejected")
      assert.strictEqual(error.reason.status, 410)
      assert.strictEqual(error.chained?.relation, "onFailure")
      completed(ended(error.chained))
      assert.deepStrictEqual(yield* sent, ["api 0", "backup 0", "third 0"])
    })
  )

  it.effect("does not run after success, nor when a fallback succeeded", () =>
    Effect.gen(function* () {
      for (const api of [{ status: 200 }, { status: 500 }]) {
        const { execute, sent } = yield* client(on(api))
        const end = completed(yield* execute(parent.pipe(Step.fallback(Step.get(backup)), Step.onFailure(child))))
        assert.isUndefined(end.chained)
        assert.notInclude((yield* sent).join(), "third")
      }
    })
  )

  it.effect("travels with a forwarded step and does not run here", () =>
    Effect.gen(function* () {
      const { execute, fake, sent } = yield* client(on({ status: 500 }))
      accepted(yield* execute(Step.onFailure(parent, child)))
      assert.deepStrictEqual(yield* sent, ["api 0"])
      assert.strictEqual((yield* fake.jobs)[0]?.json.on_failure?.url, third)
    })
  )

  it.effect("runs when the service surely did not take the step over", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(on({ status: 500 }))
      yield* fake.disconnect()
      const error = failed(yield* execute(Step.onFailure(parent, child)), "ServiceUnreachable")
      completed(ended(error.chained))
    })
  )

  it.effect("does not run when the job may exist: it has its own", () =>
    Effect.gen(function* () {
      const doubts = [
        new ServiceUnreachable({ detail: "timed out", maybeAccepted: true }),
        new MalformedAnswer({ problem: "not JSON", received: "<html>" })
      ]
      for (const doubt of doubts) {
        const { execute, fake, sent } = yield* client(on({ status: 500 }))
        yield* fake.failWith(doubt)
        assert.isUndefined(failed(yield* execute(Step.onFailure(parent, child)), doubt._tag).chained)
        assert.lengthOf(yield* sent, 1)
      }
    })
  )

  it.effect("that fails is part of the error, whose reason stays the parent's", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(on({ status: 404 }, { status: 503 }))
      const error = failed(yield* execute(Step.onFailure(alone, child)), "Rejected")
      assert.strictEqual(error.reason.status, 404)
      assert.strictEqual(failed(lost(error.chained), "Rejected").reason.status, 503)
      assert.lengthOf(yield* sent, 2)
    })
  )
})

describe("a host that starts children itself", () => {
  it.effect("is told the child and the parent's end, and nothing runs inline", () =>
    Effect.gen(function* () {
      const started: Array<readonly [string, StepValue, string]> = []
      const startChild = (relation: "onSuccess" | "onFailure", step: StepValue, of: Outcome | StepError) =>
        Effect.sync((): Chained => {
          started.push([relation, step, of._tag])
          return { _tag: "Started", relation, jobId: `job:${relation}` }
        })
      const good = yield* client(on({ status: 200 }))
      const end = completed(yield* good.execute(Step.onSuccess(parent, child), { startChild }))
      assert.deepStrictEqual(end.chained, { _tag: "Started", relation: "onSuccess", jobId: "job:onSuccess" })
      const bad = yield* client(on({ status: 404 }))
      failed(yield* bad.execute(Step.onFailure(parent, child), { startChild }), "Rejected")
      assert.deepStrictEqual(
        started.map(([relation, step, tag]) => [relation, step.request.url, tag]),
        [
          ["onSuccess", third, "Completed"],
          ["onFailure", third, "StepError"]
        ]
      )
      assert.lengthOf([...(yield* good.sent), ...(yield* bad.sent)], 2)
    })
  )

  it.effect("that only records is told the attempts of the step, not those of a child that runs inline", () =>
    Effect.gen(function* () {
      const recorded: Array<Attempt> = []
      const { execute } = yield* client(on({ status: 200 }))
      yield* execute(Step.onSuccess(parent, child), {
        record: (attempt) => Effect.sync(() => void recorded.push(attempt))
      })
      assert.deepStrictEqual(lines(recorded), ["0 start 200"])
    })
  )
})
