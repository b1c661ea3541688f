/** A dam whose regions are proxies: a job races over three of them, and the slow and the dead one cost nothing. */
import * as Effect from "effect/Effect"
import { Client, EZThrottle, Step } from "ezthrottle-effect"
import { Dam } from "ezthrottle-effect/dam"
import { proxy } from "./support/Proxies.ts"
import { damScene, holds } from "./support/Scene.ts"
import { pacing, World } from "./support/World.ts"

export default damScene(
  import.meta,
  "A job races over three regions of the dam, and the slow and the dead one cost nothing",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const iad = yield* proxy(20)
    const lax = yield* proxy(3_000)
    const ord = yield* proxy("never")
    const dam = yield* Dam.make({
      path: ":memory:",
      pacing,
      regions: { lax: { proxy: lax.url }, ord: { proxy: ord.url }, iad: { proxy: iad.url } }
    })
    const step = Step.get(`${upstream.url}/stock/coffee`).pipe(
      Step.regions(["lax", "ord", "iad"]),
      Step.retryPolicy({ maxRetries: 0, maxReroutes: 0 })
    )

    yield* Effect.gen(function* () {
      const { jobId, status } = yield* EZThrottle.submit(step)
      yield* holds("three regions race", status, "racing")

      const result = yield* EZThrottle.awaitJob(jobId, { timeout: "5 seconds" })
      const { answer } = yield* EZThrottle.job(jobId)
      yield* holds("iad won", [result.status, answer["region"]], ["success", "iad"])
      const { history } = yield* Effect.flatMap(dam.store.get(jobId), (job) => Effect.fromNullishOr(job))
      const endings = history.map(({ ending, region }) => [region, ending._tag]).sort()
      yield* holds("lax was interrupted, and ord had no answer", endings, [
        ["iad", "Answered"],
        ["lax", "Interrupted"],
        ["ord", "Failed"]
      ])
    }).pipe(Effect.provide(Client.layer({ service: dam.service })))

    const target = new URL(upstream.url).host
    const asked = [lax, ord, iad].map((region) => [...region.asked])
    yield* holds("each proxy was asked for the address that the dam had checked", asked, [[target], [target], [target]])
    yield* holds("the target was called once", upstream.calls("/stock/coffee").length, 1)
  })
)
