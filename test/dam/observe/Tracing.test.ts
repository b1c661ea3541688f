import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import * as TestClock from "effect/testing/TestClock"
import * as EmbeddedService from "../../../src/dam/EmbeddedService.ts"
import * as Tracing from "../../../src/dam/observe/Tracing.ts"
import * as EZThrottle from "../../../src/run/EZThrottle.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import * as Strategies from "../../../src/transport/Strategies.ts"
import { hook, ok, setUp, url } from "../support.ts"

const collector = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, tracer }
}

const parentOf = (span: Tracer.NativeSpan | undefined) =>
  span === undefined ? undefined : Option.getOrUndefined(span.parent)?.spanId
const header = (headers: Readonly<Record<string, string>> | undefined) => headers?.["traceparent"]

const told = Step.webhooks(Step.get(`${url}secret?token=abc`, { headers: { authorization: "Bearer hush" } }), [
  { url: hook }
])

describe("one trace", () => {
  it.effect("leads from the caller's step through waiting, attempts and pause to the webhook", () =>
    Effect.gen(function* () {
      const { spans, tracer } = collector()
      const target = Script.always(Script.inTurn({ status: 503, headers: { "Retry-After": "30" } }, ok))
      const dam = yield* Effect.provideService(setUp({ target }), Tracer.Tracer, tracer)
      const service = EmbeddedService.make(dam.engine, dam.store)
      const local = yield* Script.make(Script.always(Script.refuse))
      const client = EZThrottle.make(Strategies.client(local, service.transport), service)
      yield* Effect.withTracer(client.submit(told), tracer)
      yield* TestClock.adjust("2 minutes")
      const find = (name: string) => spans.filter((span) => span.name === name)
      const [forward] = find("ezthrottle.forward")
      assert.deepStrictEqual(new Set(spans.map(({ traceId }) => traceId)).size, 1)
      const jobs = find("ezthrottle.job")
      assert.lengthOf(jobs, 2)
      for (const span of [...jobs, ...find("ezthrottle.queue_wait"), ...find("ezthrottle.delivery")]) {
        assert.strictEqual(parentOf(span), forward?.spanId)
      }
      assert.lengthOf(find("ezthrottle.queue_wait"), 2)
      assert.lengthOf(find("ezthrottle.delivery"), 1)
      const attempts = find("ezthrottle.attempt")
      assert.lengthOf(attempts, 2)
      const { jobs: filed } = yield* dam.store.list({ customer: "local", limit: 10 })
      assert.deepStrictEqual(filed.map(Tracing.traceIdOf), [forward?.traceId])
      // what is called is told of the attempt that calls it
      assert.deepStrictEqual(
        (yield* dam.exchanges).map(({ asked }) => header(asked.request.headers)),
        attempts.map(({ spanId, traceId }) => `00-${traceId}-${spanId}-01`)
      )
      const [delivery] = find("ezthrottle.delivery")
      assert.deepStrictEqual(
        (yield* dam.told).map(({ asked }) => header(asked.request.headers)),
        [`00-${delivery?.traceId}-${delivery?.spanId}-01`]
      )
      const said = JSON.stringify(spans.map(({ attributes, name }) => [name, ...attributes]))
      for (const secret of ["hush", "token=abc"]) assert.notInclude(said, secret)
    })
  )

  it.effect("is a job's own where the caller had none, over all its starts", () =>
    Effect.gen(function* () {
      const { spans, tracer } = collector()
      const dam = yield* Effect.provideService(setUp(), Tracer.Tracer, tracer)
      yield* dam.submit(Step.get(`${url}1`))
      yield* dam.submit(told)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(new Set(spans.map(({ traceId }) => traceId)).size, 2)
      // and is named with the job, for whoever looks it up
      const { jobs } = yield* dam.store.list({ customer: "local", limit: 10 })
      assert.deepStrictEqual(new Set(jobs.map(Tracing.traceIdOf)), new Set(spans.map(({ traceId }) => traceId)))
      assert.include(
        spans.map(({ name }) => name),
        "ezthrottle.delivery"
      )
    })
  )

  it.effect("tells how long a job waited", () =>
    Effect.gen(function* () {
      const { spans, tracer } = collector()
      const dam = yield* Effect.provideService(
        setUp({ pacing: { pace: { rps: 0.1, maxConcurrent: 9 } } }),
        Tracer.Tracer,
        tracer
      )
      yield* dam.submit(Step.get(`${url}1`))
      yield* dam.submit(Step.get(`${url}2`))
      yield* TestClock.adjust("1 minute")
      const waits = spans.flatMap(({ name, startTime, status }) =>
        name === "ezthrottle.queue_wait" && status._tag === "Ended"
          ? [Number((status.endTime - startTime) / 1_000_000n)]
          : []
      )
      assert.deepStrictEqual(waits, [0, 10_000])
    })
  )

  it.effect("is not made where no tracer listens, and no call speaks of one", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      yield* dam.submit(told)
      yield* TestClock.adjust("1 minute")
      for (const calls of [yield* dam.exchanges, yield* dam.told]) {
        assert.deepStrictEqual(
          calls.map(({ asked }) => header(asked.request.headers)),
          [undefined]
        )
      }
    })
  )

  it.effect("leaves a header of the step's own alone", () =>
    Effect.gen(function* () {
      const { tracer } = collector()
      const dam = yield* Effect.provideService(setUp(), Tracer.Tracer, tracer)
      yield* dam.submit(Step.get(url, { headers: { TraceParent: "mine" } }))
      yield* TestClock.adjust("1 second")
      const [call] = yield* dam.exchanges
      assert.deepInclude(call?.asked.request.headers, { TraceParent: "mine" })
      assert.isUndefined(header(call?.asked.request.headers))
    })
  )
})
