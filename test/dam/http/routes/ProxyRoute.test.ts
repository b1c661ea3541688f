import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { Overloaded } from "../../../../src/dam/work/Admission.ts"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import { revealed } from "../../../conformance/jobStore/Fixtures.ts"
import recorded from "../../../fixtures/official-requests.json" with { type: "json" }
import * as Double from "../HttpDouble.ts"

const target = "https://ezthrottle.fly.dev/api/v1"
const secret = { primary_secret: "abcd-0123456789-wxyz" }

const send = (url: string, envelope: unknown, headers: Readonly<Record<string, string>> = {}) =>
  Effect.promise(async () => {
    const answer = await fetch(`${url}/api/v1/proxy`, {
      method: "POST",
      body: JSON.stringify(envelope),
      headers: { "content-type": "application/json", ...headers }
    })
    return { status: answer.status, headers: answer.headers, json: JSON.parse(await answer.text()) }
  })

const forwarded = (url: string, method: string, path: string, body?: object, headers = {}) =>
  Effect.map(
    send(url, {
      scope: "customer",
      metric_name: "",
      target_url: target + path,
      method,
      headers,
      body: body && JSON.stringify(body)
    }),
    ({ json, status }) => {
      assert.deepStrictEqual([status, json.status], [200, "allowed"], JSON.stringify(json))
      const { body: text, headers: answered, status_code } = json.forwarded_response
      return { status: status_code, headers: answered, json: JSON.parse(text) }
    }
  )

describe("the proxy", () => {
  it.live("answers the recorded official clients as their applications expect", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ egress: Double.trusting })
      const filled = JSON.stringify(recorded.requests)
        .replaceAll("{{UPSTREAM}}", "http://127.0.0.1:9")
        .replaceAll("{{RECEIVER}}", "http://127.0.0.1:9")
      const requests: typeof recorded.requests = JSON.parse(filled)
      const jobs = new Map<string, string>()
      assert.strictEqual(requests.length, 17)
      for (const { envelope, headers } of requests) {
        const { json, status } = yield* send(dam.url, envelope, headers)
        assert.deepStrictEqual([status, json.status], [200, "allowed"])
        const { body, status_code } = json.forwarded_response
        const receipt = JSON.parse(body)
        const job = JSON.parse(envelope.body)
        const isKnown = jobs.has(envelope.body)
        assert.strictEqual(status_code, isKnown ? 200 : 201)
        assert.strictEqual(receipt.status, job.regions === undefined ? "queued" : "racing")
        assert.isString(receipt.idempotent_key)
        if (job.idempotent_key !== undefined) assert.strictEqual(receipt.idempotent_key, job.idempotent_key)
        if (isKnown) assert.strictEqual(receipt.job_id, jobs.get(envelope.body))
        jobs.set(envelope.body, receipt.job_id)
      }
      // two of them were sent twice
      assert.strictEqual(new Set(jobs.values()).size, 15)
    })
  )

  it.live("leads to jobs and secrets by the path of the target alone", () =>
    Effect.gen(function* () {
      const { url, runs } = yield* Double.make()
      const submitted = yield* forwarded(
        url,
        "POST",
        "/jobs?x=1",
        { url: "https://api.example.com/" },
        { "Idempotency-Key": "k" }
      )
      assert.deepStrictEqual([submitted.status, submitted.json.idempotent_key], [201, "k"])
      const { job_id } = submitted.json
      assert.strictEqual((yield* forwarded(url, "GET", `/jobs/${job_id}`)).json.status, "queued")
      assert.strictEqual((yield* forwarded(url, "GET", "/jobs?limit=1")).json.jobs.length, 1)
      assert.strictEqual((yield* forwarded(url, "GET", "/jobs?limit=0")).status, 400)
      assert.strictEqual((yield* forwarded(url, "POST", `/jobs/${job_id}/rerun`)).status, 409)
      assert.strictEqual((yield* forwarded(url, "POST", `/jobs/${job_id}/run-now`)).status, 409)
      yield* runs.start(job_id)
      assert.strictEqual((yield* forwarded(url, "POST", "/webhook-secrets", secret)).status, 200)
      const masked = yield* forwarded(url, "GET", "/webhook-secrets")
      assert.strictEqual(masked.json.primary_secret, "abcd****wxyz")
    })
  )

  it.live("answers what leads elsewhere itself, and calls nobody", () =>
    Effect.gen(function* () {
      const { url } = yield* Double.make()
      for (const path of ["/../../health", "/jobs/a/stream", "/jobs/a/wait", "/proxy", "/nothing", "/jobs/a/b/c"]) {
        const answer = yield* forwarded(url, "GET", path)
        assert.deepStrictEqual([answer.status, answer.json.code], [404, "not_found"], path)
      }
      const wrong = yield* forwarded(url, "DELETE", "/jobs")
      assert.deepStrictEqual([wrong.status, wrong.headers.allow], [405, "POST, GET"])
      const bad = yield* forwarded(url, "POST", "/jobs", { url: "http://127.0.0.1/" })
      assert.deepStrictEqual([bad.status, bad.json.code], [422, "url_denied"])
    })
  )

  it.live("calls a refused key denied", () =>
    Effect.gen(function* () {
      const keys = Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("key-of-acme") }]))
      const { url } = yield* Double.make({ keys })
      const call = { target_url: `${target}/jobs`, method: "GET" }
      for (const authorization of ["", "Bearer wrong"]) {
        const { json, status } = yield* send(url, call, { authorization })
        assert.deepStrictEqual([status, json.status], [200, "denied"])
        assert.isString(json.error)
      }
      assert.strictEqual((yield* send(url, call, { authorization: "Bearer key-of-acme" })).json.status, "allowed")
    })
  )

  it.live("passes a 429 on as HTTP 429, with its Retry-After", () =>
    Effect.gen(function* () {
      const full = new Overloaded({ limitReason: "memory", limit: 1, current: 2, retryAfterSeconds: 7 })
      const { url } = yield* Double.make({ wrapEngine: (engine) => ({ ...engine, submit: () => Effect.fail(full) }) })
      const body = JSON.stringify({ url: "https://api.example.com/" })
      const { headers, json, status } = yield* send(url, { target_url: `${target}/jobs`, method: "POST", body })
      assert.deepStrictEqual([status, headers.get("retry-after"), json.limit_reason], [429, "7", "memory"])
    })
  )

  it.live("names what is wrong with an envelope", () =>
    Effect.gen(function* () {
      const { url } = yield* Double.make()
      for (const [envelope, field] of [
        [[], "envelope"],
        [{ method: "GET" }, "target_url"],
        [{ target_url: "jobs", method: "GET" }, "target_url"],
        [{ target_url: target, method: 1 }, "method"],
        [{ target_url: target, method: "GET", headers: { a: 1 } }, "headers.a"]
      ] as const) {
        const { json, status } = yield* send(url, envelope)
        assert.deepStrictEqual([status, json.code, json.field], [400, "invalid_field", field])
      }
    })
  )
})

