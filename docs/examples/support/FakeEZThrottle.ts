/**
 * A stand-in for EZThrottle that speaks the real protocol over HTTP: the proxy envelope, jobs, duplicates by key,
 * webhook secrets, signed webhooks. It runs a job once, and only when somebody waits for the result.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createHash, createHmac, randomUUID } from "node:crypto"
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
  /** How the protocol names its state. */
  status: string
  result: Promise<WebhookBody> | undefined
}

interface WebhookBody {
  readonly job_id: string
  readonly idempotent_key: string
  readonly status: "success" | "failed"
  readonly response: { readonly status_code: number; readonly headers: Record<string, string>; readonly body: string }
  readonly metadata: Readonly<Record<string, unknown>>
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
  let secrets: ReadonlyArray<string> = []

  const submit = (body: JobBody): Answer => {
    const key = body.idempotent_key ?? hashOf(body)
    const known = jobs.find((job) => job.key === key)
    if (known !== undefined) {
      if (hashOf(known.body) !== hashOf(body)) {
        return { status: 422, json: { error: "this key belongs to another call", code: "key_reused" } }
      }
      return { status: 200, json: { job_id: known.id, status: known.status, idempotent_key: key, duplicate: true } }
    }
    const raced = (body.regions?.length ?? 0) > 1 && body.execution_mode !== "fanout"
    const job: Job = { id: `job_${randomUUID().slice(0, 8)}`, key, body, status: "queued", result: undefined }
    jobs.push(job)
    if (body.webhooks !== undefined) void run(job)
    return { status: 201, json: { job_id: job.id, status: raced ? "racing" : "queued", idempotent_key: key } }
  }

  const run = (job: Job): Promise<WebhookBody> => (job.result ??= perform(job))

  const perform = async (job: Job): Promise<WebhookBody> => {
    const { body, headers = {}, metadata = {}, method = "GET", url, webhooks = [] } = job.body
    const answer = await fetch(url, { method, headers, body: body ?? null })
    const status = answer.ok ? "success" : "failed"
    const response = {
      status_code: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: await answer.text()
    }
    job.status = answer.ok ? "succeeded" : "failed"
    const result = { job_id: job.id, idempotent_key: job.key, status, response, metadata } as const
    const text = JSON.stringify(result)
    await Promise.allSettled(
      webhooks.map((hook) =>
        fetch(hook.url, {
          method: "POST",
          headers: { "Content-Type": "application/json", ...signed(text, secrets) },
          body: text
        })
      )
    )
    return result
  }

  const view = async (id: string, wait: boolean): Promise<Answer> => {
    const job = jobs.find((job) => job.id === id)
    if (job === undefined) return { status: 404, json: { error: `no job ${id}`, code: "job_not_found" } }
    const result = wait ? await run(job) : undefined
    return { status: 200, json: { ...result, job_id: id, idempotent_key: job.key, status: job.status } }
  }

  const secret = (method: string, body: string): Answer => {
    if (method === "POST") {
      const { primary_secret, secondary_secret } = JSON.parse(body)
      secrets = [primary_secret, secondary_secret].filter((secret) => secret !== undefined)
      return { status: 200, json: { status: "ok", message: "secrets set" } }
    }
    if (secrets.length === 0) return { status: 404, json: { error: "no webhook secrets" } }
    if (method === "DELETE") {
      secrets = []
      return { status: 200, json: { status: "ok", message: "secrets deleted" } }
    }
    const [primary, secondary] = secrets.map((text) => `${text.slice(0, 4)}****${text.slice(-4)}`)
    const json = { customer_id: "quickstart", primary_secret: primary, secondary_secret: secondary ?? null }
    return { status: 200, json: { ...json, has_secondary: secondary !== undefined } }
  }

  const dispatch = (method: string, path: string, body: string): Answer | Promise<Answer> => {
    const [, id, wait] = /^\/api\/v1\/jobs\/([^/]+)(\/wait)?$/.exec(path) ?? []
    if (id !== undefined && method === "GET") return view(id, wait !== undefined)
    if (path === "/api/v1/jobs" && method === "POST") return submit(JSON.parse(body))
    if (path === "/api/v1/jobs" && method === "GET") {
      return {
        status: 200,
        json: { jobs: jobs.map(({ id, key, status }) => ({ job_id: id, idempotent_key: key, status })) }
      }
    }
    if (path === "/api/v1/webhook-secrets") return secret(method, body)
    return { status: 404, json: { error: "no such route", code: "not_found" } }
  }

  /** What the caller wants is inside an envelope; so is the answer. Only the path of the target counts. */
  const proxy = async (envelope: { target_url: string; method: string; body: string }): Promise<Answer> => {
    const { json, status } = await dispatch(envelope.method, new URL(envelope.target_url).pathname, envelope.body)
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
        : await (proxied ? proxy(JSON.parse(body)) : dispatch(request.method ?? "", pathname, body))
    response.writeHead(status, { "Content-Type": "application/json" })
    response.end(JSON.stringify(json))
  })

  return { url, apiKey, jobs, jobFor: (target) => jobs.find((job) => job.body.url === target) }
})

const hashOf = ({ body = "", method = "GET", url }: JobBody): string =>
  createHash("sha256")
    .update([method, url, body].map((part) => `${Buffer.byteLength(part)}:${part}`).join(""))
    .digest("hex")

/** The secondary's signature first and the primary's last, as the protocol has it. */
const signed = (text: string, secrets: ReadonlyArray<string>): Readonly<Record<string, string>> => {
  if (secrets.length === 0) return {}
  const t = Math.floor(Date.now() / 1000)
  const macs = secrets.map((secret) => createHmac("sha256", secret).update(`${t}.${text}`).digest("hex"))
  return { "X-EZThrottle-Signature": [`t=${t}`, ...macs.toReversed().map((mac) => `v1=${mac}`)].join(",") }
}
