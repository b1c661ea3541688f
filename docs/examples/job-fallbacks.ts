/** A job takes its fallbacks along; they are tried one after the other, and a trigger narrows when. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { damScene, holds } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default damScene(
  import.meta,
  "A job that fails, and then takes too long, is saved by its third target",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const step = Step.get(`${upstream.url}/broken/rates`).pipe(
      Step.fallback(Step.get(`${upstream.url}/unused/rates`), { onError: [418] }),
      Step.fallback(Step.get(`${upstream.url}/slow/rates`), { onError: [500, 502] }),
      Step.fallback(Step.get(`${upstream.url}/backup/rates`), { onTimeout: "250 millis" })
    )

    const { jobId } = yield* EZThrottle.submit(step)
    const result = yield* EZThrottle.awaitJob(jobId, { timeout: "5 seconds" })

    yield* holds("the job succeeded", [result.status, result.response?.status], ["success", 200])
    yield* holds("its backup was called", upstream.calls("/backup/rates").length, 1)
    yield* holds("what waits for a 418 was left out", upstream.calls("/unused/rates").length, 0)
    const { abandoned } = yield* upstream.abandoned("/slow/rates")
    yield* holds("the slow one saw its connection close", abandoned, true)
  })
)
