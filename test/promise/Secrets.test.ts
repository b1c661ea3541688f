import { assert, describe, it } from "@effect/vitest"
import { EZThrottle, EZThrottleError } from "../../src/promise.ts"
import type { ProxyOptions } from "./Loopback.ts"
import { listenAsEzthrottle, rejection } from "./Loopback.ts"

const [first, second, third] = ["whk_first_0123456789", "whk_second_0123456789", "whk_third_0123456789"]

const setUp = async (options?: ProxyOptions) => {
  const stack = new AsyncDisposableStack()
  const proxy = stack.use(await listenAsEzthrottle(options))
  const client = stack.use(new EZThrottle({ apiKey: "key-1", tracktagsUrl: proxy.url }))
  return { proxy, client, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe("webhook secrets", () => {
  it("are created, shown masked and deleted", async () => {
    await using at = await setUp()
    assert.deepStrictEqual(await at.client.createWebhookSecret(first, second), {
      status: "ok",
      message: "Webhook secrets configured"
    })
    assert.deepStrictEqual(await at.client.getWebhookSecret(), {
      customer_id: "customer-1",
      primary_secret: "whk_****6789",
      secondary_secret: "whk_****6789",
      has_secondary: true
    })
    assert.deepStrictEqual(await at.client.deleteWebhookSecret(), { status: "ok", message: "Webhook secrets deleted" })
    assert.deepStrictEqual(
      at.proxy.calls.map(({ json, method, targetUrl }) => [method, targetUrl, json]),
      [
        [
          "POST",
          "https://ezthrottle.fly.dev/api/v1/webhook-secrets",
          { primary_secret: first, secondary_secret: second }
        ],
        ["GET", "https://ezthrottle.fly.dev/api/v1/webhook-secrets", undefined],
        ["DELETE", "https://ezthrottle.fly.dev/api/v1/webhook-secrets", undefined]
      ]
    )
  })

  it.each([undefined, null, ""])("have no secondary when it is %j", async (none) => {
    await using at = await setUp()
    await at.client.createWebhookSecret(first, none)
    assert.deepStrictEqual(at.proxy.calls[0]?.json, { primary_secret: first })
    const shown = await at.client.getWebhookSecret()
    assert.deepStrictEqual([shown.secondary_secret, shown.has_secondary], [null, false])
  })

  it.each<[name: string, primary: string, secondary: string | undefined, message: string]>([
    ["a short primary", "0123456789abcde", undefined, "primarySecret must be at least 16 characters"],
    ["no primary", undefined as unknown as string, undefined, "primarySecret must be at least 16 characters"],
    ["a short secondary", first, "short", "secondarySecret must be at least 16 characters"]
  ])("are refused as the official SDK does before anything is sent: %s", async (_name, primary, secondary, message) => {
    await using at = await setUp()
    const error = await rejection(at.client.createWebhookSecret(primary, secondary))
    assert.deepStrictEqual([error.constructor, error.message], [Error, message])
    assert.deepStrictEqual(at.proxy.calls, [])
  })

  it("that are not set are said to be missing in the official words", async () => {
    await using at = await setUp()
    const error = await rejection(at.client.getWebhookSecret())
    assert.instanceOf(error, EZThrottleError)
    assert.strictEqual(error.message, "No webhook secrets configured. Call createWebhookSecret() first.")
  })

  it("are not part of any error", async () => {
    await using at = await setUp({ service: ({ json }) => ({ status: 500, body: JSON.stringify(json) }) })
    const error = await rejection(at.client.createWebhookSecret(first, second))
    assert.instanceOf(error, EZThrottleError)
    assert.notInclude(`${error.message} ${JSON.stringify(error.cause)}`, first)
    assert.notInclude(error.message, second)
  })
})

describe("rotateWebhookSecret", () => {
  it("keeps the old secret as secondary: the one this client set, or the one given", async () => {
    await using at = await setUp()
    await at.client.createWebhookSecret(first)
    await at.client.rotateWebhookSecret(second)
    await at.client.rotateWebhookSecret(third, first)
    assert.deepStrictEqual(
      at.proxy.calls.map(({ json }) => json),
      [
        { primary_secret: first },
        { primary_secret: second, secondary_secret: first },
        { primary_secret: third, secondary_secret: first }
      ]
    )
  })

  it("rejects when the old secret is not known here, and sends nothing", async () => {
    await using at = await setUp()
    const error = await rejection(at.client.rotateWebhookSecret(second))
    assert.instanceOf(error, EZThrottleError)
    assert.match(error.message, /old secret is unknown/)
    assert.deepStrictEqual(at.proxy.calls, [])
  })
})
