/** The retries of a step are a `Schedule`. A layer composes it with schedules of its own, or gives one host another. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { EZThrottle, PathPolicy, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "One host has a schedule of its own, and no other is tried more than twice",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const tender = new URL(upstream.other).host
    const schedules = PathPolicy.layer((schedule, { request }) =>
      new URL(request.url).host === tender
        ? Schedule.spaced("250 millis").pipe(Schedule.upTo({ times: 2 }))
        : Schedule.upTo(schedule, { times: 1 })
    )
    const report = (base: string) =>
      Step.get(`${base}/broken/report`).pipe(
        Step.frugal(),
        Step.retryPolicy({ maxRetries: 5, retryCodes: [500], base: "100 millis" }),
        Step.fallbackOnError([])
      )
    const run = (step: Step.Step) => EZThrottle.execute(step).pipe(Effect.flip, Effect.provide(schedules))

    const bounded = yield* run(report(upstream.url))
    yield* holds("its policy says 5 retries, the layer 1", bounded.history.length, 2)

    const spaced = yield* run(report(upstream.other))
    const pauses = spaced.history.map(({ pause }) => pause)
    yield* holds("the other host was called every 250 ms", pauses, [0, 250, 250])
  })
)
