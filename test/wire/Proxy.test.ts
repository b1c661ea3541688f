import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Failure } from "../../src/step/Failure.ts"
import * as Proxy from "../../src/wire/Proxy.ts"

const answer = (status: number, body: unknown, retryAt?: number): Proxy.Answer => ({
  status,
  body: typeof body === "string" ? body : JSON.stringify(body),
  retryAt
})

const failure = (result: Result.Result<unknown, Failure>): Failure => Result.getOrThrow(Result.flip(result))

const forwarded = (status: number, body: unknown): Proxy.Forwarded => ({
  status,
  headers: {},
  body: typeof body === "string" ? body : JSON.stringify(body)
})

describe("Proxy.envelope", () => {
  it("wraps a call exactly as the protocol says", () => {
    const job = '{"url":"https://api.example/"}'
    assert.deepStrictEqual(
      JSON.parse(Proxy.envelope({ targetUrl: "https://ezthrottle.example/api/v1/jobs", method: "POST", body: job })),
      {
        scope: "customer",
        metric_name: "",
        target_url: "https://ezthrottle.example/api/v1/jobs",
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: job
      }
    )
  })

  it("has the key of the body also where there is none", () => {
    const { body } = JSON.parse(Proxy.envelope({ targetUrl: "https://ezthrottle.example/", method: "GET" }))
    assert.strictEqual(body, "")
  })
})

describe("Proxy.readAnswer", () => {
  it("unwraps what the service answered, whatever its status", () => {
    const read = Proxy.readAnswer(
      answer(200, {
        status: "allowed",
        forwarded_response: { status_code: 404, headers: { "X-Id": "1", age: 5 }, body: "no" }
      })
    )
    assert.deepStrictEqual(read, Result.succeed({ status: 404, headers: { "x-id": "1", age: "5" }, body: "no" }))
  })

  it("takes a body that was left as an object for its JSON", () => {
    const read = Proxy.readAnswer(
      answer(200, { status: "allowed", forwarded_response: { status_code: 201, body: { job_id: "j" } } })
    )
    assert.deepStrictEqual(read, Result.succeed({ status: 201, headers: {}, body: '{"job_id":"j"}' }))
  })

  it.each([
    ["denied", { status: "denied", error: "quota exhausted" }, "Request denied: quota exhausted"],
    ["any status but allowed", { status: "suspended" }, "Request denied: suspended"],
    [
      "a denial that forwards something all the same",
      { status: "denied", error: "no", forwarded_response: { status_code: 201, body: "{}" } },
      "Request denied: no"
    ]
  ])("is denied on %s", (_, body, message) => {
    const error = failure(Proxy.readAnswer(answer(200, body)))
    assert.strictEqual(error._tag, "ServiceDenied")
    assert.strictEqual(error.message, message)
  })

  it.each([
    ["the body's moment", { error: "slow down", retry_at: 5_000 }, undefined, 5_000],
    ["the body's moment before the header's", { error: "slow down", retry_at: 5_000 }, 9_000, 5_000],
    ["the header's moment", { error: "slow down" }, 9_000, 9_000],
    ["the header's moment where the body's is none", { error: "slow down", retry_at: "soon" }, 9_000, 9_000],
    ["no moment", { error: "slow down" }, undefined, undefined],
    ["no moment of the past century", { error: "slow down", retry_at: -1 }, undefined, undefined]
  ])("is rate limited until %s", (_, body, header, retryAt) => {
    const error = failure(Proxy.readAnswer(answer(429, body, header)))
    assert.isTrue(error._tag === "ServiceRateLimited" && error.retryAt === retryAt)
    assert.strictEqual(error.message, "Rate limited: slow down")
  })

  it("is rate limited by any 429, JSON or not", () => {
    assert.strictEqual(failure(Proxy.readAnswer(answer(429, "busy"))).message, "Rate limited: busy")
    assert.strictEqual(failure(Proxy.readAnswer(answer(429, ""))).message, "Rate limited: no reason given")
  })

  it.each([
    [500, "boom"],
    [302, ""],
    [401, "who are you"],
    [201, "{}"],
    [503, "<html>down</html>"]
  ])("says that the proxy failed on %i", (status, body) => {
    const error = failure(Proxy.readAnswer(answer(status, body)))
    assert.isTrue(error._tag === "ServiceFailed" && error.status === status)
    assert.strictEqual(error.message, `Proxy request failed: ${body}`)
  })

  it.each([
    ["an HTML page", "<!DOCTYPE html><p>maintenance", "expected JSON, got an HTML page"],
    ["an empty body", "", "expected JSON, got an empty body"],
    ["other text", "OK", "expected JSON, got other text"],
    ["half an object", '{"status":"allo', "expected JSON, got other text"],
    ["null", "null", "expected an object with a status"],
    ["a list", "[]", "expected an object with a status"],
    ["a status that is no text", '{"status":1}', "expected an object with a status"],
    ["an allowance alone", '{"status":"allowed"}', "forwarded_response is missing"],
    ["no status code", '{"status":"allowed","forwarded_response":{"body":"{}"}}', "no status_code"],
    ["a wrong status code", '{"status":"allowed","forwarded_response":{"status_code":"201"}}', "no status_code"],
    ["a status code of 0", '{"status":"allowed","forwarded_response":{"status_code":0}}', "no status_code"],
    ["null for an answer", '{"status":"allowed","forwarded_response":null}', "no status_code"],
    ["a body of numbers", '{"status":"allowed","forwarded_response":{"status_code":201,"body":[1]}}', "no status_code"]
  ])("cannot read %s, and quotes it", (_, body, problem) => {
    const error = failure(Proxy.readAnswer(answer(200, body)))
    assert.isTrue(error._tag === "MalformedAnswer" && error.received === body)
    assert.include(error.message, problem)
  })

  it("quotes the beginning of a long answer only", () => {
    const error = failure(Proxy.readAnswer(answer(200, "x".repeat(100_000))))
    assert.isBelow(error.message.length, 700)
  })
})

