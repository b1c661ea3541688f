/** An upstream says in a header how fast it may be called; whatever is queued for it keeps to that. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { drain } from "./support/Drain.ts"
import { damScene, holds, hush } from "./support/Scene.ts"
import { World } from "./support/World.ts"

const jobs = 30

export default damScene(
  import.meta,
  "A target names its pace, and the queue drains at that pace",
  Effect.gen(function* () {
    const { dam, upstream } = yield* World
    const host = new URL(upstream.other).host
    const pace = Effect.map(dam.engine.lanes, (lanes) => lanes.find(({ lane }) => lane === host)?.pace.rps)
    const report = (nth: number) => EZThrottle.submit(Step.get(`${upstream.other}/paced/report?nth=${nth}`))
    const result = (jobId: string) => EZThrottle.awaitJob(jobId, { timeout: "8 seconds" })

    const first = yield* report(0)
    yield* result(first.jobId)
    yield* holds("X-Aqueduct-Rps: 10 in one answer, and the dam has learnt it", yield* pace, 10)

    yield* hush
    const accepted = yield* Effect.forEach(Array(jobs).keys(), (index) => report(index + 1), { concurrency: 10 })
    const results = yield* Effect.forEach(accepted, ({ jobId }) => result(jobId), { concurrency: "unbounded" }).pipe(
      Effect.raceFirst(drain(host, jobs))
    )

    yield* holds(`all ${jobs} succeeded`, results.filter(({ status }) => status === "success").length, jobs)
    const starts = upstream.calls("/paced/report").map(({ at }) => at)
    const took = Math.max(...starts) - Math.min(...starts)
    // thirty gaps of a tenth of a second, less what the first and the last call may have been early and late
    yield* holds("the calls were spread over the time that this pace asks for", took >= jobs * 100 - 400, true)
  })
)
