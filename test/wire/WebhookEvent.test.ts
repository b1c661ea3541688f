import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Reply from "../../src/step/Reply.ts"
import { decode, encode, InvalidWebhookEvent } from "../../src/wire/WebhookEvent.ts"
import type { WebhookEvent } from "../../src/wire/WebhookEvent.ts"

const read = (json: unknown) => Result.getOrThrow(decode(JSON.stringify(json)))
const wrongIn = (body: string | Uint8Array) => {
  const problem = Result.getOrThrow(Result.flip(decode(body)))
  assert.instanceOf(problem, InvalidWebhookEvent)
  return problem
}
const written = (event: WebhookEvent, dialect?: "cloud" | "flat"): unknown => JSON.parse(encode(event, dialect))

const event: WebhookEvent = {
  dialect: "cloud",
  jobId: "job_01",
  idempotentKey: "order-7",
  status: "success",
  response: Reply.response(201, { "content-type": "text/plain" }, "done"),
  error: undefined,
  metadata: { order: 7, tags: ["a"] },
  responses: undefined
}
const binary = Uint8Array.of(0xff, 0x00, 0xfe)

describe("the cloud dialect", () => {
  const wire = {
    job_id: "job_01",
    idempotent_key: "order-7",
    status: "success",
    response: { status_code: 201, headers: { "content-type": "text/plain" }, body: "done" },
    metadata: { order: 7, tags: ["a"] }
  }

  it("says key, status, answer and metadata", () => {
    assert.deepStrictEqual(read(wire), event)
    assert.deepStrictEqual(written(event), wire)
  })

  it("says that the target gave no answer with a zero and an error", () => {
    const failed = { ...event, status: "failed", response: undefined, error: "connection refused" } as const
    const none = { status_code: 0, headers: {}, body: "" }
    const said = { ...wire, status: "failed", response: none, error: "connection refused" }
    assert.deepStrictEqual(written(failed), said)
    assert.deepStrictEqual(read(said), failed)
    assert.deepStrictEqual(written({ ...failed, error: undefined }), { ...said, error: "no answer from the target" })
  })

  it("carries a body that is not UTF-8 byte for byte", () => {
    const said = { ...wire, response: { ...wire.response, body: "", body_base64: "/wD+" } }
    const binaryEvent = { ...event, response: Reply.response(201, { "content-type": "text/plain" }, binary) }
    assert.deepStrictEqual(written(binaryEvent), said)
    assert.deepStrictEqual(read(said), binaryEvent)
  })

  it("keeps the byte order mark of a text body", () => {
    const marked = { ...event, response: Reply.response(200, {}, Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)) }
    assert.deepStrictEqual(Result.getOrThrow(decode(encode(marked))), marked)
  })

  it("carries the answers of a fanout by region, missing ones too", () => {
    const fanout = { ...event, responses: { iad: Reply.response(201, {}, "done"), lax: undefined } }
    const said = {
      ...wire,
      responses: {
        iad: { status_code: 201, headers: {}, body: "done" },
        lax: { status_code: 0, headers: {}, body: "" }
      }
    }
    assert.deepStrictEqual(written(fanout), said)
    assert.deepStrictEqual(read(said), fanout)
  })

  it("takes null and absence as the same", () => {
    const bare = { ...event, idempotentKey: undefined, response: undefined, metadata: {} }
    const nulls = { idempotent_key: null, response: null, error: null, responses: null, metadata: null }
    assert.deepStrictEqual(read({ job_id: "job_01", status: "success" }), bare)
    assert.deepStrictEqual(read({ ...wire, ...nulls }), bare)
    const empty = { ...event, response: Reply.response(204) }
    assert.deepStrictEqual(read({ ...wire, response: { status_code: 204, headers: null, body: null } }), empty)
  })

  it("passes over keys it does not know, the other dialect's included", () => {
    const later = { ...wire, reason: 1, response_status: {}, schema: 9, response: { ...wire.response, took_ms: 3 } }
    assert.deepStrictEqual(read(later), event)
  })

  it("hands header names out in lower case and joins those that differ in case only", () => {
    const { response } = read({
      ...wire,
      response: { status_code: 200, headers: { "X-A": "1", "x-a": "2", __proto__x: "3" } }
    })
    assert.deepStrictEqual(response?.headers, { "x-a": "1, 2", __proto__x: "3" })
  })

  it("keeps a key named __proto__ as a key", () => {
    const body =
      '{"job_id":"a","status":"success","response":{"status_code":200,"headers":{"__proto__":"x"}},"metadata":{"__proto__":{"y":1}}}'
    const decoded = Result.getOrThrow(decode(body))
    assert.deepStrictEqual(Object.entries(decoded.response?.headers ?? {}), [["__proto__", "x"]])
    assert.deepStrictEqual(Object.keys(decoded.metadata), ["__proto__"])
    assert.isUndefined(({} as { y?: number }).y)
    assert.include(encode(decoded), '"metadata":{"__proto__":{"y":1}}')
  })
})

