/** Interrupting the program stops every attempt and pause of a step at once. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { EZThrottle, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "A program that changes its mind hangs up at once",
  Effect.gen(function* () {
    const { service, upstream } = yield* World
    const step = Step.get(`${upstream.url}/slow/download`).pipe(Step.frugal(), Step.retryPolicy())

    const running = yield* Effect.forkChild(EZThrottle.execute(step))
    yield* upstream.called("/slow/download")
    yield* Fiber.interrupt(running)

    const { abandoned } = yield* upstream.abandoned("/slow/download")
    yield* holds("the target saw the connection close", abandoned, true)
    yield* holds("it was not called again", upstream.calls("/slow/download").length, 1)
    yield* holds("nothing was forwarded", service.jobFor(step.request.url), undefined)
  })
)
