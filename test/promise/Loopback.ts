/** Real servers on loopback: a target that answers as told, and a proxy that speaks the protocol of EZThrottle. */
import { createServer, type Server, type ServerResponse } from "node:http"
import { once } from "node:events"
import type { AddressInfo } from "node:net"

/** A request as a server saw it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: string
}

/** What to answer; `reset` closes the connection instead, `hang` leaves it open. */
export type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string | Uint8Array | object }
  | "reset"
  | "hang"

export interface Listening {
  readonly url: string
  readonly seen: Array<Seen>
  [Symbol.asyncDispose](): Promise<void>
}

export const listen = async (
  answer: (seen: Seen, response: ServerResponse) => Answer | Promise<Answer>
): Promise<Listening> => {
  const seen: Array<Seen> = []
  const server = createServer(async (request, response) => {
    let body = ""
    for await (const chunk of request) body += chunk
    const { headers, method = "", url = "" } = request
    const one = { method, path: url, headers, body }
    seen.push(one)
    give(response, await answer(one, response))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    [Symbol.asyncDispose]: () => stop(server)
  }
}

/** A URL on which nobody listens. */
export const nowhere = async (): Promise<string> => {
  await using server = await listen(() => "hang")
  return server.url
}

/** A call that came through the proxy, its envelope opened. */
export interface Call {
  readonly method: string
  readonly targetUrl: string
  readonly authorization: unknown
  /** The inner body, parsed. */
  readonly json: any
}

export interface Proxy extends Listening {
  readonly calls: Array<Call>
  /** The jobs that were submitted, in order. */
  readonly jobs: ReadonlyArray<any>
}

export interface ProxyOptions {
  /** What the service behind the proxy answers; `undefined` is the usual answer. */
  readonly service?: (call: Call) => { readonly status: number; readonly body: string | object } | undefined
  /** What the proxy itself answers; `undefined` lets the call through. */
  readonly proxy?: (call: Call) => Answer | undefined
  /** What the service answers to a direct GET below `/api/v1/jobs/`. Defaults to 404, as the cloud does. */
  readonly direct?: (seen: Seen) => Answer | Promise<Answer>
}

/** EZThrottle behind its proxy: takes jobs, knows one customer's webhook secrets. */
export const listenAsEzthrottle = async (options: ProxyOptions = {}): Promise<Proxy> => {
  const calls: Array<Call> = []
  const jobs: Array<any> = []
  const secrets: Secrets = {}
  const listening = await listen((seen) => {
    if (seen.path !== "/api/v1/proxy") return options.direct?.(seen) ?? { status: 404, body: "no such route" }
    const envelope = JSON.parse(seen.body)
    const call: Call = {
      method: envelope.method,
      targetUrl: envelope.target_url,
      authorization: seen.headers["authorization"],
      json: envelope.body === "" ? undefined : JSON.parse(envelope.body)
    }
    calls.push(call)
    const isJob = call.targetUrl.endsWith("/api/v1/jobs")
    if (isJob) jobs.push(call.json)
    const own = options.proxy?.(call)
    if (own !== undefined) return own
    const answer = options.service?.(call) ?? (isJob ? accepted(call.json, jobs.length) : secretsRoute(secrets, call))
    const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body)
    const forwarded_response = { status_code: answer.status, headers: {}, body }
    return { status: 200, body: { status: "allowed", forwarded_response } }
  })
  return { ...listening, calls, jobs }
}

interface Secrets {
  primary?: string
  secondary?: string | undefined
}

const accepted = (job: any, count: number) => ({
  status: 201,
  body: { job_id: `job-${count}`, status: "queued", idempotent_key: job.idempotent_key ?? "hashed" }
})

const secretsRoute = (secrets: Secrets, { json, method }: Call) => {
  if (method === "POST") {
    secrets.primary = json.primary_secret
    secrets.secondary = json.secondary_secret
    return { status: 200, body: { status: "ok", message: "Webhook secrets configured" } }
  }
  if (secrets.primary === undefined) return { status: 404, body: { error: "no secrets" } }
  if (method === "DELETE") {
    delete secrets.primary
    return { status: 200, body: { status: "ok", message: "Webhook secrets deleted" } }
  }
  const masked = (secret: string | undefined) => secret && `${secret.slice(0, 4)}****${secret.slice(-4)}`
  const body = {
    customer_id: "customer-1",
    primary_secret: masked(secrets.primary),
    secondary_secret: masked(secrets.secondary) ?? null,
    has_secondary: secrets.secondary !== undefined
  }
  return { status: 200, body }
}

const give = (response: ServerResponse, answer: Answer): void => {
  if (answer === "hang") return
  if (answer === "reset") {
    response.socket?.destroy()
    return
  }
  const { body = "", headers = {}, status } = answer
  const isRaw = typeof body === "string" || body instanceof Uint8Array
  response.writeHead(status, { ...(isRaw ? {} : { "content-type": "application/json" }), ...headers })
  response.end(isRaw ? body : JSON.stringify(body))
}

const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/** The error a promise rejects with; a promise that resolves is an error of the test. */
export const rejection = (promise: Promise<unknown>): Promise<any> =>
  promise.then(
    (value) => {
      throw new Error(`expected a rejection, but it resolved with ${JSON.stringify(value)}`)
    },
    (error: unknown) => error
  )
