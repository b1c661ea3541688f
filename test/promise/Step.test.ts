import { assert, describe, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Effect from "effect/Effect"
import { EZThrottle, EZThrottleError, IdempotentStrategy, Step, StepType } from "../../src/promise.ts"
import { FakeService } from "../../src/testing/FakeService.ts"
import { rejection } from "./Loopback.ts"

const url = "https://api.example.com/orders"

/** A client over a service in memory, and the jobs it was given. */
const started = () => {
  const service = Effect.runSync(FakeService.make())
  const jobs = () => Effect.runSync(service.jobs).map(({ json }) => json)
  return { client: new EZThrottle({ service }), jobs }
}

const jobOf = async (build: (step: Step) => Step) => {
  const { client, jobs } = started()
  await build(new Step(client).url(url)).execute()
  return jobs()[0]
}

describe("a Step", () => {
  it("is made with new and without", () => {
    const { client } = started()
    assert.instanceOf(new Step(client), Step)
    assert.instanceOf(Step(client), Step)
    assert.instanceOf(Step(), Step)
    assert.instanceOf(Step().url(url).type(StepType.FRUGAL), Step)
  })

  it("takes from the answer before it, here and in what it hands over", async () => {
    const service = Effect.runSync(FakeService.make({ extensions: "send" }))
    const client = new EZThrottle({ service })
    const next = new Step().url(`${url}/{id}`).fill({ path: { id: Step.from("/response/body/id") }, body: Step.answer })
    await new Step(client).url(url).onSuccess(next).execute()
    const [job] = Effect.runSync(service.jobs)
    assert.deepStrictEqual(job?.json.on_success?.fills, [
      { into: "/body", from: "/response/body" },
      { into: "/path/id", from: "/response/body/id" }
    ])
    const options = {
      url: `${url}/other`,
      onSuccess: { url: `${url}/{id}`, fills: [{ into: "/path/id", from: "/response/body/id" }] }
    }
    await client.submitJob(options)
    assert.deepStrictEqual(Effect.runSync(service.jobs)[1]?.json.on_success?.fills, options.onSuccess.fills)
  })

  it("can be extended", async () => {
    class Order extends Step {
      to(id: string): this {
        return this.url(`${url}/${id}`)
      }
    }
    const { client, jobs } = started()
    const order = new Order(client).to("7").method("POST")
    assert.instanceOf(order, Order)
    await order.execute()
    assert.strictEqual(jobs()[0]?.url, `${url}/7`)
  })

  it("shows what it says in consoles, and none of its secrets", () => {
    const step = Step()
      .url(`${url}?token=secret`)
      .headers({ Authorization: "secret" })
      .body("secret")
      .onSuccess(Step().url(`${url}/next`))
    assert.strictEqual(step.constructor.name, "Step")
    for (const shown of [String(step), inspect(step)]) {
      assert.include(shown, `PERFORMANCE GET ${url}`)
      assert.include(shown, `on success: PERFORMANCE GET ${url}/next`)
      assert.notInclude(shown, "secret")
    }
    assert.include(inspect(Step().method("POST")), "URL is required")
  })

  it("is changed by its methods, so that what they return need not be assigned", async () => {
    const { client, jobs } = started()
    const step = new Step(client)
    step.url(url)
    step.method("POST")
    assert.strictEqual(step.headers({ "X-A": "1" }), step)
    await step.execute()
    assert.deepStrictEqual(jobs()[0], { url, method: "POST", headers: { "X-A": "1" } })
  })

  it("runs as it was when execute was called, whatever is changed during the run", async () => {
    const { client, jobs } = started()
    const step = new Step(client).url(url)
    const running = step.execute()
    step.url("https://elsewhere.example.com")
    await running
    assert.strictEqual(jobs()[0]?.url, url)
  })

  it("executes over the client of execute before its own", async () => {
    const [own, given] = [started(), started()]
    await new Step(own.client).url(url).execute(given.client)
    assert.deepStrictEqual([own.jobs().length, given.jobs().length], [0, 1])
  })

  it("rejects without a url or a client, in the official words", async () => {
    const { client } = started()
    const noUrl = await rejection(new Step(client).method("POST").execute())
    assert.deepStrictEqual([noUrl.message, noUrl.constructor], ["URL is required", Error])
    const noClient = await rejection(new Step().url(url).execute())
    assert.strictEqual(noClient.message, "Client is required. Pass client to execute() or Step(client)")
    const nested = await rejection(new Step(client).url(url).onSuccess(new Step()).execute())
    assert.strictEqual(nested.message, "URL is required")
  })
})

describe("what a Step says reaches the job", () => {
  it.each<[name: string, build: (step: Step) => Step, job: object]>([
    ["nothing", (step) => step, {}],
    ["method", (step) => step.method("put"), { method: "PUT" }],
    ["headers", (step) => step.headers({ A: "1" }).headers({ B: "2" }), { headers: { B: "2" } }],
    ["body", (step) => step.body("text"), { body: "text" }],
    ["bytes that are text", (step) => step.body(new TextEncoder().encode("é")), { body: "é" }],
    ["metadata", (step) => step.metadata({ a: null, b: [1] }), { metadata: { a: null, b: [1] } }],
    ["webhooks", (step) => step.webhooks([{ url: `${url}/hook` }]), { webhooks: [{ url: `${url}/hook` }] }],
    [
      "has_quorum_vote in either spelling",
      (step) =>
        step.webhooks([
          { url, has_quorum_vote: false, regions: ["iad"] },
          { url, hasQuorumVote: false },
          { url, hasQuorumVote: true }
        ]),
      { webhooks: [{ url, has_quorum_vote: false, regions: ["iad"] }, { url, has_quorum_vote: false }, { url }] }
    ],
    [
      "webhookQuorum",
      (step) => step.webhookQuorum(2).webhooks([{ url }, { url }]),
      { webhook_quorum: 2, webhooks: [{ url }, { url }] }
    ],
    [
      "regions, their policy and mode",
      (step) => step.regionPolicy("strict").executionMode("fanout").regions(["iad", "lax"]),
      { region_policy: "strict", execution_mode: "fanout", regions: ["iad", "lax"] }
    ],
    [
      "a retry policy in snake_case",
      (step) => step.retryPolicy({ max_retries: 1, max_reroutes: 0, retry_codes: [429], reroute_codes: [500] }),
      { retry_policy: { max_retries: 1, max_reroutes: 0, retry_codes: [429], reroute_codes: [500] } }
    ],
    [
      "a retry policy in camelCase",
      (step) => step.retryPolicy({ maxRetries: 1, maxReroutes: 0, retryCodes: [429], rerouteCodes: [500] }),
      { retry_policy: { max_retries: 1, max_reroutes: 0, retry_codes: [429], reroute_codes: [500] } }
    ],
    ["retryAt", (step) => step.retryAt(1_760_000_000_000), { retry_at: 1_760_000_000_000 }],
    ["idempotentKey", (step) => step.idempotentKey("order-7"), { idempotent_key: "order-7" }],
    ["HASH, whose key the service makes", (step) => step.idempotentStrategy(IdempotentStrategy.HASH), {}],
    ["onFailureTimeout", (step) => step.onFailureTimeout(5000), { on_failure_timeout_ms: 5000 }],
    ["what never travels", (step) => step.timeout(10).localTimeout(20).fallbackOnError([503]), {}]
  ])("%s", async (_name, build, job) => {
    assert.deepStrictEqual(await jobOf(build), { url, method: "GET", ...job })
  })

  it("UNIQUE, a fresh key for each execution", async () => {
    const { client, jobs } = started()
    const step = new Step(client).url(url).idempotentStrategy(IdempotentStrategy.UNIQUE)
    await step.execute()
    await step.execute()
    const [first, second] = jobs().map(({ idempotent_key }) => idempotent_key)
    assert.match(String(first), /^[0-9a-f-]{36}$/)
    assert.notStrictEqual(first, second)
  })

  it("its whole chain in snake_case at every depth", async () => {
    const child = () => new Step().url(`${url}/child`).idempotentKey("child").webhookQuorum(1).onFailureTimeout(9)
    const job = await jobOf((step) =>
      step
        .fallback(new Step().url(`${url}/one`).retryPolicy({ maxRetries: 1 }), { triggerOnError: [500, 502] })
        .fallback(new Step().url(`${url}/two`), { triggerOnTimeout: 500 })
        .onSuccess(child().onSuccess(child().onFailure(child(), 7)))
        .onFailure(child(), 1000)
    )
    const plain = { url: `${url}/child`, method: "GET", idempotent_key: "child", on_failure_timeout_ms: 9 }
    assert.deepStrictEqual(job, {
      url,
      method: "GET",
      fallback_job: {
        url: `${url}/one`,
        method: "GET",
        retry_policy: { max_retries: 1 },
        trigger: { type: "on_error", codes: [500, 502] },
        fallback_job: { url: `${url}/two`, method: "GET", trigger: { type: "on_timeout", timeout_ms: 500 } }
      },
      on_success: { ...plain, on_success: { ...plain, on_failure: plain, on_failure_timeout_ms: 7 } },
      on_failure: plain,
      on_failure_timeout_ms: 1000
    })
  })

  it("attached steps as they are when the step is executed", async () => {
    const child = new Step()
    const job = await jobOf((step) => {
      step.onSuccess(child)
      child.url(`${url}/late`)
      return step
    })
    assert.strictEqual(job?.on_success?.url, `${url}/late`)
  })
})

describe("what a Step cannot say is refused by name, at once", () => {
  it.each<[field: string, build: (step: Step) => unknown]>([
    ["url", (step) => step.url("no url")],
    ["method", (step) => step.method("")],
    ["headers.A", (step) => step.headers({ A: "a\nb" })],
    ["body", (step) => step.body({} as string)],
    ["type", (step) => step.type("FRUGAL" as StepType)],
    ["type", (step) => step.type("toString" as StepType)],
    ["idempotentStrategy", (step) => step.idempotentStrategy("hashed" as IdempotentStrategy)],
    ["idempotentKey", (step) => step.idempotentKey("")],
    ["retryPolicy.max_retries", (step) => step.retryPolicy({ max_retries: -1 })],
    ["retryPolicy.maxRetries", (step) => step.retryPolicy({ maxRetries: -1 })],
    ["retryPolicy.max_retrys", (step) => step.retryPolicy({ max_retrys: 1 } as {})],
    ["retryPolicy", (step) => step.retryPolicy(3 as unknown as {})],
    ["webhooks", (step) => step.webhooks("hook" as unknown as [])],
    ["webhooks[0].has_quorum_vote", (step) => step.webhooks([{ url, has_quorum_vote: 1 as unknown as boolean }])],
    ["webhooks[0].quorum", (step) => step.webhooks([{ url, quorum: true } as { url: string }])],
    ["webhooks[0].url", (step) => step.webhooks([{ url: "no url" }])],
    ["webhooks[0]", (step) => step.webhooks([null as unknown as { url: string }])],
    ["webhookQuorum", (step) => step.webhookQuorum(0)],
    ["regionPolicy", (step) => step.regionPolicy("strictly" as "strict")],
    ["executionMode", (step) => step.executionMode("all" as "race")],
    ["regions", (step) => step.regions([""])],
    ["retryAt", (step) => step.retryAt(Number.NaN)],
    ["fallbackOnError", (step) => step.fallbackOnError([99])],
    ["fill.query.id", (step) => step.fill({ query: { id: "/response/body" as never } })],
    ["limit.cost", (step) => step.limit("tokens", { cost: -1 })],
    ["timeout", (step) => step.timeout(0)],
    ["localTimeout", (step) => step.localTimeout(0)],
    ["onFailureTimeout", (step) => step.onFailure(new Step(), -1)],
    ["fallback.triggerOnError", (step) => step.fallback(new Step(), { triggerOnError: [1] })],
    ["fallback.triggerOnErr", (step) => step.fallback(new Step(), { triggerOnErr: [500] } as {})],
    ["fallback.onError", (step) => step.fallback(new Step(), { onError: [500] } as {})],
    ["fallback", (step) => step.fallback({ url } as unknown as Step)],
    ["onSuccess", (step) => step.onSuccess(undefined as unknown as Step)]
  ])("%s", (field, build) => {
    try {
      build(new Step().url(url))
    } catch (error) {
      assert.instanceOf(error, EZThrottleError)
      assert.match(error.message, new RegExp(`^${field.replaceAll(/[.[\]]/g, "\\$&")}[:[]`))
      return
    }
    assert.fail("it was taken")
  })

  it("and leaves the step as it was", async () => {
    const job = await jobOf((step) => {
      assert.throws(() => step.url("no url"), EZThrottleError)
      assert.throws(() => step.fallback(new Step().url(url), { triggerOnError: [1] }), EZThrottleError)
      return step
    })
    assert.deepStrictEqual(job, { url, method: "GET" })
  })

  it("rules between fields once it is executed", async () => {
    const { client, jobs } = started()
    const error = await rejection(new Step(client).url(url).regionPolicy("strict").execute())
    assert.instanceOf(error, EZThrottleError)
    assert.match(error.message, /regionPolicy/)
    assert.deepStrictEqual(jobs(), [])
  })

  it("a step inside itself", async () => {
    const { client } = started()
    const step = new Step(client).url(url)
    const error = await rejection(step.onSuccess(new Step().url(url).onFailure(step)).execute())
    assert.instanceOf(error, EZThrottleError)
    assert.strictEqual(error.message, "A step cannot be a part of itself")
  })
})
