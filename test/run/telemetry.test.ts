import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Tracer from "effect/Tracer"
import * as Telemetry from "../../src/run/Telemetry.ts"
import type { Attempt } from "../../src/step/History.ts"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import { accepted, backup, client, completed, failed, third, url } from "./support.ts"

const collector = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const traced = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.withTracer(effect, tracer)
  return { spans, traced }
}

const parentOf = (span: Tracer.NativeSpan | undefined) =>
  span === undefined ? undefined : Option.getOrUndefined(span.parent)?.spanId
const attributesOf = (span: Tracer.NativeSpan | undefined) => Object.fromEntries(span?.attributes ?? [])
const get = Step.get(url).pipe(Step.frugal())

describe("spans", () => {
  it.effect("have one for the step, and below it one for each attempt and the forward", () =>
    Effect.gen(function* () {
      const { spans, traced } = collector()
      const { execute } = yield* client(Script.always({ status: 503 }), { regions: ["iad"] })
      const step = get.pipe(
        Step.retryPolicy({ maxRetries: 1 }),
        Step.description("charge the card"),
        Step.responseDescription("a receipt")
      )
      accepted(yield* traced(execute(step)))
      assert.deepStrictEqual(
        spans.map(({ name }) => name),
        ["ezthrottle.step", "ezthrottle.attempt", "ezthrottle.attempt", "ezthrottle.forward"]
      )
      const [whole, first, second, forward] = spans
      for (const span of [first, second, forward]) assert.strictEqual(parentOf(span), whole?.spanId)
      assert.deepStrictEqual(attributesOf(whole), {
        "ezthrottle.target": "GET https://api.example/",
        "ezthrottle.type": "FRUGAL",
        "ezthrottle.description": "charge the card",
        "ezthrottle.response_description": "a receipt",
        "ezthrottle.outcome": "Accepted",
        "ezthrottle.job_id": "job-1",
        "ezthrottle.duplicate": false
      })
      assert.deepStrictEqual(attributesOf(first), {
        "ezthrottle.target": "GET https://api.example/",
        "ezthrottle.kind": "start",
        "ezthrottle.path": 0,
        "ezthrottle.pause_ms": 0,
        "ezthrottle.region": "iad",
        "http.response.status_code": 503
      })
      assert.deepInclude(attributesOf(second), { "ezthrottle.kind": "retry", "ezthrottle.pause_ms": 100 })
      assert.deepInclude(attributesOf(forward), { "ezthrottle.kind": "forward" })
      assert.strictEqual(first?.kind, "client")
    })
  )

  it.effect("use no name and no attribute that the table does not have", () =>
    Effect.gen(function* () {
      const { spans, traced } = collector()
      const { execute } = yield* client(Script.all(Script.on(url, Script.refuse), Script.always({ status: 200 })), {
        regions: ["iad"]
      })
      yield* traced(execute(get.pipe(Step.fallback(Step.get(backup)), Step.onSuccess(Step.get(third)))))
      const names: ReadonlyArray<string> = Object.values(Telemetry.spans)
      const keys: ReadonlyArray<string> = Object.values(Telemetry.attributes)
      assert.isAtLeast(spans.length, 5)
      for (const span of spans) {
        assert.include(names, span.name)
        for (const key of span.attributes.keys()) assert.include(keys, key)
      }
    })
  )

  it.effect("tell a failure by its tag, and a failed step by its reason", () =>
    Effect.gen(function* () {
      const { spans, traced } = collector()
      const { execute, fake } = yield* client(Script.always(Script.refuse))
      yield* fake.deny()
      failed(yield* traced(execute(get)), "ServiceDenied")
      const [whole, attempt, forward] = spans
      assert.strictEqual(attributesOf(whole)["ezthrottle.outcome"], "ServiceDenied")
      assert.strictEqual(attributesOf(attempt)["error.type"], "ConnectionFailed")
      assert.strictEqual(attributesOf(forward)["error.type"], "ServiceDenied")
      assert.isTrue(whole?.status._tag === "Ended" && Exit.isFailure(whole.status.exit))
    })
  )

  it.effect("hang below the parent's span for a chained step", () =>
    Effect.gen(function* () {
      const { spans, traced } = collector()
      const { execute } = yield* client(Script.always({ status: 200 }))
      completed(yield* traced(execute(Step.onSuccess(get, Step.get(third).pipe(Step.frugal())))))
      const steps = spans.filter(({ name }) => name === "ezthrottle.step")
      assert.lengthOf(steps, 2)
      assert.strictEqual(parentOf(steps[1]), steps[0]?.spanId)
    })
  )

  it.effect("all end, those of interrupted attempts included", () =>
    Effect.gen(function* () {
      const { spans, traced } = collector()
      const script = Script.all(
        Script.inRegion("lax", Script.always(Script.later(10, { status: 200 }))),
        Script.always(Script.hang)
      )
      const { execute } = yield* client(script, { regions: ["iad", "lax"] })
      completed(yield* traced(execute(Step.regions(get, ["iad", "lax"]))))
      assert.lengthOf(spans, 3)
      for (const span of spans) assert.strictEqual(span.status._tag, "Ended")
    })
  )
})

