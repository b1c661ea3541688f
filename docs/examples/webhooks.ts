/** Webhooks are told the result of a job; `webhookQuorum` says how many of those with a vote must have taken it. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { holds, scene, tell } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "A job tells its webhooks how it ended",
  Effect.gen(function* () {
    const { service, upstream } = yield* World
    const step = Step.post(`${upstream.url}/orders/told`).pipe(
      Step.webhooks([
        { url: `${upstream.url}/hooks/billing` },
        { url: `${upstream.url}/hooks/stock` },
        { url: `${upstream.url}/hooks/log`, hasQuorumVote: false }
      ]),
      Step.webhookQuorum(2),
      Step.metadata({ order: 4711 })
    )

    const { jobId } = yield* EZThrottle.submit(step)

    const job = service.jobFor(step.request.url)?.body
    yield* holds("two of the two that vote must take it", job?.webhook_quorum, 2)
    yield* holds(
      "the third has no vote",
      job?.webhooks?.map((hook) => hook.has_quorum_vote ?? true),
      [true, true, false]
    )
    for (const hook of ["/hooks/billing", "/hooks/stock", "/hooks/log"]) {
      const told = JSON.parse((yield* upstream.called(hook)).body)
      yield* tell({ kind: "webhook", what: `POST ${hook}`, result: String(told.response.status_code) })
      yield* holds(
        `${hook} knows job, status and metadata`,
        [told.job_id, told.status, told.metadata],
        [jobId, "success", { order: 4711 }]
      )
    }
  })
)
