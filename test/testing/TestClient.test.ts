import { assert, describe, it } from "@effect/vitest"
import { RateLimitError } from "../../src/promise/Errors.ts"
import { IdempotentStrategy, Step, StepType } from "../../src/promise/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import { createTestClient, type TestClient } from "../../src/testing/TestClient.ts"

const url = "https://shop.example/orders"

const frugal = ({ client }: TestClient) =>
  new Step(client).url(url).method("POST").type(StepType.FRUGAL).idempotentKey("order-1")

describe("createTestClient", () => {
  it("lets a test meet each call of the facade and answer it", async () => {
    await using test = createTestClient()
    const result = frugal(test).execute()
    const met = await test.next()
    assert.strictEqual(met.exchange.request.url, url)
    await met.reply({ status: 200, body: "done" })
    assert.deepStrictEqual(await result, {
      status: "success",
      executed_locally: true,
      status_code: 200,
      response: "done"
    })
  })

  it("passes an hour of Retry-After in a moment", async () => {
    await using test = createTestClient()
    const result = frugal(test).localTimeout(7_200_000).retryPolicy({ maxRetries: 1 }).execute()
    await (await test.next()).reply({ status: 429, headers: { "Retry-After": "3600" } })
    await test.clock.adjust("3599 seconds")
    assert.isTrue(await test.idle())
    await test.clock.adjust("1 second")
    assert.strictEqual(await test.clock.now(), 3_600_000)
    await (await test.next()).reply({ status: 200 })
    assert.include(await result, { status: "success", status_code: 200 })
  })

  it("follows a script, retries and pauses included, while the clock is turned once", async () => {
    await using test = createTestClient({
      script: Script.on(url, Script.failTimes(3, { status: 503 }, { status: 200 }))
    })
    const result = frugal(test).retryPolicy({ max_retries: 3 }).execute()
    await test.clock.adjust("1 minute")
    assert.include(await result, { status: "success", status_code: 200 })
    assert.strictEqual((await test.exchanges()).length, 4)
  })

  it("fails and hangs the way a network does", async () => {
    await using test = createTestClient({ regions: ["iad", "lax", "ord"] })
    const result = frugal(test).regions(["iad", "lax", "ord"]).execute()
    const slow = await test.nextIn("ord")
    await (await test.nextIn("iad")).refuse()
    await (await test.nextIn("lax")).reset()
    await slow.hang()
    assert.isFalse(await slow.isInterrupted())
    await test.clock.adjust("30 seconds")
    assert.isTrue(await slow.isInterrupted())
    assert.include(await result, { job_id: "job-1" })
  })

  it("forwards to the fake EZThrottle, whose jobs end when the test says so", async () => {
    await using test = createTestClient({ script: Script.always(Script.refuse) })
    assert.include(await frugal(test).execute(), { job_id: "job-1", status: "queued" })
    const waiting = test.client.queueAndWait({ url, method: "POST" })
    assert.isTrue(await test.idle())
    await test.service.complete("job-2", { status: 201, body: "made" })
    assert.include(await waiting, { job_id: "job-2", status: "success" })
    assert.deepStrictEqual(
      (await test.service.jobs()).map(({ key, status }) => [key === "order-1", status]),
      [
        [true, "queued"],
        [false, "succeeded"]
      ]
    )
  })

  it("makes EZThrottle refuse, limit or disappear", async () => {
    await using test = createTestClient()
    await test.service.rateLimit(5000, 1)
    const limited: unknown = await test.client.submitJob({ url }).catch((error: unknown) => error)
    assert.isTrue(limited instanceof RateLimitError && limited.retryAt === 5000)
    await test.service.disconnect()
    const fallback = test.client.forwardOrFallback(() => "by hand", { url })
    await test.clock.adjust("1 minute")
    assert.strictEqual(await fallback, "by hand")
    await test.service.accept()
    assert.include(await test.client.submitJob({ url }), { job_id: "job-1" })
  })

  it("lets the test take jobs over itself", async () => {
    await using test = createTestClient({ delegations: "met" })
    const result = new Step(test.client).url(url).idempotentStrategy(IdempotentStrategy.UNIQUE).execute()
    const met = await test.nextDelegation()
    assert.match(met.delegation.key ?? "", /^[0-9a-f-]{36}$/)
    await met.reply({ jobId: "mine" })
    assert.include(await result, { job_id: "mine" })
  })

  it("shares nothing with another one", async () => {
    await using one = createTestClient()
    await using other = createTestClient()
    await one.client.submitJob({ url })
    await one.clock.adjust("1 hour")
    assert.strictEqual((await other.service.jobs()).length, 0)
    assert.strictEqual(await other.clock.now(), 0)
  })
})
