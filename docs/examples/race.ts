/** Several regions race: the first good answer wins, a dead region only loses, and whoever is late is hung up on. */
import * as Effect from "effect/Effect"
import { EZThrottle, RegionalTransport, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { client, World } from "./support/World.ts"

export default scene(
  import.meta,
  "Three regions race, and the slow and the dead one cost nothing",
  Effect.gen(function* () {
    const world = yield* World
    const { iad, lax, ord } = world.upstream.regions
    const transport = yield* RegionalTransport.make({
      lax: { baseUrl: lax },
      ord: { baseUrl: ord },
      iad: { baseUrl: iad }
    })
    const step = Step.get("https://stock.example/stock/tea").pipe(Step.frugal(), Step.regions(["lax", "ord", "iad"]))

    const outcome = yield* EZThrottle.execute(step).pipe(Effect.provide(client(world, transport)))

    yield* holds("iad won", outcome._tag === "Completed" && outcome.region, "iad")
    const endings = outcome.history.map(({ ending, region }) => `${region} ${ending._tag}`).toSorted()
    yield* holds("every racer is in the history", endings, ["iad Answered", "lax Interrupted", "ord Failed"])
    const loser = yield* world.upstream.abandoned("/stock/tea")
    yield* holds("lax saw its connection close", loser.region, "lax")
  })
)
