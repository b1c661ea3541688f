/** `onFailureTimeout` is the one deadline over attempts, pauses and fallbacks together. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "A deadline ends everything the step would still have tried",
  Effect.gen(function* () {
    const { service, upstream } = yield* World
    const apology = Step.post(`${upstream.url}/orders/apology`).pipe(Step.frugal())
    const step = Step.get(`${upstream.url}/slow/answer`).pipe(
      Step.frugal(),
      Step.retryPolicy({ maxRetries: 10 }),
      Step.onFailure(apology, { timeout: "400 millis" })
    )

    const error = yield* Effect.flip(EZThrottle.execute(step))

    yield* holds("the step failed by its deadline", error.reason._tag, "DeadlineExceeded")
    yield* holds("the apology went out", upstream.calls("/orders/apology").length, 1)
    yield* holds("it was not forwarded afterwards", service.jobFor(step.request.url), undefined)
  })
)