describe("secrets", () => {
  const canaries = ["canary-authorization", "canary-query", "canary-body", "canary-key", "canary-metadata"]
  const secretly = (target: string) =>
    Step.post(`${target}path?token=canary-query`, {
      body: "canary-body",
      headers: { Authorization: "Bearer canary-authorization", "X-Api-Key": "canary-authorization" }
    }).pipe(Step.frugal(), Step.idempotentKey("canary-key"), Step.metadata({ secret: "canary-metadata" }))
  const tree = secretly(url).pipe(
    Step.retryPolicy({ maxRetries: 1 }),
    Step.fallback(secretly(backup)),
    Step.onFailure(Step.onSuccess(secretly(third), secretly(third)))
  )
  const isClean = (text: string) => {
    for (const canary of canaries) assert.notInclude(text, canary)
  }

  it.effect("are in no span, no error, no metric", () =>
    Effect.gen(function* () {
      const { spans, traced } = collector()
      const script = Script.all(
        Script.on(`${third}*`, { status: 200 }),
        Script.always(Script.inTurn({ status: 503 }, Script.refuse))
      )
      const { execute, fake } = yield* client(script)
      yield* fake.deny()
      const error = failed(yield* traced(execute(tree)), "ServiceDenied")
      assert.strictEqual(error.chained?._tag, "Ended")
      assert.isAtLeast(spans.length, 6)
      for (const span of spans) isClean(JSON.stringify([span.name, ...span.attributes, ...span.events]))
      isClean(error.message)
      isClean(String(error))
      isClean(JSON.stringify(error))
      assert.include(JSON.stringify(error), '"relation":"onFailure"')
      isClean(JSON.stringify(yield* Metric.snapshot))
    })
  )

  it.effect("are in no error of a child either", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(Script.always({ status: 503 }))
      yield* fake.deny()
      const error = failed(yield* execute(tree), "ServiceDenied")
      assert.strictEqual(error.chained?._tag, "Failed")
      isClean(JSON.stringify(error))
    })
  )
})

describe("metrics", () => {
  const counter = (kind: Attempt["kind"], ending: Attempt["ending"]["_tag"]) => {
    const found = Telemetry.metrics.attempts(kind, ending)
    if (found === undefined) throw new Error(`no counter for ${kind} ${ending}`)
    return found
  }
  const value = (kind: Attempt["kind"], ending: Attempt["ending"]["_tag"]) =>
    Effect.map(Metric.value(counter(kind, ending)), ({ count }) => count)

  const alone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideService(effect, Metric.MetricRegistry, new Map())

  it.effect("count attempts by kind and ending, and how long they took", () =>
    alone(
      Effect.gen(function* () {
        const answers = Script.inTurn(Script.later(40, { status: 503 }), Script.refuse, { status: 503 })
        const { execute } = yield* client(Script.always(answers))
        accepted(yield* execute(Step.retryPolicy(get, { maxRetries: 2 })))
        assert.strictEqual(yield* value("start", "Answered"), 1)
        assert.strictEqual(yield* value("retry", "Failed"), 1)
        assert.strictEqual(yield* value("retry", "Answered"), 1)
        assert.strictEqual(yield* value("forward", "Answered"), 1)
        assert.strictEqual(yield* value("start", "Interrupted"), 0)
        const latency = yield* Metric.value(Telemetry.metrics.latency)
        assert.strictEqual(latency.count, 4)
        assert.strictEqual(latency.max, 0.04)
      })
    )
  )

  it.effect("count interrupted attempts and reroutes", () =>
    alone(
      Effect.gen(function* () {
        const script = Script.all(
          Script.inRegion("iad", Script.always({ status: 500 })),
          Script.inRegion("lax", Script.always(Script.hang)),
          Script.inRegion("ord", Script.always(Script.later(10, { status: 200 })))
        )
        const { execute } = yield* client(script, { regions: ["iad", "lax", "ord"] })
        completed(yield* execute(get.pipe(Step.regions(["iad", "lax"]), Step.retryPolicy())))
        assert.strictEqual(yield* value("reroute", "Answered"), 1)
        assert.strictEqual(yield* value("start", "Interrupted"), 1)
      })
    )
  )

  it.effect("count steps by how they ended, children by themselves", () =>
    alone(
      Effect.gen(function* () {
        const script = Script.all(Script.on(url, { status: 200 }), Script.always({ status: 404 }))
        const { execute } = yield* client(script)
        yield* execute(Step.onSuccess(get, Step.get(third).pipe(Step.frugal())))
        yield* execute(Step.get(url))
        const { Accepted, Completed, StepError } = Telemetry.metrics.steps
        const counts = yield* Effect.all([Metric.value(Completed), Metric.value(Accepted), Metric.value(StepError)])
        assert.deepStrictEqual(
          counts.map(({ count }) => count),
          [1, 1, 1]
        )
      })
    )
  )

  it.effect("are told to nobody's tracer where none is provided, and the outcome is the same", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(Script.always({ status: 200 }))
      const { traced } = collector()
      const plain = completed(yield* execute(get))
      const seen = completed(yield* traced(Effect.provideService(execute(get), Random.Random, yield* Random.Random)))
      assert.deepStrictEqual(seen.response, plain.response)
    })
  )
})
