/** Bodies as `fetch` takes them, as a target gets them. */
import { assert, describe, it } from "@effect/vitest"
import * as Dam from "../../src/dam/Dam.ts"
import { EZThrottle, Step, StepType } from "../../src/promise.ts"
import type { BodyOptions } from "../../src/promise.ts"
import { createTestClient } from "../../src/testing.ts"
import { listen } from "./Loopback.ts"

const form = () => {
  const data = new FormData()
  data.append('a "name"', "one\ntwo")
  data.append("file", new File(["inside"], "notes.txt", { type: "text/plain" }))
  return data
}

const send = async (body: BodyOptions, headers: Record<string, string> = {}) => {
  await using target = await listen(() => ({ status: 200 }))
  await using client = new EZThrottle()
  await new Step(client).url(target.url).method("POST").headers(headers).body(body).type(StepType.FRUGAL).execute()
  const seen = target.seen[0]
  return { body: seen?.body, type: seen?.headers["content-type"] }
}

describe("a body", () => {
  it("may be parameters, a blob or a form, and says what it is", async () => {
    assert.deepStrictEqual(await send(new URLSearchParams({ a: "b c" })), {
      body: "a=b+c",
      type: "application/x-www-form-urlencoded;charset=UTF-8"
    })
    assert.deepStrictEqual(await send(new Blob(["{}"], { type: "application/json" })), {
      body: "{}",
      type: "application/json"
    })
    const sent = await send(form())
    const again = await new Response(sent.body ?? "", { headers: { "content-type": `${sent.type}` } }).formData()
    assert.strictEqual(again.get('a "name"'), "one\r\ntwo")
    const file = again.get("file")
    assert.isTrue(file instanceof File && file.name === "notes.txt" && file.type.startsWith("text/plain"))
    assert.strictEqual(await (file as File).text(), "inside")
  })

  it("leaves a type alone that the headers have, wherever they are set", async () => {
    assert.strictEqual((await send(new URLSearchParams("a=b"), { "content-type": "text/plain" })).type, "text/plain")
  })

  it("is the same call when it is the same form", async () => {
    assert.deepStrictEqual(await send(form()), await send(form()))
  })

  it("is read for attached steps too, as it was when execute was called", async () => {
    const test = createTestClient()
    const audit = new Step()
      .url("https://audit.example/")
      .method("POST")
      .body(new Blob(["first"]))
    const step = new Step(test.client).url("https://a.example/").onSuccess(audit)
    const running = step.execute()
    audit.body(new Blob(["second"]))
    await running
    const [job] = await test.service.jobs()
    assert.strictEqual(new TextDecoder().decode(job?.step.onSuccess?.request.body as Uint8Array), "first")
    await test[Symbol.asyncDispose]()
  })

  it("travels with jobs, nested ones too, as text or as bytes", async () => {
    await using target = await listen(() => ({ status: 200 }))
    await using client = new EZThrottle({ service: Dam.embedded({ path: ":memory:" }) })
    await client.queueAndWait({
      url: target.url,
      method: "POST",
      body: new Uint8Array([0xff, 0]),
      onSuccess: { url: `${target.url}/then`, method: "POST", body: new URLSearchParams({ a: "b" }) }
    })
    await client.idle()
    const [first, then] = target.seen
    assert.strictEqual(first?.headers["content-length"], "2")
    assert.deepStrictEqual(
      [then?.body, then?.headers["content-type"]],
      ["a=b", "application/x-www-form-urlencoded;charset=UTF-8"]
    )
  })
})
