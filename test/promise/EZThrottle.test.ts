import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as TestClock from "effect/testing/TestClock"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { EZThrottle, EZThrottleError, IdempotentStrategy, RateLimitError, Step, StepType } from "../../src/promise.ts"
import type { JobOptions } from "../../src/promise.ts"
import { FakeService } from "../../src/testing/FakeService.ts"
import * as Script from "../../src/testing/Script.ts"
import { createTestClient } from "../../src/testing.ts"
import { ServiceUnreachable } from "../../src/step/Failure.ts"
import type { Exchange } from "../../src/transport/HttpTransport.ts"
import type { ProxyOptions } from "./Loopback.ts"
import { listen, listenAsEzthrottle, nowhere, rejection } from "./Loopback.ts"

const url = "https://api.example.com/orders"

const setUp = async (options?: ProxyOptions) => {
  const stack = new AsyncDisposableStack()
  const proxy = stack.use(await listenAsEzthrottle(options))
  const place = { tracktagsUrl: proxy.url, ezthrottleUrl: "https://service.example.com" }
  const client = stack.use(new EZThrottle({ apiKey: "key-1", ...place }))
  return { proxy, place, client, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe("submitJob", () => {
  it("sends one envelope to the proxy, with the key as bearer", async () => {
    await using at = await setUp()
    await at.client.submitJob({ url })
    assert.deepStrictEqual(at.proxy.calls, [
      {
        method: "POST",
        targetUrl: "https://service.example.com/api/v1/jobs",
        authorization: "Bearer key-1",
        json: { url, method: "GET" }
      }
    ])
  })

  it("resolves with the service's answer, unchanged", async () => {
    const body = { job_id: "j", status: "duplicate", duplicate: true, response: { status_code: 200 }, note: null }
    await using at = await setUp({ service: () => ({ status: 200, body }) })
    assert.deepStrictEqual(await at.client.submitJob({ url }), body)
  })

  it("says everything a job can, nested jobs in snake_case at every depth", async () => {
    await using at = await setUp()
    const job: JobOptions = {
      url,
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
      metadata: { a: null },
      webhooks: [{ url, hasQuorumVote: false }, { url, has_quorum_vote: true, regions: ["iad"] }, { url }],
      webhookQuorum: 2,
      regions: ["iad", "lax"],
      regionPolicy: "strict",
      executionMode: "fanout",
      retryPolicy: { maxRetries: 1, retry_codes: [429] },
      fallbackJob: {
        url: `${url}/1`,
        trigger: { type: "on_error", codes: [500] },
        fallbackJob: { url: `${url}/2`, trigger: { type: "on_timeout", timeout_ms: 500 }, idempotentKey: "two" }
      },
      onSuccess: { url: `${url}/3`, webhookQuorum: 1, onSuccess: { url: `${url}/4`, onFailureTimeoutMs: 5 } },
      onFailure: { url: `${url}/5`, retryPolicy: { maxReroutes: 0 } },
      onFailureTimeoutMs: 1000,
      idempotentKey: "one",
      retryAt: 1_760_000_000_000
    }
    await at.client.submitJob(job)
    assert.deepStrictEqual(at.proxy.jobs[0], {
      url,
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
      metadata: { a: null },
      webhooks: [{ url, has_quorum_vote: false }, { url, regions: ["iad"] }, { url }],
      webhook_quorum: 2,
      regions: ["iad", "lax"],
      region_policy: "strict",
      execution_mode: "fanout",
      retry_policy: { max_retries: 1, retry_codes: [429] },
      fallback_job: {
        url: `${url}/1`,
        method: "GET",
        trigger: { type: "on_error", codes: [500] },
        fallback_job: {
          url: `${url}/2`,
          method: "GET",
          trigger: { type: "on_timeout", timeout_ms: 500 },
          idempotent_key: "two"
        }
      },
      on_success: {
        url: `${url}/3`,
        method: "GET",
        on_success: { url: `${url}/4`, method: "GET", on_failure_timeout_ms: 5 }
      },
      on_failure: { url: `${url}/5`, method: "GET", retry_policy: { max_reroutes: 0 } },
      on_failure_timeout_ms: 1000,
      idempotent_key: "one",
      retry_at: 1_760_000_000_000
    })
  })

  it("takes undefined and null for what is left out, as the official SDK does", async () => {
    await using at = await setUp()
    const job: object = {
      url,
      method: undefined,
      headers: null,
      webhooks: [{ url, regions: null }],
      onSuccess: { url, body: null }
    }
    await at.client.submitJob(job as JobOptions)
    assert.deepStrictEqual(at.proxy.jobs[0], {
      url,
      method: "GET",
      webhooks: [{ url }],
      on_success: { url, method: "GET" }
    })
  })

  it.each<[field: string, job: unknown]>([
    ["url", {}],
    ["url", { url: 7 }],
    ["job", undefined],
    ["job", "https://example.com"],
    ["methd", { url, methd: "POST" }],
    ["webhookQuorum", { url, webhookQuorum: 0 }],
    ["limits[0].cost", { url, limits: [{ name: "tokens", cost: 0 }] }],
    ["onSuccess.limits[1].name", { url, onSuccess: { url, limits: [{ name: "a" }, { name: "b c" }] } }],
    ["retryPolicy.maxRetries", { url, retryPolicy: { maxRetries: Number.NaN } }],
    ["retryPolicy.max_retries", { url, retryPolicy: { max_retries: Number.NaN } }],
    ["retryPolicy.maxRetry", { url, retryPolicy: { maxRetry: 1 } }],
    ["retryAt", { url, retryAt: "soon" }],
    ["retry_at", { url, retry_at: "soon" }],
    ["webhooks[0].hasQuorumVote", { url, webhooks: [{ url, hasQuorumVote: 1 }] }],
    ["body", { url, body: { a: 1 } }],
    ["onSuccess.onFailure.url", { url, onSuccess: { url, onFailure: { url: "no url" } } }],
    ["fallbackJob.trigger", { url, fallbackJob: { url, trigger: { type: "on_error" } } }]
  ])("refuses bad input by name: %s", async (field, job) => {
    await using at = await setUp()
    const error = await rejection(at.client.submitJob(job as JobOptions))
    assert.instanceOf(error, EZThrottleError)
    assert.isTrue(error.message.startsWith(`${field}:`), error.message)
    assert.deepStrictEqual(at.proxy.calls, [])
  })

  it("refuses a job inside itself", async () => {
    await using at = await setUp()
    const job: { url: string; onSuccess?: JobOptions } = { url }
    job.onSuccess = job
    assert.strictEqual((await rejection(at.client.submitJob(job))).message, "A job cannot be a part of itself")
  })

  it.each<[what: string, options: ProxyOptions, message: string]>([
    ["a proxy failure", { proxy: () => ({ status: 502, body: "bad gateway" }) }, "Proxy request failed: bad gateway"],
    [
      "a denial",
      { proxy: () => ({ status: 200, body: { status: "denied", error: "quota" } }) },
      "Request denied: quota"
    ],
    [
      "a refused job",
      { service: () => ({ status: 422, body: "url_denied" }) },
      "EZThrottle job creation failed: url_denied"
    ]
  ])("rejects %s in the official words", async (_what, options, message) => {
    await using at = await setUp(options)
    const error = await rejection(at.client.submitJob({ url }))
    assert.deepStrictEqual(
      [error.constructor, error.name, error.message, error.retryAt],
      [EZThrottleError, "EZThrottleError", message, null]
    )
    assert.strictEqual(at.proxy.calls.length, 1)
  })

  it.each<[what: string, body: object, retryAt: number | null]>([
    ["with retry_at", { error: "too many", retry_at: 1_760_000_000_123 }, 1_760_000_000_123],
    ["without", { error: "too many" }, null]
  ])("rejects a rate limit with RateLimitError, %s", async (_what, body, retryAt) => {
    await using at = await setUp({ proxy: () => ({ status: 429, body }) })
    const error = await rejection(at.client.submitJob({ url }))
    assert.instanceOf(error, RateLimitError)
    assert.instanceOf(error, EZThrottleError)
    assert.deepStrictEqual(
      [error.name, error.message, error.retryAt],
      ["RateLimitError", "Rate limited: too many", retryAt]
    )
  })

  it("counts a Retry-After that is a date from now", async () => {
    const at = new Date(Date.now() + 3_600_000).toUTCString()
    await using here = await setUp({
      proxy: () => ({ status: 429, headers: { "retry-after": at }, body: { error: "wait" } })
    })
    const error = await rejection(here.client.submitJob({ url }))
    assert.closeTo(error.retryAt, Date.parse(at), 2_000)
  })

  it("keeps the typed error as the cause", async () => {
    await using at = await setUp({ service: () => ({ status: 422, body: "no" }) })
    const { cause } = await rejection(at.client.submitJob({ url }))
    assert.deepStrictEqual([cause._tag, cause.reason._tag, cause.history.length], ["StepError", "JobRefused", 1])
  })

  it("stops when its signal is aborted", async () => {
    const abort = new AbortController()
    await using at = await setUp({
      proxy: () => {
        abort.abort()
        return "hang"
      }
    })
    assert.strictEqual((await rejection(at.client.submitJob({ url }, { signal: abort.signal }))).name, "AbortError")
  })
})

describe("queueRequest", () => {
  it("is submitJob with one webhook that votes", async () => {
    await using at = await setUp()
    const answer = await at.client.queueRequest({
      url,
      webhookUrl: `${url}/hook`,
      method: "POST",
      headers: { A: "1" },
      body: "b",
      metadata: { c: 1 },
      retryAt: 5
    })
    assert.strictEqual(answer.job_id, "job-1")
    await at.client.queueRequest({ url })
    assert.deepStrictEqual(at.proxy.jobs, [
      {
        url,
        method: "POST",
        headers: { A: "1" },
        body: "b",
        metadata: { c: 1 },
        webhooks: [{ url: `${url}/hook` }],
        retry_at: 5
      },
      { url, method: "GET" }
    ])
  })
})

describe("request", () => {
  it("goes straight to the target and resolves with fetch's response, whatever the status", async () => {
    await using target = await listen((seen) => ({
      status: 503,
      headers: { "x-a": "1" },
      body: `${seen.method} ${seen.body}`
    }))
    await using at = await setUp()
    const response = await at.client.request({ url: target.url, method: "POST", headers: { B: "2" }, body: "text" })
    assert.instanceOf(response, Response)
    assert.deepStrictEqual(
      [response.status, response.headers.get("x-a"), await response.text()],
      [503, "1", "POST text"]
    )
    assert.strictEqual(target.seen[0]?.headers["b"], "2")
    assert.strictEqual((await at.client.request({ url: target.url })).status, 503)
    assert.deepStrictEqual(at.proxy.calls, [])
  })

  it("rejects with fetch's own error when there is no answer, and when it is aborted", async () => {
    const client = new EZThrottle()
    assert.instanceOf(await rejection(client.request({ url: await nowhere() })), TypeError)
    const signal = AbortSignal.abort()
    assert.strictEqual((await rejection(client.request({ url }, { signal }))).name, "AbortError")
  })
})

describe("forwardOrFallback", () => {
  it("resolves with the job when EZThrottle takes it", async () => {
    await using at = await setUp()
    const answer = await at.client.forwardOrFallback(() => assert.fail("not needed"), { url })
    assert.strictEqual(answer.job_id, "job-1")
  })

  it("resolves with the fallback's value when nobody listens there", async () => {
    await using test = createTestClient()
    await test.service.disconnect()
    const forward = async <A>(fallback: () => A | Promise<A>) => {
      const running = test.client.forwardOrFallback(fallback, { url })
      // a fallback may reject before the clock has been turned to its end
      running.catch(() => undefined)
      await test.clock.adjust("1 minute")
      return running
    }
    assert.strictEqual(await forward(() => 7), 7)
    assert.strictEqual(await forward(async () => "later"), "later")
    const error = new Error("the fallback's own")
    assert.strictEqual(await rejection(forward(() => Promise.reject(error))), error)
  })

  it("resolves with the fallback's value when the connection breaks", async () => {
    await using test = createTestClient()
    await test.service.failWith(new ServiceUnreachable({ detail: "reset", maybeAccepted: true }))
    const running = test.client.forwardOrFallback(() => "here", { url })
    await test.clock.adjust("1 minute")
    assert.strictEqual(await running, "here")
  })

  it.each<[what: string, options: ProxyOptions]>([
    ["rate limits", { proxy: () => ({ status: 429, body: { error: "too many" } }) }],
    ["denials", { proxy: () => ({ status: 200, body: { status: "denied", error: "no" } }) }],
    ["proxy failures", { proxy: () => ({ status: 500 }) }],
    ["refused jobs", { service: () => ({ status: 400, body: "no" }) }]
  ])("rejects everything else: %s", async (_what, options) => {
    await using at = await setUp(options)
    assert.instanceOf(
      await rejection(at.client.forwardOrFallback(() => assert.fail("not asked for"), { url })),
      EZThrottleError
    )
  })

  it("rejects bad input and a missing key", async () => {
    await using client = new EZThrottle({ apiKey: "" })
    assert.match((await rejection(client.forwardOrFallback(() => 1, { url }))).message, /apiKey is required/)
    assert.match((await rejection(client.forwardOrFallback(() => 1, { url: "" }))).message, /^url:/)
  })
})

describe("the API key", () => {
  const withEnvironment = async (key: string | undefined, use: () => Promise<void>) => {
    const before = process.env["EZTHROTTLE_API_KEY"]
    const set = (value: string | undefined) =>
      value === undefined ? delete process.env["EZTHROTTLE_API_KEY"] : (process.env["EZTHROTTLE_API_KEY"] = value)
    set(key)
    await use().finally(() => set(before))
  }

  it("comes from EZTHROTTLE_API_KEY unless it is given", () =>
    withEnvironment("key-of-the-environment", async () => {
      await using at = await setUp()
      await using client = new EZThrottle(at.place)
      await client.submitJob({ url })
      await at.client.submitJob({ url })
      const sent = at.proxy.calls.map(({ authorization }) => authorization)
      assert.deepStrictEqual(sent, ["Bearer key-of-the-environment", "Bearer key-1"])
    }))

  it("is missed by remote calls only, with an error that says what to do", () =>
    withEnvironment(undefined, async () => {
      await using target = await listen(() => ({ status: 200, body: "fine" }))
      await using at = await setUp()
      await using client = new EZThrottle(at.place)
      const local = await new Step(client).url(target.url).type(StepType.FRUGAL).execute()
      assert.strictEqual(local.status, "success")
      const error = await rejection(client.submitJob({ url }))
      assert.instanceOf(error, EZThrottleError)
      assert.match(error.message, /apiKey is required.*EZTHROTTLE_API_KEY/)
      assert.deepStrictEqual(at.proxy.calls, [])
    }))
})

describe("a client", () => {
  // in a process of its own, because the test runner takes the console over
  it("prints nothing, whatever it does", async () => {
    await using at = await setUp()
    const program = fileURLToPath(new URL("printing.ts", import.meta.url))
    const { stderr, stdout } = await promisify(execFile)(process.execPath, [program, at.proxy.url])
    assert.deepStrictEqual([stdout, stderr], ["", ""])
    assert.strictEqual(at.proxy.jobs.length, 2)
  })

  it("stops what is running when it is disposed, and refuses calls from then on", async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    await using at = await setUp({
      proxy: () => {
        resolve()
        return "hang"
      }
    })
    const running = rejection(at.client.submitJob({ url }))
    await asked
    await at.client[Symbol.asyncDispose]()
    assert.strictEqual((await running).message, "The client was disposed during the call")
    const after = await rejection(at.client.submitJob({ url }))
    assert.instanceOf(after, EZThrottleError)
    assert.match(after.message, /disposed/)
  })

  it.each([
    ["disposed of", (client: EZThrottle) => client[Symbol.asyncDispose]()],
    ["left without its runtime", (client: EZThrottle) => client.runtime.dispose()]
  ])("that has made calls before stops those under way first when it is %s", async (_, dispose) => {
    const ended: Array<string> = []
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    const scripted = Effect.runSync(Script.make(Script.always({ status: 200 })))
    const hanging = Effect.sync(resolve).pipe(
      Effect.andThen(Effect.never),
      Effect.onInterrupt(() => Effect.sync(() => ended.push("call")))
    )
    const transport = Effect.acquireRelease(
      Effect.succeed({
        ...scripted,
        send: (exchange: Exchange) => (exchange.request.url === url ? hanging : scripted.send(exchange))
      }),
      () => Effect.sync(() => ended.push("transport"))
    )
    const client = new EZThrottle({ transport })
    const step = (target: string) => new Step(client).url(target).type(StepType.FRUGAL)
    for (let call = 0; call < 3; call++) await step("https://a.example").execute()
    const running = rejection(step(url).execute())
    await asked
    await dispose(client)
    assert.strictEqual((await running).message, "The client was disposed during the call")
    assert.deepStrictEqual(ended, ["call", "transport"])
    assert.match((await rejection(step(url).execute())).message, /disposed before the call/)
  })

  it("runs over the service it is given, without a key", async () => {
    const service = Effect.runSync(FakeService.make())
    await using client = new EZThrottle({ service })
    const answer = await client.submitJob({ url })
    const [job] = Effect.runSync(service.jobs)
    assert.strictEqual(answer.job_id, job?.jobId)
  })

  it("disposes the service it is given after its own calls have ended", async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const ended: Array<string> = []
    const fake = Effect.runSync(FakeService.make())
    const hanging = Effect.sync(begin).pipe(Effect.andThen(Effect.never))
    const submit = () => Effect.onInterrupt(hanging, () => Effect.sync(() => ended.push("call")))
    const service = {
      ...fake,
      transport: { ...fake.transport, submit },
      [Symbol.asyncDispose]: async () => void ended.push("service")
    }
    const client = new EZThrottle({ service })
    const running = rejection(client.submitJob({ url }))
    await begun
    assert.deepStrictEqual(ended, [])
    await client[Symbol.asyncDispose]()
    await running
    assert.deepStrictEqual(ended, ["call", "service"])
  })

  it("makes its local calls over the transport it is given", async () => {
    const transport = Effect.runSync(Script.make(Script.always({ status: 200, body: "scripted" })))
    await using client = new EZThrottle({ transport })
    const result = await Step(client).url(url).type(StepType.FRUGAL).execute()
    assert.strictEqual(result.response, "scripted")
  })

  it("submits again with the same UNIQUE key when the service could not be reached, in virtual time", async () => {
    const layer = Layer.merge(Script.layer(Script.always({ status: 200 })), TestClock.layer())
    const runtime = ManagedRuntime.make(layer)
    await using client = new EZThrottle({ runtime })
    const service = await runtime.runPromise(FakeService)
    await runtime.runPromise(service.disconnect(2))
    const running = new Step(client).url(url).idempotentStrategy(IdempotentStrategy.UNIQUE).execute()
    await runtime.runPromise(TestClock.adjust("1 minute"))
    assert.strictEqual((await running).job_id, "job-1")
    const keys = Effect.runSync(service.delegations).map(({ asked }) => asked.key)
    assert.strictEqual(keys.length, 3)
    assert.strictEqual(new Set(keys).size, 1)
  })
})
