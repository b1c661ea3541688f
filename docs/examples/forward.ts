/** What a FRUGAL step cannot get here it hands over: on `fallbackOnError`, or when there was no answer at all. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "What fails here is handed to EZThrottle, once",
  Effect.gen(function* () {
    const { service, upstream } = yield* World
    const broken = Step.post(`${upstream.url}/broken/payments`).pipe(Step.frugal(), Step.body("42"))

    const first = yield* EZThrottle.execute(broken)

    yield* holds("a 500 became a job", first._tag, "Accepted")
    yield* holds(
      "there is one job for it, under the key of the call",
      service.jobs.filter((job) => job.body.url === broken.request.url).map((job) => job.key),
      [first._tag === "Accepted" && first.key]
    )

    const receipt = Step.post(`${upstream.url}/orders/receipt`)
    const whole = Step.post(`${upstream.url}/broken/orders`).pipe(
      Step.frugal(),
      Step.header("X-Tenant", "acme"),
      Step.retryPolicy({ maxRetries: 5 }),
      Step.webhooks([{ url: `${upstream.url}/hooks/order` }]),
      Step.onSuccess(receipt),
      Step.metadata({ order: 4711 })
    )
    yield* EZThrottle.execute(whole)
    const { idempotent_key: _, ...job } = { ...service.jobFor(whole.request.url)?.body }
    yield* holds("a job says everything the step says", job, {
      url: whole.request.url,
      method: "POST",
      headers: { "X-Tenant": "acme" },
      metadata: { order: 4711 },
      retry_policy: { max_retries: 5 },
      webhooks: [{ url: `${upstream.url}/hooks/order` }],
      on_success: { url: receipt.request.url, method: "POST" }
    })

    // longer than a local attempt may take (30 s), so it is not slept through
    const closed = Step.post(`${upstream.url}/closed/payments`).pipe(Step.frugal(), Step.retryPolicy())
    const now = Date.now()

    const second = yield* EZThrottle.execute(closed)

    yield* holds("a 429 became a job", second._tag, "Accepted")
    const wait = (service.jobFor(closed.request.url)?.body.retry_at ?? 0) - now
    yield* holds("the job is not to start before the 120 s have passed", wait >= 119_000 && wait <= 125_000, true)
  })
)
