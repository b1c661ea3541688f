import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { Unsendable } from "../../src/step/Failure.ts"
import * as Step from "../../src/step/Step.ts"
import * as Job from "../../src/wire/Job.ts"

const encode = (step: Step.Step, rest: Partial<Job.Submission> = {}, options?: Job.EncodeOptions) =>
  Job.encode({ step, key: undefined, retryAt: undefined, ...rest }, options)

const json = (step: Step.Step, rest?: Partial<Job.Submission>, options?: Job.EncodeOptions) =>
  Result.getOrThrow(encode(step, rest, options))

const refusal = (result: Result.Result<unknown, Unsendable>): string => {
  assert.isTrue(Result.isFailure(result))
  assert.instanceOf(Result.getOrThrow(Result.flip(result)), Unsendable)
  return Result.getOrThrow(Result.flip(result)).problem
}

const invalid = (job: unknown): Job.InvalidJob => Result.getOrThrow(Result.flip(Job.decode(job)))

const url = "https://api.example/orders"

describe("Job.encode", () => {
  it("says no more than the call itself when everything else is a default", () => {
    assert.deepStrictEqual(json(Step.get(url)), { url, method: "GET" })
  })

  it("leaves out what never travels", () => {
    const step = Step.get(url).pipe(
      Step.frugal(),
      Step.description("fetches the order"),
      Step.responseDescription("the order"),
      Step.fallbackOnError([500]),
      Step.localTimeout("5 seconds"),
      Step.sendIdempotencyKey(),
      Step.retryPolicy({ base: 10, cap: "1 second" })
    )
    assert.deepStrictEqual(json(step), { url, method: "GET", retry_policy: {} })
  })

  it("leaves out values that equal the protocol's defaults", () => {
    const step = Step.get(url, { headers: {} }).pipe(
      Step.metadata({}),
      Step.regions([]),
      Step.regionPolicy("fallback"),
      Step.executionMode("race"),
      Step.webhooks([{ url: "https://hook.example/", hasQuorumVote: true, regions: [] }]),
      Step.webhookQuorum(1)
    )
    assert.deepStrictEqual(json(step), { url, method: "GET", webhooks: [{ url: "https://hook.example/" }] })
  })

  it("keeps an empty body apart from none", () => {
    assert.deepStrictEqual(json(Step.post(url, { body: "" })), { url, method: "POST", body: "" })
    assert.deepStrictEqual(json(Step.post(url)), { url, method: "POST" })
  })

  it("files a job under the key it is told, before the step's own", () => {
    const step = Step.get(url).pipe(Step.idempotentKey("mine"))
    assert.strictEqual(json(step).idempotent_key, "mine")
    assert.strictEqual(json(step, { key: "told" }).idempotent_key, "told")
    assert.strictEqual(json(Step.get(url), { key: "hash" }).idempotent_key, "hash")
  })

  it("starts no sooner than the later of the two moments it is told", () => {
    const step = Step.get(url).pipe(Step.retryAt(2_000))
    assert.strictEqual(json(step).retry_at, 2_000)
    assert.strictEqual(json(step, { retryAt: 1_000 }).retry_at, 2_000)
    assert.strictEqual(json(step, { retryAt: 3_000 }).retry_at, 3_000)
    assert.strictEqual(json(Step.get(url), { retryAt: 3_000 }).retry_at, 3_000)
  })

  it("tells the key and the moment of the whole to the job itself, not to the jobs inside", () => {
    const step = Step.get(url).pipe(Step.fallback(Step.get(url)), Step.onSuccess(Step.get(url)))
    assert.deepStrictEqual(json(step, { key: "k", retryAt: 5 }), {
      url,
      method: "GET",
      fallback_job: { url, method: "GET", trigger: {} },
      on_success: { url, method: "GET" },
      idempotent_key: "k",
      retry_at: 5
    })
  })

  it("nests a line of fallbacks, each with its trigger", () => {
    const step = Step.get("https://a.example/").pipe(
      Step.fallback(Step.get("https://b.example/"), { onError: [500] }),
      Step.fallback(Step.get("https://c.example/"), { onTimeout: "1 second" }),
      Step.fallback(Step.get("https://d.example/"))
    )
    assert.deepStrictEqual(json(step).fallback_job, {
      url: "https://b.example/",
      method: "GET",
      trigger: { type: "on_error", codes: [500] },
      fallback_job: {
        url: "https://c.example/",
        method: "GET",
        trigger: { type: "on_timeout", timeout_ms: 1_000 },
        fallback_job: { url: "https://d.example/", method: "GET", trigger: {} }
      }
    })
  })

  it("sends bytes that are text as that text, a byte order mark included", () => {
    const text = "\ufeffgrüße"
    assert.strictEqual(json(Step.post(url, { body: new TextEncoder().encode(text) })).body, text)
  })

  it("sends a lone surrogate as the replacement that a local call would send", () => {
    assert.strictEqual(json(Step.post(url, { body: "a\ud800b" })).body, "a\ufffdb")
  })

  it("refuses bytes that are no text, and names the step that has them", () => {
    const picture = Step.post(url, { body: Uint8Array.of(0x89, 0x50, 0xff) })
    assert.match(refusal(encode(picture)), /^the step has a body that is not UTF-8 text/)
    const chain = Step.get(url).pipe(Step.onSuccess(Step.get(url).pipe(Step.fallback(picture))))
    assert.match(refusal(encode(chain)), /^the step at on_success\.fallback_job has a body/)
  })

  it("sends such bytes as base64 where the service reads it", () => {
    const body = Uint8Array.of(0x89, 0x50, 0xff)
    const sent = json(Step.post(url, { body }), {}, { binary: "base64" })
    assert.deepStrictEqual(sent, { url, method: "POST", body_base64: "iVD/" })
    assert.deepStrictEqual(Result.getOrThrow(Job.decode(sent)).request.body, body)
  })

  it.each([
    ["retry_unsafe", Step.retryUnsafe(Step.post(url), false), false],
    ["retry_unsafe", Step.retryUnsafe(Step.post(url), true), true],
    ["limits", Step.limit(Step.post(url), "tokens"), [{ name: "tokens" }]],
    ["delay_ms", Step.delay(Step.post(url), "1 second"), 1000],
    ["hedge", Step.hedge(Step.post(url)), { percentile: 95 }],
    [
      "hedge",
      Step.hedge(Step.post(url), { after: 300, max: 2, to: "region" }),
      { after_ms: 300, max: 2, to: "region" }
    ],
    ["start_before", Step.startBefore(Step.post(url), 5), 5],
    ["coalesce", Step.coalesce(Step.post(url)), true],
    ["debounce", Step.debounce(Step.post(url), "k", { wait: 5 }), { key: "k", wait_ms: 5 }],
    ["debounce", Step.debounce(Step.post(url), "k", { wait: 5, atMost: 9 }), { key: "k", wait_ms: 5, at_most_ms: 9 }],
    ["priority", Step.priority(Step.post(url), "high"), "high"],
    ["in_order", Step.inOrder(Step.post(url), "k"), { key: "k" }],
    ["in_order", Step.inOrder(Step.post(url), "k", { onFailure: "stop" }), { key: "k", on_failure: "stop" }],
    ["attempt_timeout_ms", Step.attemptTimeout(Step.post(url), 5), 5],
    ["total_timeout_ms", Step.totalTimeout(Step.post(url), 5), 5],
    ["timeout_header", Step.timeoutHeader(Step.post(url), "X-Left"), "X-Left"],
    [
      "fills",
      Step.fill(Step.post(url), { query: { id: Step.from("/response/body/id") } }),
      [{ into: "/query/id", from: "/response/body/id" }]
    ],
    [
      "limits",
      Step.limit(Step.post(url), "tokens", { key: "acme", cost: 0.5 }),
      [{ name: "tokens", key: "acme", cost: 0.5 }]
    ]
  ] as const)(
    "refuses %s by name, which the protocol does not have, and sends it where a dam reads it",
    (key, step, value) => {
      assert.match(refusal(encode(step)), new RegExp(`^the step says ${key}, and EZThrottle has no such key`))
      const chain = Step.onSuccess(Step.get(url), step)
      assert.match(refusal(encode(chain)), new RegExp(`^the step at on_success says ${key}`))
      const sent = json(step, {}, { extensions: "send" })
      assert.deepStrictEqual(sent, { url, method: "POST", [key]: value })
      assert.deepStrictEqual(Result.getOrThrow(Job.decode(sent)), step)
    }
  )

  it("refuses a UNIQUE step whose key nobody drew, since each encoding would make another job", () => {
    const unique = Step.post(url).pipe(Step.idempotentStrategy("UNIQUE"))
    assert.match(refusal(encode(unique)), /^the step is UNIQUE/)
    assert.match(refusal(encode(Step.get(url).pipe(Step.onFailure(unique)))), /^the step at on_failure is UNIQUE/)
    assert.strictEqual(json(unique, { key: "drawn" }).idempotent_key, "drawn")
  })

  it("refuses a tree too deep to be printed instead of overflowing", () => {
    const tower = (height: number) =>
      Array.from({ length: height }).reduce<Step.Step>(
        (step) => Step.get(url).pipe(Step.onSuccess(step)),
        Step.get(url)
      )
    assert.isTrue(Result.isSuccess(Job.decode(json(tower(127)))))
    assert.match(refusal(encode(tower(128))), /nested deeper than the 128 jobs/)
  })
})

