import { assert, describe, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as TestClock from "effect/testing/TestClock"
import { EZThrottle, EZThrottleError, RateLimitError, TimeoutError } from "../../src/promise.ts"
import type { ResultSource } from "../../src/promise.ts"
import { FakeService } from "../../src/testing/FakeService.ts"
import * as Script from "../../src/testing/Script.ts"
import type { ProxyOptions } from "./Loopback.ts"
import { listenAsEzthrottle, rejection } from "./Loopback.ts"

const url = "https://api.example.com/orders"

const setUp = async (options?: ProxyOptions) => {
  const stack = new AsyncDisposableStack()
  const proxy = stack.use(await listenAsEzthrottle(options))
  const client = stack.use(new EZThrottle({ apiKey: "key-1", tracktagsUrl: proxy.url, ezthrottleUrl: proxy.url }))
  return { proxy, client, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** A client whose clock and service are in the hands of the test. */
const virtual = async () => {
  const runtime = ManagedRuntime.make(Layer.merge(Script.layer(Script.always({ status: 200 })), TestClock.layer()))
  const service = await runtime.runPromise(FakeService)
  return { runtime, service, client: new EZThrottle({ runtime }) }
}

describe("queueAndWait", () => {
  it("waits until the job has ended and resolves with its result", async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
    await using at = await setUp({
      direct: async ({ path }) => {
        if (!path.startsWith("/api/v1/jobs/job-1/wait")) return { status: 404 }
        ask()
        await ended
        const response = { status_code: 201, headers: { ETag: "1" }, body: "made" }
        return {
          status: 200,
          body: { job_id: "job-1", status: "succeeded", idempotent_key: "k", response, metadata: { a: 1 } }
        }
      }
    })
    let isDone = false
    const running = at.client
      .queueAndWait({ url, webhookUrl: `${url}/hook`, method: "POST", pollInterval: 10 })
      .finally(() => (isDone = true))
    await asked
    assert.isFalse(isDone)
    end()
    assert.deepStrictEqual(await running, {
      job_id: "job-1",
      idempotent_key: "k",
      status: "success",
      response: { status_code: 201, headers: { etag: "1" }, body: "made" },
      metadata: { a: 1 }
    })
    assert.deepStrictEqual(at.proxy.jobs, [{ url, method: "POST", webhooks: [{ url: `${url}/hook` }] }])
  })

  it("follows the event stream where the service has one", async () => {
    await using at = await setUp({
      direct: ({ path }) =>
        path.endsWith("/stream")
          ? { status: 200, headers: { "content-type": "text/event-stream" }, body: "event: succeeded\ndata: {}\n\n" }
          : { status: 200, body: { job_id: "job-1", status: "succeeded", response: { status_code: 200, body: "ok" } } }
    })
    const result = await at.client.queueAndWait({ url })
    assert.deepStrictEqual([result.status, result.response.body, result.idempotent_key], ["success", "ok", "hashed"])
  })

  it("resolves with a failed job too, and with one whose target never answered", async () => {
    const { client, runtime, service } = await virtual()
    const failed = client.queueAndWait({ url: `${url}/1` })
    await runtime.runPromise(TestClock.adjust("1 second"))
    await runtime.runPromise(service.complete("job-1", { status: 404, body: Uint8Array.of(0xff) }))
    const { metadata: _, ...result } = await failed
    assert.deepStrictEqual(result, {
      job_id: "job-1",
      idempotent_key: result.idempotent_key,
      status: "failed",
      response: { status_code: 404, headers: {}, body: "", body_base64: "/w==" }
    })
    const silent = client.queueAndWait({ url: `${url}/2`, metadata: { a: 1 } })
    await runtime.runPromise(TestClock.adjust("1 second"))
    await runtime.runPromise(service.failJob("job-2", "nobody there"))
    const { error, metadata, response } = await silent
    assert.deepStrictEqual(
      [error, metadata, response],
      ["nobody there", { a: 1 }, { status_code: 0, headers: {}, body: "" }]
    )
  })

  it.each<[given: object, millis: number]>([
    [{}, 300_000],
    [{ timeout: 1000, pollInterval: 5 }, 1000]
  ])("gives up after its timeout, naming the job: %j", async (given, millis) => {
    const { client, runtime } = await virtual()
    let isDone = false
    const running = rejection(client.queueAndWait({ url, ...given })).finally(() => (isDone = true))
    await runtime.runPromise(TestClock.adjust(millis - 1))
    assert.isFalse(isDone)
    await runtime.runPromise(TestClock.adjust(1))
    const error = await running
    assert.instanceOf(error, TimeoutError)
    assert.notInstanceOf(error, EZThrottleError)
    assert.deepStrictEqual(
      [error.name, error.message, error.jobId],
      ["TimeoutError", "Timeout waiting for job job-1", "job-1"]
    )
  })

  it("waits for ever when it is told so", async () => {
    const { client, runtime, service } = await virtual()
    const running = client.queueAndWait({ url, timeout: Number.POSITIVE_INFINITY })
    await runtime.runPromise(TestClock.adjust("100 days"))
    await runtime.runPromise(service.complete("job-1", { status: 200 }))
    assert.strictEqual((await running).status, "success")
  })

  it("rejects at once, with the job's id, where nobody can tell the result", async () => {
    await using at = await setUp()
    const error = await rejection(at.client.queueAndWait({ url }))
    assert.instanceOf(error, EZThrottleError)
    assert.strictEqual(error.jobId, "job-1")
    assert.include(error.message, "job-1")
  })

  it("rejects an answer without a job in the official words", async () => {
    await using at = await setUp({ service: () => ({ status: 201, body: { status: "queued" } }) })
    const error = await rejection(at.client.queueAndWait({ url }))
    assert.instanceOf(error, EZThrottleError)
    assert.strictEqual(error.message, "No job_id in response")
  })

  it("rejects where submitJob rejects", async () => {
    await using at = await setUp({ proxy: () => ({ status: 429, body: { error: "too many" } }) })
    assert.instanceOf(await rejection(at.client.queueAndWait({ url })), RateLimitError)
  })

  it("keeps the job's id when looking for the result is refused", async () => {
    await using at = await setUp({ direct: () => ({ status: 401, body: { error: "who are you" } }) })
    const error = await rejection(at.client.queueAndWait({ url }))
    assert.deepStrictEqual([error.message, error.jobId], ["Request denied: who are you", "job-1"])
  })

  it("keeps the key out of the error when the event stream is refused with it", async () => {
    const refuse = { status: 401, body: { error: "no stream for key-1" } }
    await using at = await setUp({ direct: ({ path }) => (path.endsWith("/stream") ? refuse : { status: 404 }) })
    const error = await rejection(at.client.queueAndWait({ url }))
    assert.strictEqual(error.message, "Request denied: no stream for <redacted>")
    assert.notInclude(inspect(error, { depth: 9 }), "key-1")
  })

  it("learns the result from the receiver where the service does not tell it", async () => {
    await using at = await setUp()
    const { url: place } = at.proxy
    const metadata = { a: 1 }
    const receiver: ResultSource = {
      await: (jobId) =>
        Effect.succeed({
          jobId,
          idempotentKey: undefined,
          status: "success",
          response: undefined,
          error: undefined,
          metadata
        })
    }
    await using client = new EZThrottle({ apiKey: "k", tracktagsUrl: place, ezthrottleUrl: place, receiver })
    const result = await client.queueAndWait({ url })
    assert.deepStrictEqual([result.job_id, result.status, result.metadata], ["job-1", "success", metadata])
  })

  it.each(["queueAndWait", "queueRequest", "submitJob"] as const)(
    "%s names what is missing altogether",
    async (name) => {
      await using client = new EZThrottle({ apiKey: "" })
      for (const nothing of [undefined, null] as const) {
        const error = await rejection(client[name](nothing as unknown as { url: string }))
        assert.instanceOf(error, EZThrottleError)
        assert.match(error.message, /^job: Expected/)
      }
    }
  )

  it.each([0, -1, Number.NaN])("refuses a timeout of %d before anything is sent", async (timeout) => {
    const { client, service } = await virtual()
    assert.match((await rejection(client.queueAndWait({ url, timeout }))).message, /^timeout:/)
    assert.deepStrictEqual(Effect.runSync(service.delegations), [])
  })

  it("stops waiting when its signal is aborted; the job goes on", async () => {
    const abort = new AbortController()
    const { client, runtime, service } = await virtual()
    const running = rejection(client.queueAndWait({ url }, { signal: abort.signal }))
    await runtime.runPromise(TestClock.adjust("1 second"))
    abort.abort(new Error("enough"))
    assert.strictEqual((await running).message, "enough")
    assert.strictEqual(Effect.runSync(service.jobs).length, 1)
  })
})
