/**
 * A stand-in for EZThrottle that speaks the real protocol over HTTP: the proxy envelope, jobs, duplicates by key. It
 * takes jobs and runs none, so that what was forwarded can be looked at; the dam is what runs them.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createHash, randomUUID } from "node:crypto"
import { bodyOf, serve } from "./Loopback.ts"

/** What came in, as it was spelled. */
export interface JobBody {
  readonly url: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly webhooks?: ReadonlyArray<{ readonly url: string; readonly has_quorum_vote?: boolean }>
  readonly webhook_quorum?: number
  readonly regions?: ReadonlyArray<string>
  readonly execution_mode?: string
  readonly retry_policy?: Readonly<Record<string, unknown>>
  readonly fallback_job?: JobBody & { readonly trigger?: Readonly<Record<string, unknown>> }
  readonly on_success?: JobBody
  readonly on_failure?: JobBody
  readonly on_failure_timeout_ms?: number
  readonly idempotent_key?: string
  readonly retry_at?: number
}

/** A job it accepted. */
export interface Job {
  readonly id: string
  readonly key: string
  readonly body: JobBody
}

interface Answer {
  readonly status: number
  readonly json: unknown
}

export interface FakeEZThrottle {
  readonly url: string
  readonly apiKey: string
  /** Every job it accepted; a duplicate is not one. */
  readonly jobs: ReadonlyArray<Job>
  /** The accepted job for a target. */
  readonly jobFor: (url: string) => Job | undefined
}

const apiKey = "quickstart-key"

export const make: Effect.Effect<FakeEZThrottle, never, Scope.Scope> = Effect.gen(function* () {
  const jobs: Array<Job> = []

  const submit = (body: JobBody): Answer => {
    const key = body.idempotent_key ?? hashOf(body)
    const known = jobs.find((job) => job.key === key)
    if (known !== undefined) {
      if (hashOf(known.body) !== hashOf(body)) {
        return { status: 422, json: { error: "this key belongs to another call", code: "key_reused" } }
      }
      return { status: 200, json: { job_id: known.id, status: "queued", idempotent_key: key, duplicate: true } }
    }
    const raced = (body.regions?.length ?? 0) > 1 && body.execution_mode !== "fanout"
    const job: Job = { id: `job_${randomUUID().slice(0, 8)}`, key, body }
    jobs.push(job)
    return { status: 201, json: { job_id: job.id, status: raced ? "racing" : "queued", idempotent_key: key } }
  }

  const dispatch = (method: string, path: string, body: string): Answer =>
    path === "/api/v1/jobs" && method === "POST"
      ? submit(JSON.parse(body))
      : { status: 404, json: { error: "no such route", code: "not_found" } }

  /** What the caller wants is inside an envelope; so is the answer. Only the path of the target counts. */
  const proxy = (envelope: { target_url: string; method: string; body: string }): Answer => {
    const { json, status } = dispatch(envelope.method, new URL(envelope.target_url).pathname, envelope.body)
    const headers = { "content-type": "application/json" }
    const forwarded_response = { status_code: status, headers, body: JSON.stringify(json) }
    return { status: 200, json: { status: "allowed", forwarded_response } }
  }

  const url = yield* serve(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://service")
    const proxied = pathname === "/api/v1/proxy"
    const body = await bodyOf(request)
    const { json, status } =
      request.headers.authorization !== `Bearer ${apiKey}`
        ? { status: proxied ? 200 : 401, json: { status: "denied", error: "unknown API key" } }
        : proxied
          ? proxy(JSON.parse(body))
          : dispatch(request.method ?? "", pathname, body)
    response.writeHead(status, { "Content-Type": "application/json" })
    response.end(JSON.stringify(json))
  })

  return { url, apiKey, jobs, jobFor: (target) => jobs.find((job) => job.body.url === target) }
})

const hashOf = ({ body = "", method = "GET", url }: JobBody): string =>
  createHash("sha256")
    .update([method, url, body].map((part) => `${Buffer.byteLength(part)}:${part}`).join(""))
    .digest("hex")
