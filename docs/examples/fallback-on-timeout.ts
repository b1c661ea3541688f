/** `onTimeout` gives the path before it a time; when that has passed, the path is interrupted and the fallback runs. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "A target that takes too long is given up for a quicker one",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const backup = Step.get(`${upstream.url}/backup/quotes`)
    const step = Step.get(`${upstream.url}/slow/quotes`).pipe(
      Step.frugal(),
      Step.fallback(backup, { onTimeout: "250 millis" })
    )

    const outcome = yield* EZThrottle.execute(step)

    yield* holds("the backup answered", outcome._tag === "Completed" && outcome.answeredBy, backup)
    const { abandoned } = yield* upstream.abandoned("/slow/quotes")
    yield* holds("the slow target saw the connection close", abandoned, true)
  })
)