describe("Proxy.readReceipt", () => {
  it("keeps the whole answer beside what it means", () => {
    const body = { job_id: "j-1", status: "racing", idempotent_key: "k", position: 3 }
    assert.deepStrictEqual(
      Proxy.readReceipt(forwarded(201, body)),
      Result.succeed({
        _tag: "Receipt",
        jobId: "j-1",
        status: "racing",
        idempotentKey: "k",
        duplicate: false,
        answer: body
      } as const)
    )
  })

  it.each([
    [{ job_id: "j", status: "duplicate" }, "duplicate"],
    [{ job_id: "j", status: "succeeded", duplicate: true }, "succeeded"]
  ])("recognises the duplicate in %j", (body, status) => {
    const receipt = Result.getOrThrow(Proxy.readReceipt(forwarded(200, body)))
    assert.deepStrictEqual([receipt.duplicate, receipt.status], [true, status])
  })

  it("needs nothing but the id", () => {
    const receipt = Result.getOrThrow(Proxy.readReceipt(forwarded(202, { job_id: "j" })))
    assert.deepStrictEqual([receipt.status, receipt.idempotentKey, receipt.duplicate], ["queued", undefined, false])
  })

  it.each([400, 401, 409, 422, 500, 302])("is refused by an inner %i", (status) => {
    const error = failure(Proxy.readReceipt(forwarded(status, '{"error":"no","code":"invalid_field"}')))
    assert.isTrue(error._tag === "JobRefused" && error.status === status)
    assert.strictEqual(error.message, 'EZThrottle job creation failed: {"error":"no","code":"invalid_field"}')
  })

  it.each([
    ["", "an empty body"],
    ["accepted", "other text"],
    ["<html>ok</html>", "an HTML page"],
    ["{}", "job_id"],
    ["null", "job_id"],
    ['{"job_id":""}', "job_id"],
    ['{"job_id":5}', "job_id"],
    ["[]", "job_id"]
  ])("cannot read %j as a receipt", (body, problem) => {
    const error = failure(Proxy.readReceipt(forwarded(201, body)))
    assert.strictEqual(error._tag, "MalformedAnswer")
    assert.include(error.message, problem)
  })
})
