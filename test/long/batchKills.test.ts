/**
 * A dam that is killed again and again under jobs that stand in orders and under batches that are all or nothing, called off,
 * and run again: per key never two at once and never out of order, of a batch all jobs or none, and each of them once.
 */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { type Built, build } from "../system/support/Built.ts"
import { ask, type DamProcess, endAll, start } from "../system/support/DamProcess.ts"

const kills = Number(process.env["KILLS"] ?? 8)
const keys = 6
const perKey = 30
const together = 120
const deadline = 60_000

let built: Built
let server: Server
let upstream: string

interface Call {
  readonly path: string
  readonly at: number
  /** Whether another of its key was under way. */
  readonly beside: boolean
}
const calls: Array<Call> = []

/** Answers `/order/K/N` slowly and sees who is there meanwhile, `/bad` with 400, the first time. */
const listen = (): Promise<string> => {
  const open = new Map<string, number>()
  let isBad = true
  server = createServer((request, response) => {
    const path = request.url ?? ""
    if (path === "/heal") isBad = false
    const key = path.split("/")[2] ?? ""
    const isOrdered = path.startsWith("/order/")
    const count = open.get(key) ?? 0
    calls.push({ path, at: calls.length, beside: isOrdered && count > 0 })
    const end = (status: number) => {
      response.writeHead(status).end("{}")
    }
    if (!isOrdered) return end(path.startsWith("/rerun/") && isBad ? 400 : 200)
    open.set(key, count + 1)
    // its caller may be killed meanwhile, and is not there any more then
    response.on("close", () => open.set(key, (open.get(key) ?? 1) - 1))
    setTimeout(() => end(200), 5 + 20 * Math.random())
  })
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`)
    })
  })
}

beforeAll(async () => {
  built = await build()
  upstream = await listen()
})

afterAll(async () => {
  await endAll()
  server.closeAllConnections()
  server.close()
  built.remove()
})

/** Asks until the dam is there to answer. */
const surely = async (url: string, options?: Parameters<typeof ask>[1]): Promise<any> => {
  const until = Date.now() + deadline
  let last: number | undefined
  for (;;) {
    try {
      const answer = await ask(url, options)
      // done already, where the answer was lost
      if (answer.status < 300 || answer.status === 409) return answer
      last = answer.status
    } catch {
      // it was killed
    }
    if (Date.now() > until) throw new Error(`${url} was not answered well, but with ${last}`)
    await sleep(20)
  }
}

const batchOf = (url: string, id: string, jobs: ReadonlyArray<object>, more = "") =>
  surely(`${url}/api/v1/batches?batch_id=${id}${more}`, { method: "POST", body: { jobs } })

/** A batch once it has ended. */
const ended = async (url: string, id: string): Promise<any> => {
  const until = Date.now() + deadline
  for (;;) {
    const { body } = await surely(`${url}/api/v1/batches/${id}`)
    if (body.status === "ended") return body
    if (Date.now() > until) throw new Error(`${id} did not end: ${JSON.stringify(body)}`)
    await sleep(50)
  }
}

const pathsOf = (prefix: string) => calls.filter(({ path }) => path.startsWith(prefix)).map(({ path }) => path)

it(`keeps orders and batches whole while it is killed ${kills} times`, async () => {
  const db = join(built.folder, "batches.db")
  const config = join(built.folder, "batches.yaml")
  writeFileSync(config, `pacing:\n  hosts:\n    "${upstream}": { rps: 1000, max_concurrent: 50 }\n`)
  const args = (port: number) => ["--db", db, "--config", config, "--allow-private", "--port", String(port)]
  let dam: DamProcess = await start(built.bin, args(0))
  const { port, url } = dam
  const working = new AbortController()
  const killing = (async () => {
    for (let killed = 0; killed < kills && !working.signal.aborted; killed++) {
      await sleep(300 + 500 * Math.random())
      dam.signal("SIGKILL")
      await dam.ended
      dam = await start(built.bin, args(port))
    }
  })()

  const ordered = Promise.all(
    Array.from({ length: keys }, async (_, key) => {
      for (let n = 0; n < perKey; n++) {
        const job = {
          url: `${upstream}/order/${key}/${n}`,
          idempotent_key: `${key}/${n}`,
          in_order: { key: `key ${key}` }
        }
        await surely(`${url}/api/v1/jobs`, { body: job })
      }
    })
  )
  const whole = (prefix: string) => Array.from({ length: together }, (_, n) => ({ url: `${upstream}/${prefix}/${n}` }))
  const later = Date.now() + 3_600_000
  const batches = Promise.all([
    batchOf(url, "together", whole("together"), "&together=true"),
    batchOf(url, "rerun", whole("rerun"), "&together=true"),
    batchOf(
      url,
      "cancel",
      whole("cancel").map((job) => ({ ...job, retry_at: later })),
      "&together=true"
    )
  ])
  await batches
  await surely(`${url}/api/v1/batches/cancel/cancel`, { method: "POST" })
  const [all, cancelled, failed] = [await ended(url, "together"), await ended(url, "cancel"), await ended(url, "rerun")]
  await fetch(`${upstream}/heal`)
  const again = await surely(`${url}/api/v1/batches/rerun/rerun`, { method: "POST" })
  const rerun = await ended(url, again.body.batch_id)
  await ordered
  await killing
  const until = Date.now() + deadline
  for (;;) {
    const { body } = await surely(
      `${url}/api/v1/jobs?limit=1&status=queued&status=running&status=scheduled&status=parked`
    )
    if (body.jobs.length === 0) break
    if (Date.now() > until) throw new Error("jobs are left over")
    await sleep(100)
  }

  assert.deepStrictEqual([all.accepted, all.jobs.succeeded], [together, together])
  assert.strictEqual(new Set(pathsOf("/together/")).size, together)
  assert.deepStrictEqual([cancelled.accepted, cancelled.jobs.cancelled], [together, together])
  assert.deepStrictEqual(pathsOf("/cancel/"), [])
  assert.deepStrictEqual([failed.accepted, failed.jobs.failed], [together, together])
  assert.deepStrictEqual([rerun.accepted, rerun.jobs.succeeded], [together, together])
  for (let key = 0; key < keys; key++) {
    const seen = pathsOf(`/order/${key}/`).map((path) => Number(path.split("/")[3]))
    // what was under way at a kill is called once more, before anything after it
    const first = seen.filter((n, place) => seen.indexOf(n) === place)
    assert.deepStrictEqual(
      first,
      Array.from({ length: perKey }, (_, n) => n),
      `key ${key}`
    )
    assert.deepStrictEqual(
      seen,
      seen.toSorted((one, other) => one - other),
      `key ${key}`
    )
  }
  assert.deepStrictEqual(
    calls.filter(({ beside }) => beside),
    []
  )
  working.abort()
  dam.signal("SIGTERM")
  assert.strictEqual((await dam.ended).with, 0)
}, 300_000)
