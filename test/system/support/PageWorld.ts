/** A dam and what is around it, for people to look at: hosts that answer, refuse, ask to wait or take their time. */
import { mkdtempSync, writeFileSync } from "node:fs"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { type AddressInfo, connect, type Server } from "node:net"
import { join } from "node:path"
import { ask, start } from "./DamProcess.ts"

export interface World {
  readonly url: string
  readonly pid: number | undefined
  /** The URL of a path of a host `name.example`. */
  readonly at: (name: string, path: string) => string
  /** Lets the calls to `/gate/name` through, those that wait and those to come. */
  readonly open: (gate: string) => void
  /** Receivers take what they refused before. */
  readonly receiversRecover: () => void
  /** Submits a job; answers its id. */
  readonly submit: (job: Readonly<Record<string, unknown>>) => Promise<string>
  readonly close: () => Promise<unknown>
}

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", () => resolve()))
  return (server.address() as AddressInfo).port
}

/** A way out of its own, so that a race has somewhere to start from. */
const proxy = (delay: number): Server =>
  createServer().on("connect", ({ url = "" }: IncomingMessage, client) => {
    const target = connect(Number(url.split(":").at(-1)), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n")
      setTimeout(() => client.pipe(target).pipe(client), delay)
    })
    target.on("error", () => client.destroy())
    client.on("error", () => target.destroy())
    client.on("close", () => target.destroy())
  })

const upstream = (gates: Map<string, Array<() => void> | "open">, hooks: { takes: boolean }): Server => {
  const calls = new Map<string, number>()
  return createServer((request: IncomingMessage, response: ServerResponse) => {
    const { url = "" } = request
    const [, kind = "", value = ""] = url.split(/[/?]/)
    const answer = (status: number, headers: Readonly<Record<string, string>> = {}) => {
      response.writeHead(status, {
        "content-type": "application/json",
        "set-cookie": "session=s3cret-cookie",
        ...headers
      })
      response.end(JSON.stringify({ path: url.split("?")[0], status }))
    }
    request.resume().on("end", () => {
      const call = (calls.get(url) ?? 0) + 1
      calls.set(url, call)
      if (kind === "status") answer(Number(value))
      else if (kind === "delay") setTimeout(() => answer(200), Number(value))
      else if (kind === "flaky") setTimeout(() => answer(call <= 2 ? 503 : 200), 60)
      else if (kind === "wait") answer(429, { "retry-after": value })
      else if (kind === "hook") answer(hooks.takes ? 204 : Number(value))
      else if (kind === "large") {
        response.writeHead(200, { "content-type": "application/json" })
        response.end(`[12345678901234567890,"${"y".repeat(Number(value))}"]`)
      } else if (kind === "gate") {
        const waiting = gates.get(value) ?? []
        if (waiting === "open") answer(200)
        else gates.set(value, [...waiting, () => answer(200)])
      } else answer(200)
    })
  })
}

