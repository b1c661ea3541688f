/** A dam calls at times by itself: by a cron expression in a time zone, or every so long. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { damScene, holds } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default damScene(
  import.meta,
  "A schedule is defined once; the dam calls at each of its moments",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const { schedules } = yield* EZThrottle.EZThrottle
    const step = Step.post(`${upstream.url}/orders/nightly`)

    const nightly = yield* schedules.put("nightly", { cron: "30 2 * * *", zone: "Europe/Berlin", step })
    yield* holds("its next five moments are known", nightly.next.length, 5)

    const { last } = yield* schedules.runNow("nightly")
    const result = yield* EZThrottle.awaitJob(last?.jobId ?? "", { timeout: "5 seconds" })
    yield* holds("it can be run at once", [result.status, result.metadata["schedule"]], ["success", "nightly"])
    yield* holds("which is one call", upstream.calls("/orders/nightly").length, 1)

    yield* holds("paused, it calls no more", (yield* schedules.pause("nightly")).state, "paused")
    const odd = yield* Effect.flip(schedules.put("odd", { cron: "0 22-2 * * *", step }))
    yield* holds("what cannot be is told", odd.message, "cron: hour: range goes backwards; write 22-23,0-2")
    yield* schedules.delete("nightly")
    yield* holds("nothing is left of it", (yield* schedules.list).length, 0)
  })
)