describe("the flat dialect", () => {
  const completed = { job_id: "job_01", status: "completed", response_status: 201, body: "done" }
  const flat: WebhookEvent = {
    ...event,
    dialect: "flat",
    idempotentKey: undefined,
    metadata: {},
    response: Reply.response(201, {}, "done")
  }

  it("says a success", () => {
    assert.deepStrictEqual(read(completed), flat)
    assert.deepStrictEqual(written(flat), completed)
    assert.deepStrictEqual(written(event, "flat"), completed)
  })

  it("calls an answer below 500 completed, though the job failed", () => {
    const missing = { ...flat, status: "failed", response: Reply.response(404, {}, "no") } as const
    const said = { job_id: "job_01", status: "completed", response_status: 404, body: "no" }
    assert.deepStrictEqual(read(said), missing)
    assert.deepStrictEqual(written(missing), said)
  })

  it("says a failure with its reason, and the last answer if there was one", () => {
    const failed = { ...flat, status: "failed", response: undefined, error: "cancelled" } as const
    const said = { job_id: "job_01", status: "failed", reason: "cancelled" }
    assert.deepStrictEqual(read(said), failed)
    assert.deepStrictEqual(written(failed), said)
    const answered = { ...failed, response: Reply.response(503, {}, binary) }
    const saidToo = { ...said, response_status: 503, body: "", body_base64: "/wD+" }
    assert.deepStrictEqual(read(saidToo), answered)
    assert.deepStrictEqual(written(answered), saidToo)
  })

  it("always has a reason for a failure", () => {
    const failed = { ...flat, status: "failed" } as const
    assert.propertyVal(written({ ...failed, response: undefined }), "reason", "no answer from the target")
    assert.propertyVal(written({ ...failed, response: Reply.response(500) }), "reason", "the target answered 500")
    assert.propertyVal(written({ ...failed, response: Reply.response(200) }), "reason", "the target answered 200")
  })
})

