/** What follows a job is a job of its own: it has its own id, its own key and its own webhooks. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { damScene, holds } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default damScene(
  import.meta,
  "After success one job follows, after failure another",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const told = (hook: string) => Effect.map(upstream.called(hook), ({ body }) => JSON.parse(body))
    const hook = (name: string) => Step.webhooks([{ url: `${upstream.url}/hooks/${name}` }])
    const chained = (url: string) =>
      Step.post(url).pipe(
        Step.onSuccess(Step.post(`${upstream.url}/orders/shipped`).pipe(hook("shipped"))),
        Step.onFailure(Step.post(`${upstream.url}/orders/refunded`).pipe(hook("refunded")))
      )

    const paid = yield* EZThrottle.submit(chained(`${upstream.url}/orders/charged`))
    const shipped = yield* told("/hooks/shipped")
    yield* holds("shipping followed the payment", shipped.status, "success")
    yield* holds("as a job of its own", shipped.job_id !== paid.jobId, true)
    yield* holds("under a key made of its parent's id", shipped.idempotent_key, `${paid.jobId}:success`)

    const unpaid = yield* EZThrottle.submit(chained(`${upstream.url}/missing/charged`))
    const refunded = yield* told("/hooks/refunded")
    yield* holds("a refund followed the failure", refunded.idempotent_key, `${unpaid.jobId}:failure`)
    const parent = yield* EZThrottle.awaitJob(unpaid.jobId, { timeout: "5 seconds" })
    yield* holds("and the parent has failed all the same", parent.status, "failed")
    yield* holds("nothing was shipped twice", upstream.calls("/orders/shipped").length, 1)
  })
)
