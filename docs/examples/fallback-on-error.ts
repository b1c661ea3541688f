/** A fallback is a step of its own that runs when the one before it failed; `onError` narrows it to some statuses. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { statuses } from "./support/Trace.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "A 500 is saved by a healthy backup",
  Effect.gen(function* () {
    const { service, upstream } = yield* World
    const backup = Step.get(`${upstream.url}/backup/prices`)
    const step = Step.get(`${upstream.url}/broken/prices`).pipe(
      Step.frugal(),
      Step.fallback(backup, { onError: [500, 502] })
    )

    const outcome = yield* EZThrottle.execute(step)

    yield* holds("the target answered 500, the backup 200", statuses(outcome.history), [500, 200])
    yield* holds("the outcome names the backup", outcome._tag === "Completed" && outcome.answeredBy, backup)
    yield* holds("nothing was forwarded", service.jobFor(step.request.url), undefined)
  })
)
