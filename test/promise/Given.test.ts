import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { EZThrottle, EZThrottleError, Step } from "../../src/promise.ts"
import type { HeadersOptions, JobOptions, MetadataOptions } from "../../src/promise.ts"
import { FakeService } from "../../src/testing/FakeService.ts"
import { rejection } from "./Loopback.ts"

const url = "https://api.example.com/orders"

type Given = Pick<JobOptions, "headers" | "metadata" | "retryAt" | "url" | "webhooks">

/** The job that both ways of saying the same make of it. */
const jobs = async ({ headers, metadata, retryAt, webhooks, ...given }: Given) => {
  const service = Effect.runSync(FakeService.make())
  await using client = new EZThrottle({ service })
  const step = new Step(client).url(given.url)
  if (headers !== undefined) step.headers(headers)
  if (metadata !== undefined) step.metadata(metadata)
  if (retryAt !== undefined) step.retryAt(retryAt)
  if (webhooks !== undefined) step.webhooks(webhooks)
  await step.execute()
  await client.submitJob({
    url,
    idempotentKey: "another",
    onSuccess: { headers, metadata, retryAt, webhooks, ...given }
  })
  const [built, submitted] = Effect.runSync(service.jobs)
  return [built?.json, submitted?.json.on_success]
}

describe("what the official client prints as JSON is taken as it prints it", () => {
  it.each<[what: string, given: HeadersOptions, headers: object]>([
    ["Headers", new Headers({ "X-A": "1", "X-B": "2" }), { "x-a": "1", "x-b": "2" }],
    ["a Map", new Map([["X-A", "1"]]), { "X-A": "1" }],
    ["a list of entries", [["X-A", "1"]], { "X-A": "1" }],
    ["undefined values", { A: undefined, B: "2" }, { B: "2" }],
    ["values that are no text", { A: 1, B: true }, { A: "1", B: "true" }]
  ])("headers: %s", async (_what, headers, expected) => {
    for (const job of await jobs({ url, headers })) assert.deepStrictEqual(job?.headers, expected)
  })

  it.each<[what: string, given: MetadataOptions, metadata: object]>([
    ["undefined values", { a: undefined, b: { c: undefined, d: null } }, { b: { d: null } }],
    ["dates", { at: new Date(0), all: [new Date(1)] }, { at: new Date(0).toJSON(), all: [new Date(1).toJSON()] }]
  ])("metadata: %s", async (_what, metadata, expected) => {
    for (const job of await jobs({ url, metadata })) assert.deepStrictEqual(job?.metadata, expected)
  })

  it("URL objects, of the call and of its webhooks", async () => {
    for (const job of await jobs({ url: new URL(url), webhooks: [{ url: new URL(`${url}/hook`) }] })) {
      assert.deepStrictEqual([job?.url, job?.webhooks?.[0]?.url], [url, `${url}/hook`])
    }
  })

  it("a fraction of a millisecond, rounded up so that nothing starts too soon", async () => {
    for (const job of await jobs({ url, retryAt: 1_760_000_000_000.2 })) {
      assert.strictEqual(job?.retry_at, 1_760_000_000_001)
    }
  })
})

describe("what JSON cannot say is refused by name", () => {
  const itself: { self?: unknown } = {}
  itself.self = itself

  it.each<[field: string, given: object]>([
    ["metadata", { metadata: itself }],
    ["metadata", { metadata: { a: 1n } }],
    ["metadata", { metadata: new Map([["a", 1]]) }],
    ["headers", { headers: "A: 1" }],
    ["headers", { headers: ["A: 1"] }],
    ["headers.A", { headers: { A: { b: 1 } } }],
    ["headers.A", { headers: new Map([["A", "a\nb"]]) }]
  ])("%s", async (field, given) => {
    const error = await rejection(jobs({ url, ...given }))
    assert.instanceOf(error, EZThrottleError)
    assert.isTrue(error.message.startsWith(`${field}:`), error.message)
    const service = Effect.runSync(FakeService.make())
    await using client = new EZThrottle({ service })
    const submitted = await rejection(client.submitJob({ url, ...given }))
    assert.instanceOf(submitted, EZThrottleError)
    assert.isTrue(submitted.message.startsWith(`${field}:`), submitted.message)
  })
})
