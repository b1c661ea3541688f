import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Equal from "effect/Equal"
import { InvalidStep } from "../../src/step/InvalidStep.ts"
import * as Step from "../../src/step/Step.ts"

const base = Step.post("https://api.example/orders")
const backup = Step.get("https://backup.example/")

type Change = (self: Step.Step) => Step.Step

/** Every verb once: both forms of the same call, and what the step then says. */
const verbs: ReadonlyArray<
  readonly [name: string, direct: Step.Step, piped: Change, part: (step: Step.Step) => unknown, says: unknown]
> = [
  ["method", Step.method(base, "put"), Step.method("put"), (s) => s.request.method, "PUT"],
  [
    "url",
    Step.url(base, new URL("http://b.example/x")),
    Step.url(new URL("http://b.example/x")),
    (s) => s.request.url,
    "http://b.example/x"
  ],
  ["headers", Step.headers(base, { A: "1" }), Step.headers({ A: "1" }), (s) => s.request.headers, { A: "1" }],
  ["header", Step.header(base, "A", "1"), Step.header("A", "1"), (s) => s.request.headers, { A: "1" }],
  ["body", Step.body(base, "text"), Step.body("text"), (s) => s.request.body, "text"],
  [
    "bodyJson",
    Step.bodyJson(base, { a: [1] }),
    Step.bodyJson({ a: [1] }),
    (s) => [s.request.body, s.request.headers],
    ['{"a":[1]}', { "Content-Type": "application/json" }]
  ],
  [
    "metadata",
    Step.metadata(base, { a: { b: null } }),
    Step.metadata({ a: { b: null } }),
    (s) => s.metadata,
    { a: { b: null } }
  ],
  [
    "description",
    Step.description(base, "places an order"),
    Step.description("places an order"),
    (s) => s.description,
    "places an order"
  ],
  [
    "responseDescription",
    Step.responseDescription(base, "the order"),
    Step.responseDescription("the order"),
    (s) => s.responseDescription,
    "the order"
  ],
  ["frugal", Step.frugal(base), Step.frugal(), (s) => s.type, "FRUGAL"],
  ["performance", Step.performance(base), Step.performance(), (s) => s.type, "PERFORMANCE"],
  ["fallbackOnError", Step.fallbackOnError(base, [500]), Step.fallbackOnError([500]), (s) => s.fallbackOnError, [500]],
  [
    "localTimeout",
    Step.localTimeout(base, "2 seconds"),
    Step.localTimeout("2 seconds"),
    (s) => s.localTimeout,
    Duration.seconds(2)
  ],
  [
    "retryPolicy",
    Step.retryPolicy(base, { maxRetries: 1, base: 5 }),
    Step.retryPolicy({ maxRetries: 1, base: 5 }),
    (s) => s.retryPolicy,
    {
      maxRetries: 1,
      maxReroutes: undefined,
      retryCodes: undefined,
      rerouteCodes: undefined,
      base: Duration.millis(5),
      cap: undefined
    }
  ],
  ["regions", Step.regions(base, ["iad"]), Step.regions(["iad"]), (s) => s.regions, ["iad"]],
  ["regionPolicy", Step.regionPolicy(base, "strict"), Step.regionPolicy("strict"), (s) => s.regionPolicy, "strict"],
  ["executionMode", Step.executionMode(base, "fanout"), Step.executionMode("fanout"), (s) => s.executionMode, "fanout"],
  [
    "webhooks",
    Step.webhooks(base, [{ url: new URL("https://h.example/"), hasQuorumVote: false }]),
    Step.webhooks([{ url: new URL("https://h.example/"), hasQuorumVote: false }]),
    (s) => s.webhooks,
    [{ url: "https://h.example/", regions: [], hasQuorumVote: false }]
  ],
  ["webhookQuorum", Step.webhookQuorum(base, 2), Step.webhookQuorum(2), (s) => s.webhookQuorum, 2],
  [
    "idempotentKey",
    Step.idempotentKey(base, "k"),
    Step.idempotentKey("k"),
    (s) => s.idempotency,
    { _tag: "Custom", key: "k" }
  ],
  [
    "idempotentStrategy",
    Step.idempotentStrategy(base, "UNIQUE"),
    Step.idempotentStrategy("UNIQUE"),
    (s) => s.idempotency,
    { _tag: "Unique" }
  ],
  ["sendIdempotencyKey", Step.sendIdempotencyKey(base), Step.sendIdempotencyKey(), (s) => s.sendIdempotencyKey, true],
  [
    "limit",
    Step.limit(base, "tokens", { key: "acme", cost: 1200 }),
    Step.limit("tokens", { key: "acme", cost: 1200 }),
    (s) => s.limits,
    [{ name: "tokens", key: "acme", cost: 1200 }]
  ],
  ["delay", Step.delay(base, "1 second"), Step.delay(1000), (s) => s.delay, Duration.seconds(1)],
  [
    "attemptTimeout",
    Step.attemptTimeout(base, "1 second"),
    Step.attemptTimeout(1000),
    (s) => s.attemptTimeout,
    Duration.seconds(1)
  ],
  [
    "totalTimeout",
    Step.totalTimeout(base, "1 second"),
    Step.totalTimeout(1000),
    (s) => s.totalTimeout,
    Duration.seconds(1)
  ],
  ["timeoutHeader", Step.timeoutHeader(base, "X-Left"), Step.timeoutHeader("X-Left"), (s) => s.timeoutHeader, "X-Left"],
  [
    "hedge",
    Step.hedge(base, { after: "p99.5", max: 2, to: "region" }),
    Step.hedge({ after: "p99.5", max: 2, to: "region" }),
    (s) => s.hedge,
    { percentile: 99.5, after: undefined, max: 2, to: "region" }
  ],
  ["startBefore", Step.startBefore(base, new Date(5)), Step.startBefore(5), (s) => s.startBefore, 5],
  [
    "debounce",
    Step.debounce(base, "reindex", { wait: "2 seconds", atMost: 9000 }),
    Step.debounce("reindex", { wait: 2000, atMost: "9 seconds" }),
    (s) => s.debounce,
    { key: "reindex", wait: Duration.seconds(2), atMost: Duration.seconds(9) }
  ],
  ["priority", Step.priority(base, "low"), Step.priority("low"), (s) => s.priority, "low"],
  [
    "inOrder",
    Step.inOrder(base, "customer 7"),
    Step.inOrder("customer 7", {}),
    (s) => s.inOrder,
    { key: "customer 7", onFailure: "continue" }
  ],
  [
    "at",
    Step.at(base, "2027-03-28T02:30", "Europe/Berlin"),
    Step.at("2027-03-28T02:30", "Europe/Berlin"),
    (s) => s.retryAt,
    Date.UTC(2027, 2, 28, 1, 30)
  ],
  [
    "fill",
    Step.fill(base, { query: { id: Step.from("/response/body/id") } }),
    Step.fill({ query: { id: Step.from("/response/body/id") } }),
    (s) => s.fills,
    [{ into: "/query/id", from: "/response/body/id" }]
  ],
  ["retryUnsafe", Step.retryUnsafe(base, false), Step.retryUnsafe(false), (s) => s.retryUnsafe, false],
  ["retryAt", Step.retryAt(base, new Date(5)), Step.retryAt(DateTime.makeUnsafe(5)), (s) => s.retryAt, 5],
  [
    "fallback",
    Step.fallback(base, backup, { onError: [500] }),
    Step.fallback(backup, { onError: [500] }),
    (s) => s.fallbacks,
    [{ step: backup, trigger: { _tag: "OnError", codes: [500] } }]
  ],
  ["onSuccess", Step.onSuccess(base, backup), Step.onSuccess(backup), (s) => s.onSuccess, backup],
  [
    "onFailure",
    Step.onFailure(base, backup, { timeout: 9 }),
    Step.onFailure(backup, { timeout: 9 }),
    (s) => [s.onFailure, s.onFailureTimeout],
    [backup, Duration.millis(9)]
  ],
  [
    "onFailureTimeout",
    Step.onFailureTimeout(base, "1 minute"),
    Step.onFailureTimeout("1 minute"),
    (s) => s.onFailureTimeout,
    Duration.minutes(1)
  ]
]