export const make = async (bin: string, folder: string, keys?: string): Promise<World> => {
  const gates = new Map<string, Array<() => void> | "open">()
  const hooks = { takes: false }
  const servers = [upstream(gates, hooks), proxy(10), proxy(90), proxy(160)]
  const [port, iad, lax, fra] = await Promise.all(servers.map(listen))
  const place = mkdtempSync(join(folder, "page-"))
  const at = (name: string, path: string) => `http://${name}.example:${port}${path}`
  const config = join(place, "dam.yaml")
  writeFileSync(
    config,
    `
pacing:
  default: { rps: 200, max_concurrent: 20 }
  hosts:
    "${at("api.payments", "")}": { rps: 5, max_concurrent: 4 }
    "${at("reports", "")}": { rps: 0.5, max_concurrent: 1 }
    "${at("catalog", "")}": { rps: 20, max_concurrent: 10 }
regions:
  iad: { proxy: "http://127.0.0.1:${iad}" }
  lax: { proxy: "http://127.0.0.1:${lax}" }
  fra: { proxy: "http://127.0.0.1:${fra}" }
webhooks:
  schedule: [0 seconds, 400 millis, 700 millis]
`
  )
  const keyArgs: Array<string> = []
  if (keys !== undefined) {
    const file = join(place, "keys.txt")
    writeFileSync(file, keys)
    keyArgs.push("--keys-file", file)
  }
  const args = ["--port", "0", "--db", join(place, "dam.db"), "--config", config, "--allow-private", ...keyArgs]
  const dam = await start(bin, args, { nodeArgs: ["--import", join(import.meta.dirname, "names.ts")] })
  return {
    url: dam.url,
    pid: dam.pid,
    at,
    open: (gate) => {
      const waiting = gates.get(gate)
      gates.set(gate, "open")
      if (Array.isArray(waiting)) for (const go of waiting) go()
    },
    receiversRecover: () => {
      hooks.takes = true
    },
    submit: async (job) => {
      const { body, status } = await ask(`${dam.url}/api/v1/jobs`, { body: job })
      if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`)
      return body.job_id
    },
    close: async () => {
      dam.signal("SIGKILL")
      await dam.ended
      for (const server of servers) {
        server.close()
        if ("closeAllConnections" in server && typeof server.closeAllConnections === "function")
          server.closeAllConnections()
      }
    }
  }
}

/** Waits for a job to have ended, and its webhooks to be settled. */
export const settled = async ({ url }: Pick<World, "url">, id: string): Promise<any> => {
  for (;;) {
    const { body } = await ask(`${url}/api/v1/jobs/${id}/wait?timeout_ms=20000`)
    if (body.delivery_status !== "pending") return body
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Fills a dam with what is met in life; answers the jobs that are worth a look. */
export const fill = async (world: World) => {
  const { at, submit } = world
  const hook = (path: string) => [{ url: at("hooks.shop", path) }]
  const headers = {
    authorization: "Bearer token-of-the-shop",
    "content-type": "application/json",
    "x-tenant": "shop-7"
  }
  const body = JSON.stringify({ order: 4711, amount: "19.90", currency: "EUR" })
  const race = await submit({
    url: at("search", "/items"),
    regions: ["iad", "lax", "fra"],
    execution_mode: "race",
    webhooks: hook("/hook/503/race")
  })
  const retried = await submit({
    url: at("api.crm", "/flaky/contacts"),
    method: "POST",
    headers,
    body,
    regions: ["iad", "lax"],
    retry_policy: { max_retries: 3, max_reroutes: 1 },
    webhooks: hook("/hook/503/crm"),
    metadata: { tenant: "shop-7" }
  })
  await submit({ url: at("api.crm", "/status/422"), method: "POST", body, webhooks: hook("/hook/410/orders") })
  await settled(world, retried)
  await settled(world, race)
  for (let n = 0; n < 6; n++) await submit({ url: at("partner", `/wait/240?n=${n}`) })
  for (let n = 0; n < 400; n++)
    await submit({ url: at("api.payments", `/delay/300?charge=${n}`), method: "POST", headers, body })
  for (let n = 0; n < 90; n++) await submit({ url: at("reports", `/delay/900?month=${n}`) })
  for (let n = 0; n < 2000; n++) await submit({ url: at("catalog", `/delay/30?page=${n}`) })
  await ask(`${world.url}/api/v1/lanes/${new URL(at("mail", "/")).host}/pause`, {
    body: { note: "the provider asked us to stop until Monday" }
  })
  await ask(`${world.url}/api/v1/lanes/${new URL(at("reports", "/")).host}/pace`, { body: { rps: 1 } })
  for (let n = 0; n < 14; n++) await submit({ url: at("mail", `/send?n=${n}`), method: "POST" })
  await submit({ url: at("api.crm", "/nightly"), retry_at: Date.now() + 3_600_000 })
  return { race, retried }
}
