import { assert, describe, it } from "@effect/vitest"
import { createFetch, type FetchOptions } from "../../src/fetch.ts"
import { listen, listenAsEzthrottle, nowhere, rejection } from "../promise/Loopback.ts"

const headers = { "retry-after": "3600" }

describe("createFetch", () => {
  it("is a fetch: it streams bodies both ways, and what else it takes reaches the platform", async () => {
    await using server = await listen((seen) => ({ status: 200, body: { echo: seen.body, method: seen.method } }))
    const fetch = createFetch()
    const body = new Blob(["streamed"]).stream()
    const answer = await fetch(server.url, { method: "PUT", body, duplex: "half" } as RequestInit)
    assert.deepStrictEqual(await answer.json(), { echo: "streamed", method: "PUT" })
    assert.strictEqual(answer.url, `${server.url}/`)
    const asRequest = await fetch(new Request(`${server.url}/there`, { method: "POST", body: "text" }))
    assert.deepStrictEqual(await asRequest.json(), { echo: "text", method: "POST" })
  })

  it("rejects as fetch does where nobody listens, and with what its signal says, in the lane too", async () => {
    const fetch = createFetch({ retry: false, pace: { rps: 1000, maxConcurrent: 1 } })
    const refused = await rejection(fetch(await nowhere()))
    assert.isTrue(refused instanceof TypeError && refused.cause instanceof Error)
    await using server = await listen(() => "hang")
    const [gone, left, late] = [new AbortController(), new AbortController(), new AbortController()]
    gone.abort("gone before")
    const open = fetch(server.url, { signal: left.signal }).catch((error: unknown) => error)
    const waiting = fetch(new Request(server.url, { signal: late.signal })).catch((error: unknown) => error)
    assert.strictEqual(await fetch(server.url, { signal: gone.signal }).catch((error: unknown) => error), "gone before")
    late.abort("waited enough")
    assert.strictEqual(await waiting, "waited enough")
    left.abort()
    assert.strictEqual(((await open) as Error).name, "AbortError")
    await using next = await listen(() => ({ status: 200 }))
    assert.strictEqual((await fetch(next.url)).status, 200)
    assert.isAtMost(server.seen.length, 1)
  })

  it("hands a call over to a dam when its retries are used up, and answers the receipt", async () => {
    await using dam = await listenAsEzthrottle()
    await using server = await listen(() => ({ status: 429, headers, body: "later" }))
    const fetch = createFetch({ forward: { dam: dam.url, webhook: "https://me.example/hook" } })
    const init = {
      method: "POST",
      headers: { "Idempotency-Key": "order-1", "content-type": "text/plain" },
      body: "tea"
    }
    const answer = await fetch(`${server.url}/orders`, init)
    assert.strictEqual(answer.status, 202)
    const receipt = await answer.json()
    assert.strictEqual(receipt.job_id, "job-1")
    const [job] = dam.jobs
    assert.deepInclude(job, { url: `${server.url}/orders`, method: "POST", body: "tea", idempotent_key: "order-1" })
    assert.strictEqual(job.headers["content-type"], "text/plain")
    assert.deepStrictEqual(job.webhooks, [{ url: "https://me.example/hook" }])
    assert.isAbove(job.retry_at, 0)
    // its lane is held, and so is the next one's
    assert.strictEqual((await fetch(`${server.url}/orders`)).status, 202)
    assert.strictEqual(server.seen.length, 1)
  })

  it("hands over what had no answer, and nothing that may have been carried out", async () => {
    await using dam = await listenAsEzthrottle()
    const forward = { dam: dam.url }
    const fetch = createFetch({ forward, retry: false })
    assert.strictEqual((await fetch(await nowhere())).status, 202)
    await using server = await listen(() => ({ status: 500, body: "broken" }))
    const post = await fetch(server.url, { method: "POST", body: "{}" })
    assert.deepStrictEqual([post.status, await post.text()], [500, "broken"])
    assert.strictEqual((await fetch(server.url)).status, 202)
    assert.strictEqual(dam.jobs.length, 2)
  })

  it("answers what became of a call where nobody takes it over", async () => {
    await using server = await listen(() => ({ status: 429, headers, body: "later" }))
    const answer = await createFetch({ forward: { dam: await nowhere() } })(server.url)
    assert.deepStrictEqual([answer.status, await answer.text()], [429, "later"])
  })

  it("refuses options that make no sense, each with its path", () => {
    const refuses = (options: unknown, message: RegExp) =>
      assert.throws(() => createFetch(options as FetchOptions), message)
    refuses({ pase: {} }, /^pase: is not known here; did you mean pace\?/)
    refuses({ pace: { rps: 0 } }, /^pace\.rps: Expected a number above 0$/)
    refuses({ pace: { maxConcurrent: 1.5 } }, /^pace\.maxConcurrent: Expected a whole number of at least 1$/)
    refuses({ pace: { told: "soon" } }, /^pace\.told: Expected "spread" \| "burst"$/)
    refuses({ hosts: { "api.example.com": { find: 1 } } }, /^hosts\["api\.example\.com"\]\.find: Expected boolean$/)
    refuses({ presets: { off: [1] } }, /^presets\.off\[0\]: Expected string$/)
    refuses({ laneOf: "host" }, /^laneOf: Expected function$/)
    refuses({ limits: { tokens: {} } }, /^limits\.tokens: Expected "rate" or "concurrency", or both$/)
    refuses({ limits: { tokens: { rate: 1, per: "never" } } }, /^limits\.tokens\.per: Expected a positive duration/)
    refuses({ limits: { tokens: { rate: 1, settle: {} } } }, /^limits\.tokens\.settle: Expected "header" or "json"/)
    refuses({ draws: { "a.example": [{ name: "" }] } }, /^draws\["a\.example"\]\[0\]\.name: Expected a text$/)
    refuses({ draws: { "a.example": [{ name: "x", cost: -1 }] } }, /\.cost: Expected a number of at least 0$/)
    refuses({ draws: { "a.example": [{ name: "x" }] } }, /^draws\["a\.example"\]\[0\]\.name: Expected one of `limits`$/)
    refuses({ retry: { maxRetries: -1 } }, /^retry\.maxRetries: Expected a whole number of at least 0$/)
    refuses({ retry: true }, /^retry: Expected object$/)
    refuses({ forward: {} }, /^forward: Expected "dam", or "apiKey" for EZThrottle Cloud$/)
    refuses({ forward: { dam: "localhost:1" } }, /^forward\.dam: Expected the http/)
    refuses({ fetch: {} }, /^fetch: Expected function$/)
    refuses(null, /^the options: Expected object$/)
    assert.doesNotThrow(() =>
      createFetch({
        pace: { rps: 0.5, maxConcurrent: 1, find: true, told: "burst" },
        limits: { tokens: { rate: 90_000, per: "1 minute", settle: { json: "usage.total_tokens" } } },
        draws: () => [],
        presets: { off: ["slack"], own: [] },
        retry: { patience: "5 minutes" }
      })
    )
  })
})
