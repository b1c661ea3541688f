/** `awaitJob` waits for the result of a job: by event stream or long poll, whichever the service offers. */
import * as Effect from "effect/Effect"
import { EZThrottle, Reply, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "Waiting for a job ends with the answer its target gave",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const step = Step.post(`${upstream.url}/orders/awaited`)

    const accepted = yield* EZThrottle.submit(step)
    const result = yield* EZThrottle.awaitJob(accepted.jobId, { timeout: "5 seconds" })

    yield* holds("the job succeeded", result.status, "success")
    const answer = result.response === undefined ? undefined : yield* Reply.json(result.response)
    yield* holds("the target's own words came back", answer, { path: "/orders/awaited", status: 201 })
  })
)
