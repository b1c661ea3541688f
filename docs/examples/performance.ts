/** A PERFORMANCE step, the default, is handed over at once, with everything it says about surviving. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "A PERFORMANCE step is handed over whole, and only accepted here",
  Effect.gen(function* () {
    const { service, upstream } = yield* World
    const step = Step.post(`${upstream.url}/orders/bulk`).pipe(
      Step.header("X-Tenant", "acme"),
      Step.regions(["iad", "lax", "ord"]),
      Step.retryPolicy({ maxRetries: 5 }),
      Step.fallback(Step.post(`${upstream.url}/backup/bulk`), { onTimeout: "10 seconds" }),
      Step.metadata({ order: 4711 })
    )

    const outcome = yield* EZThrottle.execute(step)

    yield* holds("three regions are racing", outcome._tag === "Accepted" && outcome.status, "racing")
    const job = service.jobFor(step.request.url)?.body
    yield* holds("the job says what the step says", job, {
      url: step.request.url,
      method: "POST",
      headers: { "X-Tenant": "acme" },
      metadata: { order: 4711 },
      regions: ["iad", "lax", "ord"],
      retry_policy: { max_retries: 5 },
      fallback_job: {
        url: `${upstream.url}/backup/bulk`,
        method: "POST",
        trigger: { type: "on_timeout", timeout_ms: 10_000 }
      }
    })
    yield* holds("nothing was called from here", upstream.calls("/orders/bulk").length, 0)
  })
)
