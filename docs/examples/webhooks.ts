/** Webhooks are told the result of a job; `webhookQuorum` says how many of those with a vote must have taken it. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { EZThrottle, Step } from "ezthrottle-effect"
import * as Receiver from "./support/Receiver.ts"
import { damScene, holds, tell } from "./support/Scene.ts"
import { World } from "./support/World.ts"

const secret = Redacted.make("a secret of 16 characters or more")

export default damScene(
  import.meta,
  "A job tells its webhooks how it ended, and counts who took it",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const { secrets } = yield* EZThrottle.EZThrottle
    yield* secrets.create(secret)
    const receiver = yield* Receiver.make(secret)
    const step = Step.post(`${upstream.url}/orders/told`).pipe(
      Step.webhooks([
        { url: `${receiver.url}/billing` },
        { url: `${receiver.url}/stock` },
        { url: `${upstream.regions.ord}/log`, hasQuorumVote: false }
      ]),
      Step.webhookQuorum(2),
      Step.metadata({ order: 4711 })
    )

    const { jobId } = yield* EZThrottle.submit(step)
    const { answer } = yield* EZThrottle.job(jobId).pipe(
      Effect.repeat({
        schedule: Schedule.spaced("50 millis"),
        until: ({ answer }) => answer["delivery_status"] === "delivered"
      })
    )

    yield* holds("two took it, so it is delivered; the dead one has no vote", answer["delivery_status"], "delivered")
    for (const hook of ["/billing", "/stock"]) {
      const told = JSON.parse(receiver.believed.get(hook) ?? "{}")
      yield* tell({ kind: "webhook", what: `POST ${hook}`, result: "204", note: "signature verified" })
      yield* holds(
        `${hook} knows job, status and metadata`,
        [told.job_id, told.status, told.response?.status_code, told.metadata],
        [jobId, "success", 201, { order: 4711 }]
      )
    }
    const unsigned = yield* Effect.promise(() => fetch(`${receiver.url}/billing`, { method: "POST", body: "{}" }))
    yield* holds("who does not sign is sent away", [unsigned.status, receiver.refused()], [401, 1])
  })
)
