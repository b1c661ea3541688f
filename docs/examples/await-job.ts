/** `awaitJob` waits for the result of a job. A job that failed is a result too, with what its target said. */
import * as Effect from "effect/Effect"
import { EZThrottle, Reply, Step } from "ezthrottle-effect"
import { damScene, holds } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default damScene(
  import.meta,
  "Waiting for a job ends with the answer its target gave",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const run = Effect.fnUntraced(function* (step: Step.Step) {
      const { jobId } = yield* EZThrottle.submit(step)
      return yield* EZThrottle.awaitJob(jobId, { timeout: "5 seconds" })
    })

    const good = yield* run(Step.post(`${upstream.url}/orders/awaited`))
    yield* holds("the job succeeded", good.status, "success")
    const answer = good.response === undefined ? undefined : yield* Reply.json(good.response)
    yield* holds("the target's own words came back", answer, { path: "/orders/awaited", status: 201 })

    const bad = yield* run(Step.post(`${upstream.url}/missing/awaited`))
    yield* holds("a job that failed says so", [bad.status, bad.response?.status], ["failed", 404])

    const { jobId } = yield* EZThrottle.submit(Step.get(`${upstream.url}/leisurely/awaited`))
    const error = yield* Effect.flip(EZThrottle.awaitJob(jobId, { timeout: "150 millis" }))
    yield* holds("who waits no longer is told so", error.reason._tag, "AwaitTimedOut")
    const later = yield* EZThrottle.awaitJob(jobId, { timeout: "5 seconds" })
    yield* holds("the job went on, and can be asked again", later.status, "success")
  })
)
