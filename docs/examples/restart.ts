/** A dam keeps its jobs in its file. What it had not run when it stopped is run when it is started again. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { Dam } from "ezthrottle-effect/dam"
import { join } from "node:path"
import { damScene, holds } from "./support/Scene.ts"
import { damClient, pacing, World } from "./support/World.ts"

export default damScene(
  import.meta,
  "What is queued when a dam stops is run by the next one",
  Effect.gen(function* () {
    const { folder, upstream } = yield* World
    /** Starts a dam on the file, does something with it, stops it. */
    const during = <A, E>(
      paced: typeof pacing | { readonly pace: { readonly rps: number } },
      program: Effect.Effect<A, E, EZThrottle.EZThrottle>
    ) =>
      Effect.scoped(
        Effect.flatMap(Dam.make({ path: join(folder, "restart.db"), pacing: paced }), (dam) =>
          Effect.provide(program, damClient({ dam }))
        )
      )
    const order = (name: string) => EZThrottle.submit(Step.post(`${upstream.url}/orders/kept`).pipe(Step.body(name)))
    const result = (jobId: string) => EZThrottle.awaitJob(jobId, { timeout: "5 seconds" })

    const jobs = yield* during(
      { pace: { rps: 0.01 } },
      Effect.gen(function* () {
        const accepted = yield* Effect.forEach(["tea", "milk", "sugar"], order)
        yield* result(accepted[0]?.jobId ?? "")
        return accepted
      })
    )
    yield* holds("one call in 100 s is its pace: one of three was made", upstream.calls("/orders/kept").length, 1)

    const results = yield* during(
      pacing,
      Effect.forEach(jobs, ({ jobId }) => result(jobId))
    )
    const succeeded = results.map(({ status }) => status)
    yield* holds("the next dam on that file ran the others", succeeded, ["success", "success", "success"])
    const bodies = upstream.calls("/orders/kept").map(({ body }) => body)
    yield* holds("each was called once", bodies.toSorted(), ["milk", "sugar", "tea"])
  })
)
