/** The same from promises: the official SDK's names and shapes over the same interpreter. */
import * as Effect from "effect/Effect"
import { Dam } from "ezthrottle-effect/dam"
import { EZThrottle, Step, StepType } from "ezthrottle-effect/promise"
import { join } from "node:path"
import { holds, scene, tellArrivals } from "./support/Scene.ts"
import { pacing, World } from "./support/World.ts"

const shop = async (target: string, path: string) => {
  // disposing of the client stops the dam as well
  await using client = new EZThrottle({ service: Dam.embedded({ path, pacing }) })

  const here = await new Step(client)
    .url(`${target}/flaky/cart`)
    .type(StepType.FRUGAL)
    .retryPolicy({ max_retries: 2 })
    .execute()

  const there = await client.queueAndWait({ url: `${target}/orders/cart`, method: "POST", body: "tea" })

  const changedMind = AbortSignal.timeout(50)
  const endless = new Step(client).url(`${target}/slow/cart`).type(StepType.FRUGAL)
  const stopped = await endless.execute(null, { signal: changedMind }).catch((error: unknown) => error)

  return { here, there, stopped: stopped === changedMind.reason }
}

export default scene(
  import.meta,
  "Promises get the same, under the official SDK's names",
  Effect.gen(function* () {
    const { folder, upstream } = yield* World
    yield* tellArrivals

    const { here, stopped, there } = yield* Effect.tryPromise(() => shop(upstream.url, join(folder, "shop.db")))

    yield* holds("a 503 was retried", upstream.calls("/flaky/cart").length, 2)
    yield* holds("a FRUGAL step resolves as the official SDK's does", here, {
      status: "success",
      executed_locally: true,
      status_code: 200,
      response: '{"path":"/flaky/cart","status":200}'
    })
    yield* holds(
      "queueAndWait really waits, and resolves with the result",
      [there.status, there.response.status_code],
      ["success", 201]
    )
    yield* holds("an AbortSignal stops a step, with the signal's own reason", stopped, true)
    const { abandoned } = yield* upstream.abandoned("/slow/cart")
    yield* holds("its target saw the connection close", abandoned, true)
  })
)
