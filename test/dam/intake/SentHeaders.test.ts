import { assert, describe, it } from "@effect/vitest"
import * as SentHeaders from "../../../src/dam/intake/SentHeaders.ts"
import * as Step from "../../../src/step/Step.ts"

const url = "https://api.example.com/orders"

const request = (headers: Readonly<Record<string, string>>, body?: string) => ({ method: "POST", url, headers, body })

describe("headers that cannot be sent", () => {
  it.each([
    ["Host", "evil.example"],
    ["Host", "api.example.com:8443"],
    ["Host", "api.example.com/x"],
    ["Host", "me@api.example.com"],
    ["HOST", ""],
    ["Proxy-Authorization", "Basic x"],
    ["TE", "trailers"],
    ["Trailer", "Expires"],
    ["Content-Length", "999"],
    ["content-length", "+4"],
    ["Transfer-Encoding", "chunked"],
    ["Upgrade", "h2c"],
    ["Keep-Alive", "timeout=5"],
    ["Connection", "close"],
    ["Connection", "keep-alive, x-secret"],
    ["Expect", "100-continue"]
  ])("%s: %s is named, and its value is not repeated", (name, value) => {
    const fault = SentHeaders.faultIn(request({ Accept: "*/*", [name]: value }, "body"))
    assert.strictEqual(fault?.name, name)
    if (value.length > 5) assert.notInclude(fault?.problem, value)
  })

  it.each([
    ["Host", "API.example.com"],
    ["host", "api.example.com:443"],
    ["Content-Length", "5"],
    ["Connection", "Keep-Alive"],
    ["Accept", "text/html"],
    ["X-Host", "anything"]
  ])("%s: %s passes", (name, value) => assert.isUndefined(SentHeaders.faultIn(request({ [name]: value }, "b\u00f6dy"))))

  it("takes no body for a body of nothing", () => {
    assert.isUndefined(SentHeaders.faultIn(request({ "Content-Length": "0" })))
    assert.isDefined(SentHeaders.faultIn(request({ "Content-Length": "1" })))
  })

  it("leaves out what agrees, all over the tree, and returns a step without it as it is", () => {
    const passed = { Host: "api.example.com", connection: "keep-alive", accept: "*/*" }
    const child = Step.post(url, { headers: passed })
    const step = Step.post(url, { headers: passed }).pipe(
      Step.onSuccess(child),
      Step.onFailure(child),
      Step.fallback(child)
    )
    const sent = SentHeaders.withoutAgreed(step)
    for (const one of [sent, sent.onSuccess, sent.onFailure, sent.fallbacks[0]?.step]) {
      assert.deepStrictEqual(one?.request.headers, { accept: "*/*" })
    }
    assert.strictEqual(SentHeaders.withoutAgreed(sent), sent)
  })
})
