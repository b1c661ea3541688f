import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as DamTelemetry from "../../../../src/dam/http/routes/Prometheus.ts"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import * as Step from "../../../../src/step/Step.ts"
import * as Script from "../../../../src/testing/Script.ts"
import * as Double from "../HttpDouble.ts"
import { hook, ok, setUp, url } from "../../support.ts"

/** Metrics of one test are nobody else's. */
const alone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Metric.MetricRegistry, new Map())

const valueOf = (text: string, series: string): number => {
  const line = text.split("\n").find((one) => one.startsWith(`${series} `))
  return line === undefined ? Number.NaN : Number(line.slice(series.length + 1).split(" ")[0])
}

describe("the dam's metrics", () => {
  it.effect("count what went through, how long it waited, and what is left", () =>
    alone(
      Effect.gen(function* () {
        const target = Script.all(Script.on(`${url}bad`, { status: 404 }), Script.always(ok))
        const dam = yield* setUp({ target, pacing: { pace: { rps: 0.5, maxConcurrent: 5 } } })
        yield* dam.submit(Step.webhooks(Step.get(url), [{ url: hook }]))
        yield* dam.submit(Step.get(`${url}bad`))
        yield* TestClock.adjust("10 seconds")
        yield* dam.submit(Step.retryAt(Step.get(`${url}later`), 99_000_000))
        yield* TestClock.adjust("2 seconds")
        const text = yield* DamTelemetry.render(dam.engine)
        assert.strictEqual(valueOf(text, 'ezthrottle_dam_jobs_total{event="accepted"}'), 3)
        assert.strictEqual(valueOf(text, 'ezthrottle_dam_jobs_total{event="succeeded"}'), 1)
        assert.strictEqual(valueOf(text, 'ezthrottle_dam_jobs_total{event="failed"}'), 1)
        assert.strictEqual(valueOf(text, 'ezthrottle_dam_queue_wait_seconds_bucket{le="0.5"}'), 1)
        assert.strictEqual(valueOf(text, "ezthrottle_dam_queue_wait_seconds_count"), 2)
        assert.strictEqual(valueOf(text, 'ezthrottle_dam_delivery_attempts_total{outcome="delivered"}'), 1)
        assert.strictEqual(valueOf(text, 'ezthrottle_dam_jobs{state="scheduled"}'), 1)
        assert.strictEqual(valueOf(text, 'ezthrottle_dam_lane_jobs{lane="api.example:443",state="scheduled"}'), 1)
      })
    )
  )

  it.effect("count what became of the moments of schedules", () =>
    alone(
      Effect.gen(function* () {
        let ids = 0
        const dam = yield* setUp({ newId: Effect.sync(() => `fired-${++ids}`) })
        // its jobs wait, so that the next moments find one that goes on
        yield* dam.engine.steering.change("api.example:443", "me", { _tag: "Pause", note: undefined })
        const definition = {
          timing: { every: 600_000 },
          rules: { overlap: "skip", catchUp: "none", catchUpMost: 1 },
          step: Step.get(url)
        } as const
        yield* dam.engine.schedules.set("local", "tens", definition)
        yield* TestClock.adjust("40 minutes")
        yield* dam.engine.schedules.runNow("local", "tens")
        yield* dam.stop
        yield* TestClock.adjust("25 minutes")
        const { engine } = yield* dam.begin()
        yield* TestClock.adjust("1 second")
        const text = yield* DamTelemetry.render(engine)
        const moments = (outcome: string) =>
          valueOf(text, `ezthrottle_dam_schedule_moments_total{outcome="${outcome}"}`)
        assert.deepStrictEqual([moments("fired"), moments("skipped"), moments("missed")], [2, 3, 2])
      })
    )
  )

  it.effect("name no more than a hundred lanes, and leave nothing behind of one that is gone", () =>
    alone(
      Effect.gen(function* () {
        const dam = yield* setUp({ target: Script.always(Script.later("30 seconds", ok)), maxRunning: 1 })
        for (let n = 0; n < 130; n++) yield* dam.submit(Step.get(`https://h${n}.example/`))
        for (let n = 0; n < 3; n++) yield* dam.submit(Step.get(`https://h129.example/${n}`))
        const lanesIn = (text: string) => new Set(Array.from(text.matchAll(/lane="([^"]+)"/g), ([, lane]) => lane))
        const text = yield* DamTelemetry.render(dam.engine)
        assert.strictEqual(lanesIn(text).size, 101)
        assert.isTrue(lanesIn(text).has("h129.example:443"))
        assert.strictEqual(valueOf(text, 'ezthrottle_dam_lane_jobs{lane="other",state="queued"}'), 30)
        yield* TestClock.adjust("3 hours")
        const later = yield* DamTelemetry.render(dam.engine)
        assert.strictEqual(lanesIn(later).size, 0)
      })
    )
  )

  it.live("are served at /metrics, behind the keys", () =>
    Effect.gen(function* () {
      const keys = Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("a-key-of-acme") }]))
      const dam = yield* Double.make({ keys })
      const ask = (key: string) =>
        Effect.promise(() => fetch(`${dam.url}/metrics`, { headers: { authorization: `Bearer ${key}` } }))
      assert.strictEqual((yield* ask("wrong")).status, 401)
      const answer = yield* ask("a-key-of-acme")
      assert.match(answer.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/)
      const text = yield* Effect.promise(() => answer.text())
      assert.include(text, "# TYPE ezthrottle_dam_jobs gauge")
      assert.notInclude(text, "a-key-of-acme")
    })
  )
})
