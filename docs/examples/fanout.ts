/** Fanout calls every region and keeps every answer; under `strict` all must succeed, else one success is enough. */
import * as Effect from "effect/Effect"
import { EZThrottle, RegionalTransport, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { client, World } from "./support/World.ts"

export default scene(
  import.meta,
  "Fanout calls every region and keeps every answer",
  Effect.gen(function* () {
    const world = yield* World
    const { iad, lax, ord } = world.upstream.regions
    const transport = yield* RegionalTransport.make({
      iad: { baseUrl: iad },
      lax: { baseUrl: lax },
      ord: { baseUrl: ord }
    })
    const step = Step.get("https://stock.example/stock/all").pipe(
      Step.frugal(),
      Step.regions(["iad", "lax", "ord"]),
      Step.executionMode("fanout")
    )
    const run = (step: Step.Step) => EZThrottle.execute(step).pipe(Effect.provide(client(world, transport)))

    const outcome = yield* run(step)
    const answered = outcome._tag === "Completed" ? outcome.responses.map(({ region }) => region).toSorted() : []
    yield* holds("iad and lax answered, and that is success", answered, ["iad", "lax"])

    const error = yield* Effect.flip(run(Step.regionPolicy(step, "strict")))
    const failed = error.reason._tag === "FanoutIncomplete" && error.reason.failed
    yield* holds("under strict the dead region makes it a failure", failed, ["ord"])
  })
)
