import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { EZThrottle, Step } from "../../src/promise.ts"
import { response } from "../../src/step/Reply.ts"
import * as Redirects from "../../src/transport/Redirects.ts"

describe("secrets of a client", () => {
  it("are sent with the steps that name them, to their hosts alone", async () => {
    const sent: Array<unknown> = []
    const transport = Redirects.exchanging(({ headers, url }) =>
      Effect.sync(() => {
        sent.push([url, headers])
        return response(200)
      })
    )
    await using client = new EZThrottle({
      dam: "http://localhost:1",
      transport,
      secrets: { shop: { value: "s3cret", hosts: ["shop.example"] } }
    })
    const named = (url: string) =>
      new Step(client)
        .url(url)
        .type("frugal")
        .headers({ authorization: Step.secret("shop", { prefix: "Bearer " }), "x-n": 1 })
    assert.deepInclude(await named("https://shop.example/").execute(), { status: "success" })
    assert.deepStrictEqual(sent, [["https://shop.example/", { authorization: "Bearer s3cret", "x-n": "1" }]])
    const refused = await named("https://other.example/")
      .execute()
      .then(
        () => "sent",
        (error: unknown) => String(error)
      )
    assert.include(refused, "the secret shop is not sent: it may not go to https://other.example")
    assert.strictEqual(sent.length, 1)
  })
})
