import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createFetch } from "../../src/fetch/CreateFetch.ts"
import { damPermits } from "../../src/fetch/DamPermits.ts"
import * as AnotherDam from "../dam/egress/AnotherDam.ts"

describe("a fetch with the permits of a dam", () => {
  it.live("is stopped by what another one was refused", () =>
    Effect.gen(function* () {
      const { engine, url } = yield* AnotherDam.listening()
      const calls: Array<string> = []
      const fetchOf = (name: string, answer: () => Response) =>
        createFetch({
          permits: damPermits({ dam: url }),
          retry: { maxRetries: 0, patience: "10 seconds" },
          fetch: async () => {
            calls.push(name)
            return answer()
          }
        })
      const a = fetchOf("a", () => new Response("slower", { status: 429, headers: { "retry-after": "60" } }))
      const b = fetchOf("b", () => new Response("fine"))
      const get = (fetch: typeof globalThis.fetch) =>
        Effect.promise(async () => {
          const answer = await fetch("https://api.example.com/things")
          return [answer.status, await answer.text()]
        })
      assert.deepStrictEqual(yield* get(b), [200, "fine"])
      assert.deepStrictEqual(yield* get(a), [429, "slower"])
      assert.strictEqual((yield* get(b))[0], 429)
      assert.deepStrictEqual(calls, ["b", "a"])
      while ((yield* engine.steering.get("api.example.com:443")).permits > 0) yield* Effect.yieldNow
    })
  )

  it("refuses what is no dam", () => {
    assert.throws(
      () => damPermits({ dam: "127.0.0.1" }),
      TypeError,
      "dam: Expected the http:// or https:// URL of a dam"
    )
  })
})
