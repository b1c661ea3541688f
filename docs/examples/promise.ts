/** The same from promises: the official SDK's names and shapes over the same interpreter. */
import * as Effect from "effect/Effect"
import { EZThrottle, Step, StepType } from "ezthrottle-effect/promise"
import { holds, scene, tell } from "./support/Scene.ts"
import { World } from "./support/World.ts"

const shop = async (target: string, { apiKey, url }: { readonly apiKey: string; readonly url: string }) => {
  await using client = new EZThrottle({ apiKey, tracktagsUrl: url, ezthrottleUrl: url })

  const here = await new Step(client)
    .url(`${target}/flaky/cart`)
    .type(StepType.FRUGAL)
    .retryPolicy({ max_retries: 2 })
    .execute()

  const there = await client.queueAndWait({ url: `${target}/orders/cart`, method: "POST", body: "tea" })

  const controller = new AbortController()
  const endless = new Step(client).url(`${target}/slow/cart`).type(StepType.FRUGAL)
  setTimeout(() => controller.abort(new Error("changed my mind")), 50)
  const stopped = await endless.execute(null, { signal: controller.signal }).catch((error: Error) => error.message)

  return { here, there, stopped }
}

export default scene(
  import.meta,
  "Promises get the same, under the official SDK's names",
  Effect.gen(function* () {
    const { service, upstream } = yield* World

    const { here, stopped, there } = yield* Effect.tryPromise(() => shop(upstream.url, service))

    yield* tell({ kind: "call", what: "GET /flaky/cart", result: "503" })
    yield* tell({ kind: "retry", what: "GET /flaky/cart", result: "200" })
    yield* holds("a FRUGAL step was retried and executed locally", here, {
      status: "success",
      executed_locally: true,
      status_code: 200,
      response: '{"path":"/flaky/cart","status":200}'
    })
    yield* tell({ kind: "forward", what: "POST /orders/cart", place: "EZThrottle", result: "accepted" })
    yield* holds(
      "queueAndWait came back with the result",
      [there.status, there.response?.status_code],
      ["success", 201]
    )
    yield* tell({ kind: "call", what: "GET /slow/cart", result: "interrupted" })
    yield* holds("an AbortSignal stops a step, with the signal's own reason", stopped, "changed my mind")
    yield* upstream.abandoned("/slow/cart")
  })
)
