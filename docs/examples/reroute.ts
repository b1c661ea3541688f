/** A 500, 502 or 504, or no answer at all, goes on in another region; `strict` keeps to the step's own. */
import * as Effect from "effect/Effect"
import { EZThrottle, RegionalTransport, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { client, World } from "./support/World.ts"

export default scene(
  import.meta,
  "A region that is ill or dead is left for another one",
  Effect.gen(function* () {
    const world = yield* World
    const { iad, lax, ord } = world.upstream.regions
    const transport = yield* RegionalTransport.make({
      iad: { baseUrl: iad },
      lax: { baseUrl: lax },
      ord: { baseUrl: ord }
    })
    const from = (region: string) =>
      Step.get("https://stock.example/uneven/shelf").pipe(
        Step.frugal(),
        Step.regions([region]),
        Step.retryPolicy({ maxRetries: 0 })
      )
    const run = (step: Step.Step) => EZThrottle.execute(step).pipe(Effect.provide(client(world, transport)))

    const ill = yield* run(from("iad"))
    yield* holds("iad answered 502, so lax did it", ill._tag === "Completed" && ill.region, "lax")

    const dead = yield* run(from("ord"))
    const path = dead.history.map(({ region }) => region)
    yield* holds("ord is dead and iad still ill, so lax did it", path, ["ord", "iad", "lax"])

    const strict = yield* Effect.flip(run(from("iad").pipe(Step.regionPolicy("strict"), Step.fallbackOnError([]))))
    yield* holds("strict stays in iad", strict.reason._tag === "Rejected" && strict.reason.status, 502)
  })
)
