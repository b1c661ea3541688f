/** A chained step runs after success. Its outcome is part of the parent's and never changes the parent's success. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "ezthrottle-effect"
import { holds, scene } from "./support/Scene.ts"
import { World } from "./support/World.ts"

export default scene(
  import.meta,
  "After success comes the next step, and its failure is not its parent's",
  Effect.gen(function* () {
    const { upstream } = yield* World
    const receipt = Step.post(`${upstream.url}/orders/receipt`).pipe(Step.frugal())
    const paid = Step.post(`${upstream.url}/orders/paid`).pipe(Step.frugal(), Step.onSuccess(receipt))

    const good = yield* EZThrottle.execute(paid)
    yield* holds("the receipt was sent once", upstream.calls("/orders/receipt").length, 1)
    yield* holds("its outcome is in the parent's", good._tag === "Completed" && good.chained?._tag, "Ended")

    const unlucky = Step.post(`${upstream.url}/missing/receipt`).pipe(Step.frugal())
    const outcome = yield* EZThrottle.execute(Step.onSuccess(paid, unlucky))
    yield* holds("a receipt that failed leaves the payment done", outcome._tag, "Completed")
    yield* holds("and says so", outcome._tag === "Completed" && outcome.chained?._tag, "Failed")
  })
)
