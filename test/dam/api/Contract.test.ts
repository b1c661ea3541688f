import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as AnotherDam from "../egress/AnotherDam.ts"
import { answerOf, faultsIn } from "./Document.ts"

/** What is asked of a dam, and the path as it is described. */
interface Asked {
  readonly path: string
  readonly described?: string
  readonly method?: string
  readonly body?: unknown
  readonly status?: number
}

/** Asks, and holds what is answered against the description. */
const ask = (
  url: string,
  { body, described, method = body === undefined ? "GET" : "POST", path, status = 200 }: Asked
) =>
  Effect.promise(async () => {
    const answer = await fetch(url + path, {
      method,
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      headers: { "content-type": "application/json" }
    })
    const json: any = await answer.json()
    assert.strictEqual(answer.status, status, `${method} ${path}: ${JSON.stringify(json)}`)
    const faults = faultsIn(json, answerOf(method, described ?? path.replace(/\?.*/, ""), status))
    assert.deepStrictEqual(faults, [], `${method} ${path}`)
    return json
  })

const one = "/api/v1/jobs/{id}"

describe("what a dam answers, held against what its description says", () => {
  it.live("is described to the last field: jobs, in every stage, in both dialects", () =>
    Effect.gen(function* () {
      const { url } = yield* AnotherDam.listening()
      const target = yield* AnotherDam.target((call, response) => {
        if (call.path === "/bad") response.writeHead(503).end("no")
        else if (call.path === "/cut") response.destroy()
        else response.end("fine")
      })
      const job = { url: `${target.url}/good`, idempotent_key: "k", webhooks: [{ url: `${target.url}/bad` }] }
      const { job_id: id } = yield* ask(url, { path: "/api/v1/jobs", body: job, status: 201 })
      yield* ask(url, { path: `/api/v1/jobs/${id}/wait`, described: `${one}/wait` })
      assert.isTrue((yield* ask(url, { path: "/api/v1/jobs", body: job })).duplicate)
      const again = { ...job, method: "PUT" }
      assert.strictEqual((yield* ask(url, { path: "/api/v1/jobs", body: again, status: 422 })).job_id, id)
      yield* ask(url, { path: `/api/v1/jobs/${id}/rerun`, described: `${one}/rerun`, method: "POST", status: 201 })
      const cancel = { path: `/api/v1/jobs/${id}/cancel`, described: `${one}/cancel`, method: "POST", status: 409 }
      assert.strictEqual((yield* ask(url, cancel)).state, "succeeded")

      const retry_policy = { max_retries: 0, max_reroutes: 0 }
      const broken = yield* ask(url, {
        path: "/api/v1/jobs",
        body: { url: `${target.url}/cut`, retry_policy },
        status: 201
      })
      const failed = yield* ask(url, { path: `/api/v1/jobs/${broken.job_id}/wait`, described: `${one}/wait` })
      assert.include(failed.attempts[0], { ending: "failed", error_tag: "ConnectionFailed", error_kind: "reset" })
      assert.isNotEmpty(failed.attempts[0].error_detail)
      const { failures } = yield* ask(url, { path: "/api/v1/failures?sort=largest", described: "/api/v1/failures" })
      assert.deepInclude(failures[0], { error_tag: "ConnectionFailed", error_kind: "reset", response_status: null })
      const later = { url: target.url, retry_at: Date.now() + 60_000, metadata: { tenant: "a" } }
      const { job_id: waiting } = yield* ask(url, { path: "/api/v1/jobs", body: later, status: 201 })
      yield* ask(url, { path: `/api/v1/jobs/${waiting}`, described: one })
      yield* ask(url, { path: `/api/v1/jobs/${waiting}/explain`, described: `${one}/explain` })
      yield* ask(url, { path: `/api/v1/jobs/${waiting}/cancel`, described: `${one}/cancel`, method: "POST" })
      yield* ask(url, { path: "/api/v1/jobs?limit=200" })

      const schedules = { described: "/api/v1/schedules/{name}", path: "/api/v1/schedules/often" }
      const often = { every_ms: 86_400_000, job: { url: `${target.url}/good` } }
      yield* ask(url, { ...schedules, method: "PUT", body: often })
      const set = { path: "/api/v1/schedules", method: "PUT" }
      const sometimes = { ...often, every_ms: 172_800_000 }
      yield* ask(url, { ...set, body: { schedules: { often: sometimes, other: often }, delete: true, dry_run: true } })
      const run = { path: `${schedules.path}/run`, described: `${schedules.described}/run`, method: "POST" }
      const { last } = yield* ask(url, run)
      const fired = yield* ask(url, { path: `/api/v1/jobs/${last.job_id}/wait`, described: `${one}/wait` })
      assert.deepInclude(fired, { status: "succeeded" })
      assert.strictEqual(fired.metadata.schedule, "often")

      const flat = { user_id: "u", idempotent_key: "f", url: target.url, method: "GET", webhook_url: target.url }
      const { job_id: flatId } = yield* ask(url, { path: "/jobs", body: flat, status: 201 })
      yield* ask(url, { path: `/api/v1/jobs/${flatId}/wait`, described: `${one}/wait` })
      yield* ask(url, { path: "/jobs", body: flat })
      yield* ask(url, { path: `/jobs/${flatId}`, described: "/jobs/{id}" })
    })
  )

  it.live("is described to the last field: what operators see", () =>
    Effect.gen(function* () {
      const { url } = yield* AnotherDam.listening()
      const target = yield* AnotherDam.target((call, response) => {
        if (call.path === "/slow") response.writeHead(429, { "retry-after": "60.5" }).end()
        else if (call.path === "/gone") response.writeHead(410).end()
        else response.end("fine")
      })
      const told = { url: target.url, webhooks: [{ url: `${target.url}/gone` }] }
      const { job_id: id } = yield* ask(url, { path: "/api/v1/jobs", body: told, status: 201 })
      yield* ask(url, { path: `/api/v1/jobs/${id}/wait`, described: `${one}/wait` })
      let dead = []
      while (dead.length === 0) dead = (yield* ask(url, { path: "/api/v1/dead-letters" })).dead_letters
      assert.lengthOf((yield* ask(url, { path: "/api/v1/endpoints" })).endpoints, 1)
      yield* ask(url, { path: "/api/v1/endpoints/enable", body: { url: `${target.url}/gone` } })
      yield* ask(url, { path: "/api/v1/dead-letters/replay", body: { job_id: id } })
      yield* ask(url, { path: "/api/v1/dead-letters/purge", body: {} })

      const lane = encodeURIComponent(new URL(target.url).host)
      const steer = (verb: string, body: unknown) =>
        ask(url, { path: `/api/v1/lanes/${lane}/${verb}`, described: `/api/v1/lanes/{lane}/${verb}`, body })
      yield* steer("pause", { note: "why" })
      yield* steer("pace", { rps: 0.5 })
      yield* steer("resume", {})
      yield* ask(url, { path: "/api/v1/jobs", body: { url: `${target.url}/slow` }, status: 201 })
      let holds = []
      while (holds.length === 0) {
        holds = (yield* ask(url, { path: `/api/v1/lanes/${lane}`, described: "/api/v1/lanes/{lane}" })).holds
      }
      yield* ask(url, { path: "/api/v1/lanes" })
      yield* steer("reset", {})
      yield* ask(url, { path: `/api/v1/lanes/${lane}/log`, described: "/api/v1/lanes/{lane}/log" })
      const limit = { path: "/api/v1/limits/tokens", described: "/api/v1/limits/{name}" }
      yield* ask(url, { ...limit, method: "PUT", body: { rate: 5, settle: { json: "a.b" }, weights: { acme: 3 } } })
      yield* ask(url, limit)
      yield* ask(url, { path: "/api/v1/limits" })
      const limits = [{ name: "tokens", key: "a", cost: 2 }]
      const drawing = { url: `${target.url}/draws`, retry_at: Date.now() + 60_000, limits }
      const { job_id: drawer } = yield* ask(url, { path: "/api/v1/jobs", body: drawing, status: 201 })
      assert.deepStrictEqual((yield* ask(url, { path: `/api/v1/jobs/${drawer}`, described: one })).limits, limits)
      assert.strictEqual((yield* ask(url, { ...limit, method: "DELETE", status: 409 })).current, 1)
      yield* ask(url, { path: `/api/v1/jobs/${drawer}/cancel`, described: `${one}/cancel`, method: "POST" })
      yield* ask(url, { ...limit, method: "DELETE" })
      yield* ask(url, { ...limit, status: 404 })
      yield* ask(url, { path: "/api/v1/stats" })
      yield* ask(url, { path: "/api/v1/history?hours=168", described: "/api/v1/history" })
      yield* ask(url, { path: `/api/v1/history?lane=${lane}`, described: "/api/v1/history" })
      yield* ask(url, { path: "/health" })
      const secrets = "/api/v1/webhook-secrets"
      yield* ask(url, { path: secrets, body: { primary_secret: "a secret of some length" } })
      yield* ask(url, { path: secrets })
      yield* ask(url, { path: secrets, method: "DELETE" })
    })
  )

  it.live("is described to the last field: refusals", () =>
    Effect.gen(function* () {
      const { url } = yield* AnotherDam.listening()
      const refused = (body: unknown, status: number, path = "/api/v1/jobs") => ask(url, { path, body, status })
      assert.isNumber((yield* refused("{", 400)).position)
      assert.strictEqual((yield* refused({ urll: "https://example.com" }, 400)).nearest, "url")
      assert.strictEqual((yield* refused({ url: "ftp://example.com" }, 422)).reason, "SchemeNotAllowed")
      assert.strictEqual((yield* refused({ url: "https://example.com", retry_at: 1 }, 400)).field, "retry_at")
      yield* refused({ url: "https://example.com", limits: [{ name: "none" }] }, 400)
      yield* refused({}, 400, "/jobs")
      yield* refused({ rps: 0 }, 400, "/api/v1/dead-letters/replay")
      yield* refused({ primary_secret: "short" }, 400, "/api/v1/webhook-secrets")
      yield* ask(url, { path: "/api/v1/jobs?limit=0", status: 400 })
      yield* ask(url, { path: "/api/v1/jobs/none", described: one, status: 404 })
      yield* ask(url, { path: "/api/v1/webhook-secrets", status: 404 })
    })
  )
})
