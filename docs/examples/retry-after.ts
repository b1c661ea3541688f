/** `Retry-After` is a lower bound: the next attempt may come later, never sooner. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { statuses } from "./support/Trace.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "A target that asks for a second gets a second",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const step = Step.get(`${upstream.url}/limited/search`).pipe(Step.frugal(), Step.retryPolicy())

    const outcome = yield* EZThrottle.execute(step)

    yield* holds("429 came first, then 200", statuses(outcome.history), [429, 200])
    const [first, second] = upstream.calls("/limited/search")
    const apart = (second?.at ?? 0) - (first?.at ?? 0)
    yield* holds("the target saw the second call no sooner than 1000 ms after the first", apart >= 1000, true)
  })
)