describe("a wrong body", () => {
  const cloud = { job_id: "job_01", status: "success", response: { status_code: 200 } }

  it.each<[path: string, json: unknown]>([
    ["body", null],
    ["body", 7],
    ["body", []],
    ["body", "completed"],
    ["job_id", { status: "success" }],
    ["job_id", { ...cloud, job_id: "" }],
    ["status", { job_id: "job_01" }],
    ["status", { ...cloud, status: "completed" }],
    ["status", { job_id: "job_01", status: "running", reason: "x" }],
    ["idempotent_key", { ...cloud, idempotent_key: 3 }],
    ["response", { ...cloud, response: "sEcReT" }],
    ["response.status_code", { ...cloud, response: {} }],
    ["response.status_code", { ...cloud, response: { status_code: "sEcReT" } }],
    ["response.status_code", { ...cloud, response: { status_code: 200.5 } }],
    ["response.status_code", { ...cloud, response: { status_code: 99 } }],
    ["response.headers.etag", { ...cloud, response: { status_code: 200, headers: { etag: ["sEcReT"] } } }],
    ["response.body", { ...cloud, response: { status_code: 200, body: { token: "sEcReT" } } }],
    ["response.body_base64", { ...cloud, response: { status_code: 200, body_base64: "sEcReT!" } }],
    ["error", { ...cloud, error: {} }],
    ["responses.iad.status_code", { ...cloud, responses: { iad: { status_code: null } } }],
    ["metadata", { ...cloud, metadata: "sEcReT" }],
    ["response_status", { job_id: "job_01", status: "completed" }],
    ["response_status", { job_id: "job_01", status: "completed", response_status: 0 }],
    ["response_status", { job_id: "job_01", status: "completed", response_status: "sEcReT" }],
    ["reason", { job_id: "job_01", status: "failed", reason: 5 }]
  ])("names the place, never the value: %s", (path, json) => {
    const problem = wrongIn(JSON.stringify(json))
    assert.strictEqual(problem.path, path)
    assert.match(problem.problem, /^(Expected|Missing)/)
    assert.include(problem.message, path)
    assert.notInclude(`${problem.message} ${JSON.stringify(problem)}`, "sEcReT")
  })

  it.each<[problem: string, body: string | Uint8Array]>([
    ["Expected JSON", ""],
    ["Expected JSON", "<html>"],
    ["Expected JSON", '{"job_id":'],
    ["Expected UTF-8 text", Uint8Array.of(0x22, 0xff, 0x22)],
    ["Expected UTF-8 text", {} as Uint8Array],
    ["Expected at most 64 levels", `{"metadata":${"[".repeat(64)}${"]".repeat(64)}}`],
    ["Expected at most 64 levels", "[".repeat(1_000_000)]
  ])("that cannot be read at all: %s", (expected, body) => {
    const problem = wrongIn(body)
    assert.deepStrictEqual([problem.path, problem.problem], ["body", expected])
  })

  it("is not one whose text only looks deep", () => {
    const metadata = { looks: '\\"'.repeat(9) + "[".repeat(99), deep: JSON.parse("[".repeat(62) + "]".repeat(62)) }
    assert.deepStrictEqual(read({ ...cloud, metadata }).metadata, metadata)
  })

  it.prop("never makes it throw", [Schema.String, Schema.Uint8Array, Schema.Json], ([text, bytes, json]) => {
    for (const body of [
      text,
      bytes,
      JSON.stringify(json),
      JSON.stringify({ ...cloud, response: json, responses: json })
    ]) {
      assert.isTrue(Result.isResult(decode(body)))
    }
  })
})

describe("there and back", () => {
  const Text = Schema.String
  // JSON has no minus zero
  const Metadata = Arbitrary.map(
    Arbitrary.schema(Schema.JsonObject),
    (value) => JSON.parse(JSON.stringify(value)) as typeof value
  )
  const Status = Arbitrary.map(Arbitrary.schema(Schema.Int), (n) => 100 + (Math.abs(n) % 500))
  const AnyResponse = Arbitrary.map(
    Arbitrary.all([
      Status,
      Arbitrary.schema(Schema.Record(Text, Text)),
      Arbitrary.schema(Schema.Union([Schema.Uint8Array, Text]))
    ]),
    ([status, headers, body]) =>
      Reply.response(status, Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v])), body)
  )
  const Shape = Arbitrary.schema(
    Schema.Struct({
      jobId: Schema.NonEmptyString,
      idempotentKey: Schema.UndefinedOr(Text),
      error: Text,
      answered: Schema.Boolean,
      fanout: Schema.Boolean
    })
  )
  const back = (sent: WebhookEvent) => Result.getOrThrow(decode(new TextEncoder().encode(encode(sent))))
  // a lone surrogate does not survive UTF-8
  const sendable = (text: string) =>
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text))

  it.prop("the cloud dialect loses nothing", [Shape, AnyResponse, Metadata], ([shape, response, metadata]) => {
    const sent: WebhookEvent = {
      dialect: "cloud",
      jobId: shape.jobId,
      idempotentKey: shape.idempotentKey,
      status: shape.answered && Reply.isSuccess(response) ? "success" : "failed",
      response: shape.answered ? response : undefined,
      error: shape.answered ? undefined : shape.error,
      metadata,
      responses: shape.fanout ? { iad: response, lax: undefined } : undefined
    }
    assert.deepStrictEqual(Result.getOrThrow(decode(encode(sent))), sent)
  })

  it.prop(
    "the flat dialect keeps job, status, answer and reason",
    [Shape, AnyResponse],
    ([shape, { status, body }]) => {
      const succeeded = shape.answered && status < 300 && status >= 200
      const sent: WebhookEvent = {
        dialect: "flat",
        jobId: sendable(shape.jobId),
        idempotentKey: undefined,
        status: succeeded ? "success" : "failed",
        response: shape.answered ? Reply.response(status, {}, body) : undefined,
        error: shape.answered && status < 500 ? undefined : sendable(shape.error),
        metadata: {},
        responses: undefined
      }
      assert.deepStrictEqual(back(sent), sent)
    }
  )
})
