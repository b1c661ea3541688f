import { assert, describe, it } from "@effect/vitest"
import { fetchHandler } from "../../src/receive/FetchHandler.ts"
import * as Inbox from "../../src/receive/Inbox.ts"
import * as MemoryEventStore from "../../src/receive/MemoryEventStore.ts"
import { InvalidReceiver } from "../../src/receive/Receiver.ts"
import { bodyOf, headersFor, secret } from "./support.ts"

const seconds = () => Math.floor(Date.now() / 1000)
const signed = (body = bodyOf()) =>
  new Request("https://me.example/hooks", { method: "POST", body, headers: headersFor(body, seconds()) })
const codeOf = async (response: Response) => (await response.json()).code

describe("a fetch handler", () => {
  it("answers 200 to an event and to its repetition, 500 until its handler succeeds", async () => {
    const handled: Array<string> = []
    await using handler = fetchHandler({
      secrets: secret,
      handle: async ({ jobId }) => {
        handled.push(jobId)
        if (handled.length === 1) throw new Error("not now")
      }
    })
    assert.deepStrictEqual(
      [
        (await handler(signed())).status,
        await (await handler(signed())).json(),
        await (await handler(signed())).json()
      ],
      [500, { status: "handled" }, { status: "duplicate" }]
    )
    assert.deepStrictEqual(handled, ["job_1", "job_1"])
  })

  it("is a route handler of Next: an exported POST that gets the request and more", async () => {
    await using POST = fetchHandler({ secrets: secret, handle: () => undefined })
    const route: (request: Request, context: { readonly params: Promise<object> }) => Promise<Response> = POST
    assert.strictEqual((await route(signed(), { params: Promise.resolve({}) })).status, 200)
  })

  it("refuses what is not posted, not signed, not an event", async () => {
    await using handler = fetchHandler({ secrets: secret, handle: () => undefined })
    const get = await handler(new Request("https://me.example/hooks"))
    assert.deepStrictEqual([get.status, get.headers.get("allow")], [405, "POST"])
    const unsigned = await handler(new Request("https://me.example/hooks", { method: "POST", body: bodyOf() }))
    assert.deepStrictEqual([unsigned.status, await codeOf(unsigned)], [401, "invalid_signature"])
    const empty = await handler(signed(""))
    assert.deepStrictEqual([empty.status, await codeOf(empty)], [400, "invalid_event"])
    const wrong = await handler(signed('{"job_id":7}'))
    assert.deepStrictEqual(await wrong.json(), {
      error: "The webhook body is not an event of EZThrottle; at job_id: Expected string",
      code: "invalid_event",
      field: "job_id"
    })
  })

  it("stops reading at its limit, whatever length was announced", async () => {
    await using handler = fetchHandler({ secrets: secret, handle: () => undefined, maxBodyBytes: 1000 })
    let pulled = 0
    const endless = new ReadableStream({
      pull: (controller) => {
        pulled++
        controller.enqueue(new Uint8Array(100))
      }
    })
    const init = { method: "POST", body: endless, duplex: "half", headers: headersFor("", seconds()) }
    const response = await handler(new Request("https://me.example/hooks", init as RequestInit))
    assert.deepStrictEqual([response.status, await codeOf(response)], [413, "body_too_large"])
    assert.isBelow(pulled, 20)
    const announced = signed(bodyOf({ metadata: { more: "x".repeat(1000) } }))
    announced.headers.set("content-length", "1200")
    assert.strictEqual((await handler(announced)).status, 413)
  })

  it("says so when somebody has read the body before", async () => {
    await using handler = fetchHandler({ secrets: secret, handle: () => undefined })
    const request = signed()
    await request.json()
    const response = await handler(request)
    assert.deepStrictEqual([response.status, await codeOf(response)], [500, "body_already_read"])
  })

  it("answers 400 to a body that broke off", async () => {
    await using handler = fetchHandler({ secrets: secret, handle: () => undefined })
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) })
    const init = { method: "POST", body: broken, duplex: "half", headers: headersFor("", seconds()) }
    const response = await handler(new Request("https://me.example/hooks", init as RequestInit))
    assert.deepStrictEqual([response.status, await codeOf(response)], [400, "body_cut_off"])
  })

  it("is not made without a secret, nor without what its inbox needs", () => {
    const handle = () => undefined
    assert.throws(() => fetchHandler({ secrets: undefined, handle }), InvalidReceiver)
    const store = { ...MemoryEventStore.make(), isDurable: true }
    const inbox = Inbox.make({ store, url: "https://me.example/hooks" })
    assert.throws(() => fetchHandler({ secrets: secret, inbox, handle }), /set client/)
  })
})