describe("Job.decode", () => {
  const decoded = (job: unknown): Step.Step => Result.getOrThrow(Job.decode(job))

  it("fills in the protocol's defaults", () => {
    assert.deepStrictEqual(decoded({ url }), Step.get(url))
  })

  it("reads a method in any case", () => {
    assert.strictEqual(decoded({ url, method: "post" }).request.method, "POST")
  })

  const camel = {
    url,
    webhooks: [{ url: "https://hook.example/", regions: ["iad"], hasQuorumVote: false }],
    webhookQuorum: 2,
    regionPolicy: "strict",
    executionMode: "fanout",
    retryPolicy: { maxRetries: 1, maxReroutes: 0, retryCodes: [429], rerouteCodes: [] },
    fallbackJob: {
      url,
      idempotentKey: "f",
      trigger: { type: "on_timeout", timeoutMs: 500 },
      fallbackJob: { url, bodyBase64: "iVD/", trigger: { type: "on_error", codes: [503] } }
    },
    onSuccess: { url, onFailure: { url, retryAt: 7 } },
    onFailureTimeoutMs: 9_000,
    idempotentKey: "k",
    retryAt: 5
  }
  const snake = {
    url,
    webhooks: [{ url: "https://hook.example/", regions: ["iad"], has_quorum_vote: false }],
    webhook_quorum: 2,
    region_policy: "strict",
    execution_mode: "fanout",
    retry_policy: { max_retries: 1, max_reroutes: 0, retry_codes: [429], reroute_codes: [] },
    fallback_job: {
      url,
      idempotent_key: "f",
      trigger: { type: "on_timeout", timeout_ms: 500 },
      fallback_job: { url, body_base64: "iVD/", trigger: { type: "on_error", codes: [503] } }
    },
    on_success: { url, on_failure: { url, retry_at: 7 } },
    on_failure_timeout_ms: 9_000,
    idempotent_key: "k",
    retry_at: 5
  }

  it("reads camelCase at every depth as the same step", () => {
    const meant = Step.get(url).pipe(
      Step.webhooks([{ url: "https://hook.example/", regions: ["iad"], hasQuorumVote: false }]),
      Step.webhookQuorum(2),
      Step.regionPolicy("strict"),
      Step.executionMode("fanout"),
      Step.retryPolicy({ maxRetries: 1, maxReroutes: 0, retryCodes: [429], rerouteCodes: [] }),
      Step.fallback(Step.get(url).pipe(Step.idempotentKey("f")), { onTimeout: 500 }),
      Step.fallback(Step.get(url, { body: Uint8Array.of(0x89, 0x50, 0xff) }), { onError: [503] }),
      Step.onSuccess(Step.get(url).pipe(Step.onFailure(Step.get(url).pipe(Step.retryAt(7))))),
      Step.onFailureTimeout(9_000),
      Step.idempotentKey("k"),
      Step.retryAt(5)
    )
    assert.deepStrictEqual(decoded(camel), meant)
    assert.deepStrictEqual(decoded(snake), meant)
  })

  it("takes a missing trigger for any failure", () => {
    const meant = Step.get(url).pipe(Step.fallback(Step.get(url)))
    assert.deepStrictEqual(decoded({ url, fallback_job: { url } }), meant)
    assert.deepStrictEqual(decoded({ url, fallback_job: { url, trigger: {} } }), meant)
  })

  it("leaves the user's own keys alone", () => {
    const metadata = { orderId: 1, order_id: 2, retryPolicy: { maxRetries: [{ retryCodes: null }] } }
    assert.deepStrictEqual(decoded({ url, metadata, headers: { onSuccess: "a" } }).metadata, metadata)
    assert.deepStrictEqual(decoded({ url, headers: { onSuccess: "a" } }).request.headers, { onSuccess: "a" })
  })

  it("keeps the keys that JavaScript treats specially as plain data", () => {
    const text = `{"url":"${url}","metadata":{"__proto__":{"polluted":1},"constructor":"c","prototype":2}}`
    const { metadata } = decoded(JSON.parse(text))
    assert.deepStrictEqual(Object.keys(metadata), ["__proto__", "constructor", "prototype"])
    assert.strictEqual(Object.getPrototypeOf(metadata), Object.prototype)
    assert.isUndefined(Reflect.get({}, "polluted"))
    assert.strictEqual(invalid(JSON.parse(`{"url":"${url}","__proto__":{"method":"POST"}}`)).code, "unknown_field")
  })

  it.each([
    ["idempotent_key", "idempotentKey", { url, idempotent_key: "a", idempotentKey: "a" }],
    ["on_success", "onSuccess", { url, on_success: { url }, onSuccess: { url } }],
    [
      "max_retries",
      "on_success.retry_policy.maxRetries",
      { url, onSuccess: { url, retryPolicy: { max_retries: 1, maxRetries: 1 } } }
    ],
    [
      "has_quorum_vote",
      "webhooks[1].hasQuorumVote",
      { url, webhooks: [{ url }, { url, has_quorum_vote: true, hasQuorumVote: true }] }
    ],
    [
      "timeout_ms",
      "fallback_job.trigger.timeoutMs",
      { url, fallbackJob: { url, trigger: { timeout_ms: 1, timeoutMs: 1 } } }
    ]
  ])("refuses %s in both spellings at once", (_, field, job) => {
    const error = invalid(job)
    assert.strictEqual(error.code, "duplicate_key")
    assert.strictEqual(error.field, field)
  })

  it.each([
    ["retries_policy", "retry_policy", { url, retries_policy: {} }],
    ["retryPolcy", "retry_policy", { url, retryPolcy: {} }],
    ["idempotency_key", "idempotent_key", { url, idempotency_key: "k" }],
    ["on_succes", "on_success", { url, on_succes: { url } }],
    ["fallback_job.triger", "trigger", { url, fallback_job: { url, triger: {} } }],
    ["on_failure.retry_policy.maxRetry", "max_retries", { url, on_failure: { url, retryPolicy: { maxRetry: 3 } } }],
    ["webhooks[0].hasQuorumVotes", "has_quorum_vote", { url, webhooks: [{ url, hasQuorumVotes: true }] }],
    ["fallback_job.trigger.code", "codes", { url, fallback_job: { url, trigger: { code: [500] } } }]
  ])("refuses %s and names %s", (field, nearest, job) => {
    const error = invalid(job)
    assert.deepStrictEqual([error.code, error.field, error.nearest], ["unknown_field", field, nearest])
    assert.include(error.message, nearest)
  })

  it.each([
    ["xyz", { url, xyz: 1 }],
    ["on_success.priority_class", { url, on_success: { url, priority_class: 1 } }],
    ["fallback_job.trigger.ms", { url, fallback_job: { url, trigger: { ms: 1 } } }]
  ])("refuses %s, which is like no known one, without a hint", (field, job) => {
    const error = invalid(job)
    assert.deepStrictEqual([error.code, error.field, error.nearest], ["unknown_field", field, undefined])
    assert.notInclude(error.message, "nearest")
  })

  it("knows a trigger only where it means something", () => {
    assert.strictEqual(invalid({ url, trigger: {} }).code, "unknown_field")
    assert.strictEqual(invalid({ url, on_success: { url, trigger: {} } }).field, "on_success.trigger")
  })

  it("cuts an endless key short, in the message and in the search", () => {
    const error = invalid({ url, ["x".repeat(1_000_000)]: 1 })
    assert.strictEqual(error.code, "unknown_field")
    assert.isBelow(error.message.length, 200)
  })

  it.each([
    ["job", null],
    ["job", []],
    ["job", "text"],
    ["job", 1],
    ["job", true],
    ["job", undefined],
    ["url", {}],
    ["url", { url: 5 }],
    ["url", { url: "ftp://api.example/" }],
    ["method", { url, method: 5 }],
    ["method", { url, method: "GET /" }],
    ["headers", { url, headers: "a: b" }],
    ["headers", { url, headers: null }],
    ["headers.a", { url, headers: { a: 1 } }],
    ["headers.a", { url, headers: { a: null } }],
    ["body", { url, body: { a: 1 } }],
    ["retry_unsafe", { url, retry_unsafe: "no" }],
    ["fills[0].into", { url, fills: [{ into: "/host", from: "/response/body" }] }],
    ["fills[0].into", { url, fills: [{ into: "/headers/Host", from: "/response/body" }] }],
    ["fills[0].from", { url, fills: [{ into: "/body", from: "/request/body" }] }],
    ["fills[0].from", { url, fills: [{ into: "/body" }] }],
    [
      "fills[1]",
      {
        url,
        fills: [
          { into: "/body", from: "/response/body" },
          { into: "/body", from: "/response/status" }
        ]
      }
    ],
    ["limits", { url, limits: { name: "tokens" } }],
    ["limits[0].name", { url, limits: [{ key: "acme" }] }],
    ["limits[1].name", { url, limits: [{ name: "tokens" }, { name: "all tokens" }] }],
    ["limits[0].cost", { url, limits: [{ name: "tokens", cost: -1 }] }],
    ["limits[0].key", { url, limits: [{ name: "tokens", key: 7 }] }],
    ["limits[1]", { url, limits: [{ name: "tokens" }, { name: "tokens", key: "", cost: 2 }] }],
    ["body_base64", { url, body_base64: "@@@" }],
    ["body_base64", { url, bodyBase64: "abc" }],
    ["job", { url, body: "a", body_base64: "YQ==" }],
    ["metadata", { url, metadata: [] }],
    ["webhooks", { url, webhooks: {} }],
    ["webhooks[1].url", { url, webhooks: [{ url }, {}] }],
    ["webhooks[0]", { url, webhooks: ["https://hook.example/"] }],
    ["webhooks[0].has_quorum_vote", { url, webhooks: [{ url, hasQuorumVote: "yes" }] }],
    ["webhook_quorum", { url, webhookQuorum: 0 }],
    ["regions[1]", { url, regions: ["iad", ""] }],
    ["region_policy", { url, regionPolicy: "loose" }],
    ["execution_mode", { url, executionMode: "all" }],
    ["retry_policy.max_retries", { url, retry_policy: { max_retries: -1 } }],
    ["on_success.retry_policy.max_retries", { url, onSuccess: { url, retryPolicy: { maxRetries: "3" } } }],
    ["fallback_job.retry_policy.retry_codes[0]", { url, fallback_job: { url, retry_policy: { retryCodes: [99] } } }],
    ["fallback_job.trigger", { url, fallback_job: { url, trigger: { codes: [500] } } }],
    ["fallback_job.trigger", { url, fallback_job: { url, trigger: { type: "on_error" } } }],
    ["fallback_job.trigger", { url, fallback_job: { url, trigger: { type: "on_timeout", codes: [500] } } }],
    ["fallback_job.trigger.type", { url, fallback_job: { url, trigger: { type: "on_any" } } }],
    ["on_success", { url, on_success: "https://api.example/" }],
    ["on_failure_timeout_ms", { url, onFailureTimeoutMs: 0 }],
    ["idempotent_key", { url, idempotentKey: "" }],
    ["idempotent_key", { url, idempotent_key: "k".repeat(256) }],
    ["retry_at", { url, retryAt: -1 }],
    ["retry_at", { url, retry_at: Number.NaN }]
  ])("refuses a bad %s by its path", (field, job) => {
    const error = invalid(job)
    assert.strictEqual(error.code, "invalid_field")
    assert.strictEqual(error.field, field)
  })

  it.each([
    ["duplicate_header", "headers.x-ID", { url, headers: { "X-Id": "1", "x-ID": "2" } }],
    ["invalid_header", "headers.a", { url, headers: { a: "1\r\nb: 2" } }],
    ["invalid_header", "headers.a", { url, headers: { a: "\u0000" } }],
    ["invalid_header", "on_success.headers.a", { url, onSuccess: { url, headers: { a: "\u20ac" } } }],
    ["invalid_header", "headers.a b", { url, headers: { "a b": "1" } }],
    [
      "duplicate_header",
      "fallback_job.on_failure.headers.A",
      { url, fallback_job: { url, onFailure: { url, headers: { a: "1", A: "2" } } } }
    ]
  ])("calls it %s at %s", (code, field, job) => {
    const error = invalid(job)
    assert.deepStrictEqual([error.code, error.field], [code, field])
  })

  it("never repeats a value, which may be a secret", () => {
    const secret = "sk_live_0123456789\n"
    for (const job of [
      { url: secret },
      { url, headers: { Authorization: secret } },
      { url, idempotent_key: secret },
      { url, regions: [secret] },
      { url, execution_mode: secret },
      { url, fallback_job: { url, trigger: { type: secret } } }
    ]) {
      assert.notInclude(JSON.stringify(invalid(job)) + invalid(job).message, "sk_live")
    }
  })

  it("refuses a million levels instead of overflowing", () => {
    let deep: unknown = 1
    for (let level = 0; level < 1_000_000; level++) deep = { a: deep }
    assert.strictEqual(invalid({ url, metadata: deep }).code, "too_deep")
    assert.strictEqual(invalid(deep).code, "too_deep")
  })
})
