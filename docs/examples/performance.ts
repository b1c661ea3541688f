/** A PERFORMANCE step, the default, is handed over at once, with everything it says about surviving. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { damScene, holds } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default damScene(
  import.meta,
  "A PERFORMANCE step is handed over whole, and survives over there",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const step = Step.post(`${upstream.url}/flaky/bulk`).pipe(
      Step.body("tea"),
      Step.header("X-Tenant", "acme"),
      Step.retryPolicy({ maxRetries: 5 }),
      Step.metadata({ order: 4711 })
    )

    const outcome = yield* EZThrottle.execute(step)
    if (outcome._tag !== "Accepted") return yield* holds("it is a job now", outcome._tag, "Accepted")
    yield* holds("it is only accepted here", outcome.status, "queued")

    const result = yield* EZThrottle.awaitJob(outcome.jobId, { timeout: "5 seconds" })
    yield* holds("the job ended well", [result.status, result.response?.status], ["success", 200])
    yield* holds("and says whose it was", result.metadata, { order: 4711 })
    const calls = upstream.calls("/flaky/bulk").map(({ body, headers }) => [body, headers["x-tenant"]])
    yield* holds("the 503 was retried over there, with the same call", calls, [
      ["tea", "acme"],
      ["tea", "acme"]
    ])
  })
)
