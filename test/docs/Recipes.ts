/** The programs of docs/guide/recipes.md, and the world that each of them is run in. */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { createServer, type IncomingHttpHeaders, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { snippetsOf } from "./Markdown.ts"

export const root = fileURLToPath(new URL("../..", import.meta.url))
const page = "docs/guide/recipes.md"

/** Every program of the page, below its heading. */
export const programs: ReadonlyMap<string, ReadonlyArray<string>> = (() => {
  const rows = readFileSync(join(root, page), "utf8").split("\n")
  const headingOf = (line: number) =>
    rows
      .slice(0, line)
      .findLast((row) => row.startsWith("## "))
      ?.slice(3) ?? ""
  const found = Map.groupBy(snippetsOf(root, page), ({ line }) => headingOf(line))
  return new Map([...found].map(([heading, snippets]) => [heading, snippets.map(({ code }) => code)]))
})()

export const webhookSecret = "a-secret-of-these-recipes"

/** What a program of this page answers. */
export type App = (request: Request) => Promise<Response>

interface Call {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** The target, and the door that webhooks come in by. Calls that are no job's fail while the target is down. */
export interface World {
  readonly target: string
  readonly calls: ReadonlyArray<Call>
  readonly hooks: string
  /** What the receiver answered to whom, once there are as many. */
  readonly told: (count: number) => Promise<ReadonlyArray<{ readonly jobId: string; readonly answer: string }>>
  readonly setDown: (isDown: boolean) => void
  /** Leaves out the calls that there were so far. */
  readonly forget: () => void
  readonly serve: (app: App) => void
  /** A program of the page with the hosts of this world. */
  readonly placed: (code: string) => string
  readonly close: () => Promise<void>
}

const listen = async (answer: (call: Call) => Promise<readonly [status: number, body: string]>) => {
  const server: Server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk) => chunks.push(chunk))
    request.on("end", () => {
      const { headers, url: path = "" } = request
      void answer({ path, headers, body: Buffer.concat(chunks).toString() }).then(([status, body]) =>
        response.writeHead(status).end(body)
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

export const make = async (): Promise<World> => {
  let isDown = false
  let app: App = () => Promise.resolve(new Response(null, { status: 503 }))
  const calls: Array<Call> = []
  const told: Array<{ readonly jobId: string; readonly answer: string }> = []
  const waiting = new Set<() => void>()

  const target = await listen(async (call) => {
    calls.push(call)
    return isDown && call.headers["x-ezthrottle-attempt"] === undefined ? [503, "down"] : [201, `made ${call.path}`]
  })
  const hooks = await listen(async ({ body, headers, path }) => {
    const entries = Object.entries(headers).map(([name, value]) => [name, String(value)])
    const answer = await app(
      new Request(`https://me.example.com${path}`, { method: "POST", headers: Object.fromEntries(entries), body })
    )
    const text = await answer.text()
    told.push({ jobId: JSON.parse(body).job_id, answer: text })
    for (const look of waiting) look()
    return [answer.status, text]
  })
  return {
    target: target.url,
    calls,
    hooks: hooks.url,
    told: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (told.length < count) return
          waiting.delete(look)
          resolve(told)
        }
        waiting.add(look)
        look()
      }),
    setDown: (value) => (isDown = value),
    forget: () => void calls.splice(0),
    serve: (value) => (app = value),
    placed: (code) =>
      code
        .replaceAll("https://api.example.com", target.url)
        .replaceAll("https://me.example.com/hooks", `${hooks.url}/hooks`),
    close: async () => void (await Promise.all([target.close(), hooks.close()]))
  }
}

const post = (path: string, body: unknown) =>
  new Request(`https://me.example.com${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })

/** What every program of the page promises, over a service that signs with `webhookSecret`. */
export const keepsItsPromises = async (world: World, app: App): Promise<void> => {
  world.serve(app)
  const well = await app(post("/orders", { id: "1", item: "tea" }))
  assert.deepStrictEqual([well.status, await well.text()], [201, "made /orders"])
  assert.lengthOf(world.calls, 1)

  world.setDown(true)
  const forwarded = await app(post("/orders", { id: "2", item: "tea" }))
  assert.strictEqual(forwarded.status, 202, await forwarded.clone().text())
  const { job: order } = await forwarded.json()
  // one attempt and two retries from here, then the job's
  await world.told(1)
  assert.lengthOf(world.calls, 5)
  assert.deepStrictEqual([...new Set(world.calls.slice(1).map(({ body }) => body))], ['{"id":"2","item":"tea"}'])
  assert.strictEqual(world.calls.at(-1)?.headers["idempotency-key"], "order-2")

  const submitted = await app(post("/reports", { month: "2026-10" }))
  assert.strictEqual(submitted.status, 202)
  const { job: report } = await submitted.json()
  const handled = await world.told(2)
  assert.deepStrictEqual(
    handled.map(({ answer, jobId }) => [jobId, JSON.parse(answer)]),
    [order, report].map((id) => [id, { status: "handled" }])
  )
  assert.strictEqual(world.calls.at(-1)?.path, "/reports/2026-10")

  const unsigned = await app(post("/hooks", { job_id: "job_1", status: "success" }))
  assert.strictEqual(unsigned.status, 401)
  await unsigned.text()
}