describe("Step", () => {
  it("has no verb that the table below leaves out", () => {
    const others = [
      "make",
      "get",
      "post",
      "put",
      "patch",
      "delete",
      "isStep",
      "inherit",
      "check",
      "decode",
      "StepFromJson",
      "toJson",
      "from",
      "answer",
      "coalesce",
      "secret"
    ]
    const named = verbs.map(([name]) => name)
    assert.deepStrictEqual(Object.keys(Step).sort(), [...named, ...others].sort())
  })

  it("starts in the first of two hours that the clocks show twice, on both sides of Greenwich", () => {
    const momentOf = (local: string, zone: string) => Step.at(base, local, zone).retryAt
    assert.strictEqual(momentOf("2027-10-31T02:30", "Europe/Berlin"), Date.UTC(2027, 9, 31, 0, 30))
    assert.strictEqual(momentOf("2027-11-07T01:30", "America/New_York"), Date.UTC(2027, 10, 7, 5, 30))
  })

  it.each(verbs)("%s says what it was given, data-first and piped", (_, direct, piped, part, says) => {
    assert.deepStrictEqual(part(direct), says)
    assert.isTrue(Equal.equals(base.pipe(piped), direct))
  })

  it.each(verbs)("%s leaves the step it was given as it was", (_, direct, piped) => {
    const before = JSON.stringify(base)
    assert.notStrictEqual(base.pipe(piped), base)
    assert.strictEqual(JSON.stringify(base), before)
    assert.isFalse(Equal.equals(direct, base))
  })

  it("is PERFORMANCE by default without saying so, GET, keyed by HASH, raced, and of fallback region policy", () => {
    const step = Step.make("https://api.example/")
    assert.strictEqual(step.request.method, "GET")
    assert.strictEqual(step.type, undefined)
    assert.deepStrictEqual(step.idempotency, { _tag: "Hash" })
    assert.strictEqual(step.executionMode, "race")
    assert.strictEqual(step.regionPolicy, "fallback")
    assert.strictEqual(step.webhookQuorum, 1)
    assert.deepStrictEqual(JSON.parse(JSON.stringify(step)), { method: "GET", url: "https://api.example/" })
  })

  it.each([
    [Step.get, "GET"],
    [Step.post, "POST"],
    [Step.put, "PUT"],
    [Step.patch, "PATCH"],
    [Step.delete, "DELETE"]
  ] as const)("has a constructor for %s %s", (constructor, method) => {
    const step = constructor("https://api.example/", { headers: { A: "1" }, body: "b" })
    assert.deepStrictEqual(step.request, { method, url: "https://api.example/", headers: { A: "1" }, body: "b" })
  })

  it("replaces a header of the same name in any case", () => {
    const step = base.pipe(Step.headers({ "X-A": "1", "X-B": "2" }), Step.header("x-a", "3"))
    assert.deepStrictEqual(step.request.headers, { "X-B": "2", "x-a": "3" })
  })

  it("keeps a content type that was there when the body is set as JSON", () => {
    const step = base.pipe(Step.header("content-type", "application/vnd.a+json"), Step.bodyJson(null))
    assert.deepStrictEqual(step.request.headers, { "content-type": "application/vnd.a+json" })
    assert.strictEqual(step.request.body, "null")
  })

  it("rounds a duration below a millisecond up, never down to nothing", () => {
    assert.deepStrictEqual(Step.localTimeout(base, Duration.micros(1n)).localTimeout, Duration.millis(1))
  })

  it("is not changed by whoever changes what it was made from", () => {
    const bytes = new Uint8Array([1])
    const names = ["iad"]
    const data = { a: { b: 1 } }
    const step = base.pipe(Step.body(bytes), Step.regions(names), Step.metadata(data))
    bytes[0] = 9
    names.push("lax")
    data.a.b = 9
    assert.deepStrictEqual(step.request.body, new Uint8Array([1]))
    assert.deepStrictEqual(step.regions, ["iad"])
    assert.deepStrictEqual(step.metadata, { a: { b: 1 } })
  })

  it("knows steps from everything else", () => {
    assert.isTrue(Step.isStep(base))
    assert.isFalse(Step.isStep({ ...base.request }))
    assert.isFalse(Step.isStep(undefined))
  })
})

