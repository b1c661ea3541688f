/** A FRUGAL step is an ordinary HTTP call as long as the target answers. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "A call that works is made from here, and nobody else hears of it",
  Effect.gen(function* () {
    const { service, upstream } = yield* World
    const url = `${upstream.url}/orders/first`
    const step = Step.post(url).pipe(Step.frugal(), Step.bodyJson({ item: "tea" }))

    const outcome = yield* EZThrottle.execute(step)

    yield* holds("the target answered 201", outcome._tag === "Completed" && outcome.response.status, 201)
    yield* holds("it was sent what the step says", upstream.calls("/orders/first")[0]?.body, '{"item":"tea"}')
    yield* holds("EZThrottle has no job for it", service.jobFor(url), undefined)
  })
)
