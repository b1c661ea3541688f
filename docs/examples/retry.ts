/** A retry policy says how often, on which statuses and with which pauses. What it leaves out takes its default. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { statuses } from "./support/Trace.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "A 503 is tried again after a pause",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const step = Step.get(`${upstream.url}/flaky/inventory`).pipe(
      Step.frugal(),
      Step.retryPolicy({ maxRetries: 3, base: "300 millis" })
    )

    const outcome = yield* EZThrottle.execute(step)

    yield* holds("503 came first, then 200", statuses(outcome.history), [503, 200])
    const [, second] = outcome.history
    yield* holds("the pause was drawn from 0 to 300 ms", second !== undefined && second.pause < 300, true)
  })
)