/** Values no verb accepts, each with the field that the refusal names. JavaScript callers can pass anything. */
const refused: ReadonlyArray<readonly [verb: keyof typeof Step, field: string, ...args: ReadonlyArray<unknown>]> = [
  ["method", "method", "GE T"],
  ["method", "method", ""],
  ["url", "url", "/relative"],
  ["url", "url", "ftp://a.example/"],
  ["url", "url", ""],
  ["headers", "headers", null],
  ["headers", "headers.A", { A: 1 }],
  ["headers", "headers.A B", { "A B": "1" }],
  ["headers", "headers.a", { A: "1", a: "2" }],
  ["headers", "headers.A", { A: "1\r\nB: 2" }],
  ["header", "headers.A", "A", "\u0000"],
  ["header", "headers.A", "A", "\u20ac"],
  ["body", "body", 5],
  ["bodyJson", "bodyJson", undefined],
  ["bodyJson", "bodyJson", () => 1],
  ["metadata", "metadata", null],
  ["metadata", "metadata.a", { a: 1n }],
  ["description", "description", 5],
  ["responseDescription", "responseDescription", null],
  ["fallbackOnError", "fallbackOnError[1]", [500, 600]],
  ["fallbackOnError", "fallbackOnError[0]", [99]],
  ["localTimeout", "localTimeout", 0],
  ["localTimeout", "localTimeout", "soon"],
  ["localTimeout", "localTimeout", Number.POSITIVE_INFINITY],
  ["retryPolicy", "retryPolicy", null],
  ["retryPolicy", "retryPolicy.maxRetries", { maxRetries: -1 }],
  ["retryPolicy", "retryPolicy.maxRetries", { maxRetries: 1.5 }],
  ["retryPolicy", "retryPolicy.maxReroutes", { maxReroutes: "2" }],
  ["retryPolicy", "retryPolicy.retryCodes[0]", { retryCodes: [1000] }],
  ["retryPolicy", "retryPolicy.rerouteCodes", { rerouteCodes: 500 }],
  ["retryPolicy", "retryPolicy.base", { base: 0 }],
  ["retryPolicy", "retryPolicy.cap", { cap: -1 }],
  ["regions", "regions", "iad"],
  ["regions", "regions[0]", [""]],
  ["regionPolicy", "regionPolicy", "lenient"],
  ["executionMode", "executionMode", "parallel"],
  ["webhooks", "webhooks", null],
  ["webhooks", "webhooks", {}],
  ["webhooks", "webhooks[0]", [null]],
  ["webhooks", "webhooks[0].url", [{ url: "nowhere" }]],
  ["webhooks", "webhooks[1].regions", [{ url: "https://h.example/" }, { url: "https://h.example/", regions: "iad" }]],
  ["webhooks", "webhooks[0].hasQuorumVote", [{ url: "https://h.example/", hasQuorumVote: "yes" }]],
  ["webhookQuorum", "webhookQuorum", 0],
  ["idempotentKey", "idempotentKey", ""],
  ["idempotentKey", "idempotentKey", "\u20ac".repeat(86)],
  ["idempotentKey", "idempotentKey", "a\nb"],
  ["idempotentStrategy", "idempotentStrategy", "RANDOM"],
  ["sendIdempotencyKey", "sendIdempotencyKey", "yes"],
  ["retryUnsafe", "retryUnsafe", "no"],
  ["delay", "delay", 0],
  ["startBefore", "startBefore", 1.5],
  ["debounce", "debounce", "k", 5],
  ["debounce", "debounce.key", "", { wait: 1 }],
  ["debounce", "debounce.wait", "k", {}],
  ["debounce", "debounce.atMost", "k", { wait: 1, atMost: 0 }],
  ["priority", "priority", "urgent"],
  ["inOrder", "inOrder.key", ""],
  ["inOrder", "inOrder.key", "a\nb"],
  ["inOrder", "inOrder.key", "k".repeat(129)],
  ["inOrder", "inOrder.onFailure", "k", { onFailure: "halt" }],
  ["hedge", "hedge.after", { after: "p12" }],
  ["hedge", "hedge.after", { after: "p95x" }],
  ["hedge", "hedge.after", { after: 0 }],
  ["hedge", "hedge.max", { max: 4 }],
  ["hedge", "hedge.to", { to: "fallback" }],
  ["hedge", "hedge.delay", { delay: 5 }],
  ["attemptTimeout", "attemptTimeout", 0],
  ["totalTimeout", "totalTimeout", -1],
  ["timeoutHeader", "timeoutHeader", "a b"],
  ["timeoutHeader", "timeoutHeader", "Content-Length"],
  ["at", "at.zone", "2027-03-28T02:30", "Europe/Nowhere"],
  ["at", "at.local", "2027-03-28T02:30Z", "Europe/Berlin"],
  ["at", "at.local", "2027-02-30T02:30", "Europe/Berlin"],
  ["fill", "fill", 5],
  ["fill", "fill.query.id", { query: { id: "7" } }],
  ["fill", "fill.path.a b", { path: { "a b": Step.answer } }],
  ["fill", "fill.headers.Content-Length", { headers: { "Content-Length": Step.answer } }],
  ["fill", "fill.body", { body: { a: () => 1 } }],
  ["limit", "limit.name", 5],
  ["limit", "limit.name", ""],
  ["limit", "limit.name", "a b"],
  ["limit", "limit.name", "a".repeat(65)],
  ["limit", "limit", "tokens", 5],
  ["limit", "limit.key", "tokens", { key: "k".repeat(257) }],
  ["limit", "limit.key", "tokens", { key: "a\nb" }],
  ["limit", "limit.cost", "tokens", { cost: 0 }],
  ["limit", "limit.cost", "tokens", { cost: Number.POSITIVE_INFINITY }],
  ["limit", "limit.cost", "tokens", { cost: "5" }],
  ["retryAt", "retryAt", -1],
  ["retryAt", "retryAt", null],
  ["retryAt", "retryAt", new Date(Number.NaN)],
  ["onFailureTimeout", "onFailureTimeout", "never"],
  ["fallback", "fallback", backup, { onError: [500], onTimeout: 5 }],
  ["fallback", "fallback", backup, null],
  ["fallback", "fallback.onError[0]", backup, { onError: [0] }],
  ["fallback", "fallback.onTimeout", backup, { onTimeout: 0 }],
  ["onFailure", "onFailureTimeout", backup, { timeout: 0 }]
]

