import { assert, describe, it } from "@effect/vitest"
import { EZThrottle, EZThrottleError, RateLimitError, Step, StepType } from "../../src/promise.ts"
import * as Script from "../../src/testing/Script.ts"
import { createTestClient } from "../../src/testing.ts"
import type { Answer, Proxy, ProxyOptions, Seen } from "./Loopback.ts"
import { listen, listenAsEzthrottle, nowhere, rejection } from "./Loopback.ts"

const url = "https://api.example.com/orders"

/** A target, an EZThrottle and a client between them; all of it ends with the test. */
const setUp = async (answer: Parameters<typeof listen>[0], options?: ProxyOptions) => {
  const stack = new AsyncDisposableStack()
  const target = stack.use(await listen(answer))
  const proxy: Proxy = stack.use(await listenAsEzthrottle(options))
  const client = stack.use(new EZThrottle({ apiKey: "key-1", tracktagsUrl: proxy.url, ezthrottleUrl: proxy.url }))
  const frugal = (path = "/") => new Step(client).url(`${target.url}${path}`).type(StepType.FRUGAL)
  return { target, proxy, client, frugal, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const byPath = (answers: Readonly<Record<string, Answer>>) => (seen: Seen) => answers[seen.path] ?? { status: 404 }

describe("a FRUGAL step", () => {
  it("that is answered 2xx resolves with that answer", async () => {
    await using at = await setUp(() => ({ status: 201, body: "made é" }))
    assert.deepStrictEqual(await at.frugal().method("POST").execute(), {
      status: "success",
      executed_locally: true,
      status_code: 201,
      response: "made é"
    })
    assert.deepStrictEqual(at.proxy.calls, [])
  })

  it("gives the bytes too when the answer is not text", async () => {
    const bytes = Uint8Array.of(0x89, 0x50, 0xff, 0x00)
    await using at = await setUp(() => ({ status: 200, body: bytes }))
    const result = await at.frugal().execute()
    assert.strictEqual(result.body_base64, Buffer.from(bytes).toString("base64"))
  })

  it("takes a replacement character that the target itself sent for the text it is", async () => {
    await using at = await setUp(() => ({ status: 200, body: "\ufffd" }))
    const { body_base64, response } = await at.frugal().execute()
    assert.deepStrictEqual([response, body_base64], ["\ufffd", undefined])
  })

  it("that gets a status which is not forwarded resolves as failed, it does not reject", async () => {
    await using at = await setUp(() => ({ status: 404, body: "gone" }))
    assert.deepStrictEqual(await at.frugal().execute(), {
      status: "failed",
      executed_locally: true,
      status_code: 404,
      error: "Request failed: 404"
    })
    assert.deepStrictEqual(at.proxy.calls, [])
  })

  it.each([429, 500, 502, 503, 504])("that gets %d is forwarded and resolves with the job", async (status) => {
    await using at = await setUp(() => ({ status }))
    const result = await at.frugal().execute()
    assert.deepStrictEqual([result.job_id, result.status, result.executed_locally], ["job-1", "queued", undefined])
    assert.strictEqual(at.proxy.jobs.length, 1)
  })

  it("is forwarded on the statuses of fallbackOnError only", async () => {
    await using at = await setUp(byPath({ "/a": { status: 418 }, "/b": { status: 503 } }))
    assert.strictEqual((await at.frugal("/a").fallbackOnError([418]).execute()).job_id, "job-1")
    assert.strictEqual((await at.frugal("/b").fallbackOnError([418]).execute()).status, "failed")
  })

  it("without an answer is forwarded", async () => {
    await using at = await setUp(() => "reset")
    assert.strictEqual((await at.frugal().execute()).job_id, "job-1")
    const refused = new Step(at.client).url(await nowhere()).type(StepType.FRUGAL)
    assert.strictEqual((await refused.execute()).job_id, "job-2")
  })

  it("whose target is silent is forwarded after its timeout", async () => {
    await using test = createTestClient({ script: Script.always(Script.hang) })
    const running = new Step(test.client).url(url).type(StepType.FRUGAL).timeout(20).execute()
    await test.clock.adjust(19)
    assert.deepStrictEqual(await test.service.jobs(), [])
    await test.clock.adjust(1)
    assert.strictEqual((await running).job_id, "job-1")
  })

  it("without an answer rejects with why it could not be forwarded", async () => {
    await using at = await setUp(() => "reset", {
      proxy: () => ({ status: 429, body: { error: "slow down", retry_at: 1_760_000_000_000 } })
    })
    const error = await rejection(at.frugal().execute())
    assert.instanceOf(error, RateLimitError)
    assert.deepStrictEqual([error.message, error.retryAt], ["Rate limited: slow down", 1_760_000_000_000])
  })

  it("runs its retry policy here", async () => {
    await using test = createTestClient({
      script: Script.always(Script.inTurn({ status: 503 }, { status: 200, body: "at last" }))
    })
    const step = new Step(test.client).url(url).type(StepType.FRUGAL)
    const running = step.retryPolicy({ max_retries: 1 }).execute()
    await test.clock.adjust("1 minute")
    const result = await running
    assert.deepStrictEqual([result.status, result.response], ["success", "at last"])
    assert.strictEqual((await test.exchanges()).length, 2)
  })

  it("reads a Retry-After that is a date: the job carries it as retry_at", async () => {
    const date = "Tue, 19 Jan 2038 03:14:07 GMT"
    await using at = await setUp(() => ({ status: 429, headers: { "retry-after": date } }))
    await at.frugal().execute()
    const [job] = at.proxy.jobs
    // a promise that far away is capped at a day
    const hours = (job.retry_at - Date.now()) / 3_600_000
    assert.isTrue(hours > 23 && hours <= 24.1, `${hours} hours`)
  })

  it("stops at once when its signal is aborted, with the signal's reason", async () => {
    const abort = new AbortController()
    const reason = new Error("the user left")
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    await using at = await setUp((_, response) => {
      response.on("close", resolve)
      abort.abort(reason)
      return "hang"
    })
    assert.strictEqual(await rejection(at.frugal().execute(undefined, { signal: abort.signal })), reason)
    await closed
    assert.deepStrictEqual(at.proxy.calls, [])
  })

  it("makes no call at all for a signal that was aborted before", async () => {
    await using at = await setUp(() => ({ status: 200 }))
    const error = await rejection(at.frugal().execute(null, { signal: AbortSignal.abort() }))
    assert.strictEqual(error.name, "AbortError")
    assert.deepStrictEqual(at.target.seen, [])
  })
})

describe("a PERFORMANCE step", () => {
  it("is what a step is by default: handed over, resolved with the service's answer unchanged", async () => {
    const body = { job_id: "j", status: "racing", idempotent_key: "k", extra: { of: ["the", "service"] } }
    await using at = await setUp(() => ({ status: 200 }), { service: () => ({ status: 201, body }) })
    const result = await new Step(at.client).url(at.target.url).regions(["iad", "lax"]).execute()
    assert.deepStrictEqual(result, body)
    assert.deepStrictEqual(at.target.seen, [])
  })

  it("rejects where submitJob rejects", async () => {
    await using at = await setUp(() => ({ status: 200 }), { service: () => ({ status: 400, body: "no such region" }) })
    const error = await rejection(new Step(at.client).url(at.target.url).type(StepType.PERFORMANCE).execute())
    assert.instanceOf(error, EZThrottleError)
    assert.strictEqual(error.message, "EZThrottle job creation failed: no such region")
  })
})

describe("the chain of a FRUGAL step", () => {
  it("runs onSuccess before it resolves", async () => {
    await using at = await setUp(byPath({ "/": { status: 200 }, "/next": { status: 200 } }))
    await at.frugal().onSuccess(at.frugal("/next")).execute()
    assert.deepStrictEqual(
      at.target.seen.map(({ path }) => path),
      ["/", "/next"]
    )
  })

  it("stays a success when onSuccess fails, and nothing goes unhandled", async () => {
    const unhandled: Array<unknown> = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on("unhandledRejection", note)
    await using at = await setUp(() => ({ status: 200, body: "fine" }), {
      service: () => ({ status: 400, body: "no" })
    })
    const result = await at.frugal().onSuccess(new Step().url(at.target.url)).execute()
    await new Promise<void>((resolve) => setImmediate(resolve))
    process.off("unhandledRejection", note)
    assert.deepStrictEqual([result.status, result.response, unhandled], ["success", "fine", []])
    // the child was tried once, and the parent that had succeeded was not forwarded
    assert.strictEqual(at.proxy.jobs.length, 1)
  })

  it("runs onFailure here when nothing else is left", async () => {
    await using at = await setUp(byPath({ "/": { status: 404 }, "/sorry": { status: 200 } }))
    const result = await at.frugal().onFailure(at.frugal("/sorry")).execute()
    assert.deepStrictEqual([result.status, result.status_code], ["failed", 404])
    assert.deepStrictEqual(
      at.target.seen.map(({ path }) => path),
      ["/", "/sorry"]
    )
  })

  it("takes a fallback left at the default type along, and runs the parent's onSuccess when it wins", async () => {
    await using at = await setUp(
      byPath({ "/": { status: 500 }, "/spare": { status: 200, body: "spare" }, "/next": { status: 200 } })
    )
    const result = await at
      .frugal()
      .fallback(new Step().url(`${at.target.url}/spare`))
      .onSuccess(at.frugal("/next"))
      .execute()
    assert.deepStrictEqual([result.status, result.response], ["success", "spare"])
    assert.deepStrictEqual(
      at.target.seen.map(({ path }) => path),
      ["/", "/spare", "/next"]
    )
    assert.deepStrictEqual(at.proxy.calls, [])
  })

  it("makes one job of one failing call, however many fallbacks fail with it", async () => {
    await using at = await setUp(() => ({ status: 503 }))
    const result = await at.frugal("/").fallback(at.frugal("/one")).fallback(at.frugal("/two")).execute()
    assert.strictEqual(result.job_id, "job-1")
    assert.deepStrictEqual(
      at.target.seen.map(({ path }) => path),
      ["/", "/one", "/two"]
    )
    assert.strictEqual(at.proxy.jobs.length, 1)
    assert.strictEqual(at.proxy.jobs[0].url, `${at.target.url}/`)
  })

  it("does not run an onTimeout fallback because of a network error that came sooner", async () => {
    await using at = await setUp((seen) => (seen.path === "/" ? "reset" : { status: 200 }))
    const result = await at.frugal().fallback(at.frugal("/spare"), { triggerOnTimeout: 60_000 }).execute()
    assert.strictEqual(result.job_id, "job-1")
    assert.deepStrictEqual(
      at.target.seen.map(({ path }) => path),
      ["/"]
    )
  })
})
