/** A step that has failed in every way it had tells another one. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { statuses } from "./support/Trace.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "When every way has failed, the step for that case runs",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const alarm = Step.post(`${upstream.url}/orders/alarm`).pipe(Step.frugal())
    const step = Step.get(`${upstream.url}/missing/report`).pipe(
      Step.frugal(),
      Step.fallback(Step.get(`${upstream.url}/missing/copy`)),
      Step.onFailure(alarm)
    )

    const error = yield* Effect.flip(EZThrottle.execute(step))

    yield* holds("the step failed with what its last path was told", error.reason._tag, "Rejected")
    yield* holds("its error has every attempt", statuses(error.history), [404, 404])
    yield* holds("the alarm went out", upstream.calls("/orders/alarm").length, 1)
    yield* holds("and the error says what became of it", error.chained?._tag, "Ended")
  })
)