// the table is data, so the verb is called the way JavaScript would
const call = (verb: keyof typeof Step, args: ReadonlyArray<unknown>): unknown =>
  (untyped[verb] as (...args: ReadonlyArray<unknown>) => unknown)(...args)

const untyped: Readonly<Record<string, unknown>> = { ...Step }

const refusal = (run: () => unknown): InvalidStep => {
  try {
    run()
  } catch (error) {
    if (error instanceof InvalidStep) return error
    throw error
  }
  throw new Error("nothing was refused")
}

describe("a verb refuses a bad value", () => {
  const cases = refused.map(([verb, field, ...args]) => ({ verb, field, args }))

  it.each(cases)("$verb names $field, data-first and piped", ({ args, field, verb }) => {
    const error = refusal(() => call(verb, [base, ...args]))
    assert.strictEqual(error.field, field)
    assert.match(error.message, /: Expected |: Missing |: strict /)
    const piped = refusal(() => (call(verb, args) as Change)(base))
    assert.strictEqual(piped.message, error.message)
  })

  it("names no value, because it may be a secret", () => {
    assert.notInclude(refusal(() => Step.header(base, "Authorization", "Bearer s3cret\n")).message, "s3cret")
    assert.notInclude(refusal(() => Step.url(base, "https:/\u0000s3cret")).message, "s3cret")
  })

  it.each(["fallback", "onSuccess", "onFailure"] as const)("%s takes only a step", (verb) => {
    assert.strictEqual(refusal(() => (call(verb, [{ url: "https://a.example" }]) as Change)(base)).field, verb)
  })

  it("covers every verb that can refuse", () => {
    const cannot = ["frugal", "performance", "onSuccess"]
    const tested = new Set<string>(refused.map(([verb]) => verb))
    assert.deepStrictEqual(
      verbs.map(([name]) => name).filter((name) => !tested.has(name)),
      cannot
    )
  })

  it("is as strict in a constructor", () => {
    assert.strictEqual(refusal(() => Step.get("nowhere")).field, "url")
    assert.strictEqual(refusal(() => Step.make("https://a.example", { method: "G T" })).field, "method")
    assert.strictEqual(refusal(() => Step.post("https://a.example", { headers: { "": "x" } })).field, "headers.")
  })
})