describe("webhook secrets", () => {
  const path = "/api/v1/webhook-secrets"
  const ask = (url: string, method: string, body?: object) =>
    Effect.promise(async () => {
      const answer = await fetch(url + path, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        headers: { "content-type": "application/json" }
      })
      return { status: answer.status, json: JSON.parse(await answer.text()) }
    })

  it.live("are set, shown masked, rotated and deleted", () =>
    Effect.gen(function* () {
      const { store, url } = yield* Double.make()
      assert.strictEqual((yield* ask(url, "GET")).status, 404)
      assert.strictEqual((yield* ask(url, "DELETE")).status, 404)
      assert.strictEqual((yield* ask(url, "POST", { ...secret, rotate: true })).status, 409)
      assert.strictEqual((yield* ask(url, "POST", secret)).json.status, "ok")
      const rotated = { primary_secret: "efgh-0123456789-stuv", rotate: true }
      assert.strictEqual((yield* ask(url, "POST", rotated)).status, 200)
      assert.deepStrictEqual((yield* ask(url, "GET")).json, {
        customer_id: "local",
        primary_secret: "efgh****stuv",
        secondary_secret: "abcd****wxyz",
        has_secondary: true
      })
      assert.deepStrictEqual(revealed(yield* store.secrets("local")), {
        primary: rotated.primary_secret,
        secondary: secret.primary_secret
      })
      assert.strictEqual((yield* ask(url, "DELETE")).status, 200)
      assert.isUndefined(yield* store.secrets("local"))
    })
  )

  it.live("are refused by field, and never repeated", () =>
    Effect.gen(function* () {
      const { url } = yield* Double.make()
      for (const [body, field] of [
        [{}, "primary_secret"],
        [{ primary_secret: "short-secret" }, "primary_secret"],
        [{ ...secret, secondary_secret: "short-secret" }, "secondary_secret"],
        [{ ...secret, secondary_secret: secret.primary_secret }, "secondary_secret"],
        [{ ...secret, secondary_secret: "another-0123456789", rotate: true }, "secondary_secret"],
        [{ ...secret, rotate: "yes" }, "rotate"],
        [{ ...secret, primary: "x" }, "primary"]
      ] as const) {
        const { json, status } = yield* ask(url, "POST", body)
        assert.deepStrictEqual([status, json.field], [400, field])
        assert.notMatch(JSON.stringify(json), /short-secret|abcd-/)
      }
    })
  )
})
