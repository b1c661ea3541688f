/** What the machine does to a dam: files that vanish, sockets that run out, bytes that trickle, a clock that is set. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { type Built, build } from "./support/Built.ts"
import * as DamProcess from "./support/DamProcess.ts"
import * as Loopback from "./support/Loopback.ts"

let built: Built
let upstream: Loopback.Loopback

beforeAll(async () => {
  built = await build()
  upstream = await Loopback.upstream()
})

afterAll(async () => {
  await DamProcess.endAll()
  await upstream.close()
  built.remove()
})

const start = (name: string, options?: DamProcess.LaunchOptions) => {
  const config = join(built.folder, "machine.yaml")
  writeFileSync(config, "pacing: { default: { rps: 1000, max_concurrent: 100 } }\n")
  const args = ["--db", join(built.folder, `${name}.db`), "--config", config, "--port", "0", "--allow-private"]
  return DamProcess.start(built.bin, args, options)
}

let nthJob = 0

/** Hands in a job of its own, whatever was handed in before. */
const submit = (dam: DamProcess.DamProcess, body: object) =>
  DamProcess.ask(`${dam.url}/api/v1/jobs`, { body: { method: "POST", idempotent_key: `job ${++nthJob}`, ...body } })

const waitFor = async (dam: DamProcess.DamProcess, id: string) => {
  while (true) {
    const { body } = await DamProcess.ask(`${dam.url}/api/v1/jobs/${id}/wait?timeout_ms=30000`)
    if (["succeeded", "failed", "cancelled"].includes(body.status)) return body
    assert.isString(body.status, JSON.stringify(body))
  }
}

const mebibytes = ({ pid }: DamProcess.DamProcess) => {
  const [, kibibytes = "0"] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
  return Number(kibibytes) / 1024
}

describe("a dam on a machine", () => {
  it("whose file is deleted acknowledges nothing that nobody would find again", async () => {
    const dam = await start("deleted")
    const job = { url: `${upstream.url}/status/200` }
    assert.strictEqual((await submit(dam, job)).status, 201)
    rmSync(join(built.folder, "deleted.db"))
    const refused = await submit(dam, job)
    assert.deepInclude(refused.body, { code: "storage_lost" })
    assert.strictEqual(refused.status, 503)
    const health = await DamProcess.ask(`${dam.url}/health`)
    assert.strictEqual(health.status, 503)
    assert.include(JSON.stringify(health.body), "deleted, renamed or replaced")
  })

  it.skipIf(process.platform === "win32")(
    "that runs out of sockets loses no job, and says so",
    async () => {
      const dam = await start("sockets", { under: ["sh", "-c", 'ulimit -n 70; exec "$0" "$@"'] })
      const ids: Array<string> = []
      for (let nth = 0; nth < 60; nth++) {
        const { body, status } = await submit(dam, { url: `${upstream.url}/delay/1?${nth}` })
        assert.strictEqual(status, 201)
        ids.push(body.job_id)
      }
      let health = await DamProcess.ask(`${dam.url}/health`)
      while (health.body.status === "ok" && upstream.seen.length < ids.length) {
        health = await DamProcess.ask(`${dam.url}/health`)
      }
      assert.strictEqual(health.body.status, "degraded", `${JSON.stringify(health.body)} ${dam.output()}`)
      assert.include(health.body.shortage.problem, "EMFILE")
      for (const id of ids) assert.strictEqual((await waitFor(dam, id)).status, "succeeded")
    },
    90_000
  )

  it.skipIf(process.platform !== "linux")(
    "that is answered byte by byte keeps what the bodies weigh",
    async () => {
      const size = 8000
      const trickling = createServer((_, response) => {
        let left = size
        const next = (): void => {
          if (left-- === 0) return void response.end()
          response.write("x")
          setImmediate(next)
        }
        next()
      })
      await new Promise<void>((resolve) => trickling.listen(0, "127.0.0.1", () => resolve()))
      const address = trickling.address()
      const port = typeof address === "object" ? address?.port : 0
      const dam = await start("bytes")
      const warm = await submit(dam, { url: `http://127.0.0.1:${port}/` })
      await waitFor(dam, warm.body.job_id)
      const before = mebibytes(dam)
      const jobs = await Promise.all(
        Array.from({ length: 40 }, (_, nth) => submit(dam, { url: `http://127.0.0.1:${port}/${nth}` }))
      )
      for (const { body } of jobs) {
        assert.match(JSON.stringify(await waitFor(dam, body.job_id)), /"x{8000}"/)
      }
      assert.isBelow(mebibytes(dam) - before, 150)
      trickling.closeAllConnections()
      trickling.close()
    },
    60_000
  )

  it.skipIf(process.platform === "win32")(
    "whose clock is set starts what is due by it, within seconds",
    async () => {
      const file = join(built.folder, "offset")
      // the wall clock of the process and of its threads is set whenever it is told to look; time goes on as it is
      const patch = `import { readFileSync } from "node:fs"
      const real = Date.now
      let offset = 0
      Date.now = () => real() + offset
      process.on("SIGUSR2", () => { offset = Number(readFileSync(${JSON.stringify(file)}, "utf8")) })`
      writeFileSync(file, "0")
      const dam = await start("clock", { nodeArgs: ["--import", `data:text/javascript,${encodeURIComponent(patch)}`] })
      const set = (millis: number) => {
        writeFileSync(file, String(millis))
        dam.signal("SIGUSR2")
      }
      const hour = 3_600_000
      const due = await submit(dam, { url: `${upstream.url}/status/200?due`, retry_at: Date.now() + hour })
      const later = await submit(dam, { url: `${upstream.url}/status/200?later`, retry_at: Date.now() + 5 * hour })
      const from = performance.now()
      set(2 * hour)
      assert.strictEqual((await waitFor(dam, due.body.job_id)).status, "succeeded")
      assert.isBelow(performance.now() - from, 10_000)
      // back again: what is accepted now is done now, and what is due later stays so
      set(-2 * hour)
      const now = await submit(dam, { url: `${upstream.url}/status/200?now` })
      assert.strictEqual((await waitFor(dam, now.body.job_id)).status, "succeeded")
      const still = await DamProcess.ask(`${dam.url}/api/v1/jobs/${later.body.job_id}`)
      assert.strictEqual(still.body.status, "scheduled")
    },
    60_000
  )
})
