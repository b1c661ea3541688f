/**
 * Very many lines into one batch: the dam is killed in the middle and the same lines are sent again. None becomes two jobs,
 * and neither side needs more memory for more lines. Beside it, what a job costs alone and in a batch.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { request } from "node:http"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as sleep } from "node:timers/promises"
import { type Built, build } from "../system/support/Built.ts"
import * as DamProcess from "../system/support/DamProcess.ts"

const lines = Number(process.env["LINES"] ?? 1_000_000)
const alone = Number(process.env["ALONE"] ?? 5000)

let built: Built

beforeAll(async () => {
  built = await build()
})

afterAll(async () => {
  await DamProcess.endAll()
  built.remove()
})

/** Nothing is called: every job waits for tomorrow. */
const tomorrow = Date.now() + 86_400_000
const job = (n: number) => `{"url":"http://127.0.0.1:9/n/${n}","retry_at":${tomorrow},"metadata":{"row":"${n}"}}`

interface Sent {
  readonly status: number
  readonly body: string
}

/** Streams lines as fast as they are taken, and no faster. */
const stream = (url: string, count: number, onLine: (n: number) => void): Promise<Sent> =>
  new Promise((resolve, reject) => {
    const sent = request(
      `${url}/api/v1/batches?batch_id=big`,
      { method: "POST", headers: { "content-type": "application/x-ndjson" } },
      (answer) => {
        let body = ""
        answer.setEncoding("utf8").on("data", (chunk: string) => (body += chunk))
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }))
      }
    )
    sent.on("error", reject)
    let n = 0
    const write = () => {
      while (n < count) {
        let text = ""
        for (const end = Math.min(count, n + 500); n < end; n++) text += `${job(n)}\n`
        onLine(n)
        if (!sent.write(text)) return void sent.once("drain", write)
      }
      sent.end()
    }
    write()
  })

const processorSeconds = (pid: number | undefined): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const residentMegabytes = (pid: number | undefined): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024

const start = (db: string) => DamProcess.start(built.bin, ["--db", db, "--port", "0", "--allow-private"])

describe("a batch of very many lines", () => {
  it(`takes ${lines} lines over a kill in the middle, none twice, in memory that does not grow`, async () => {
    const db = join(built.folder, "big.db")
    const first = await start(db)
    let killed = false
    await stream(first.url, lines, (n) => {
      if (killed || n < lines / 2) return
      killed = true
      first.signal("SIGKILL")
    }).catch(() => undefined)
    assert.isTrue(killed)
    await first.ended
    const second = await start(db)
    const known = (await (await fetch(`${second.url}/api/v1/batches/big`)).json()) as { readonly lines: number }
    assert.isAbove(known.lines, 0)
    assert.isBelow(known.lines, lines)
    const memory: Array<readonly [n: number, dam: number, client: number]> = []
    const began = performance.now()
    const spent = processorSeconds(second.pid)
    const { body, status } = await stream(second.url, lines, (n) => {
      if ((n % Math.ceil(lines / 20 / 500)) * 500 === 0) {
        memory.push([n, residentMegabytes(second.pid), process.memoryUsage().rss / 2 ** 20])
      }
    })
    const took = (performance.now() - began) / 1000
    assert.strictEqual(status, 200)
    const batch = JSON.parse(body)
    assert.deepInclude(batch, { lines, accepted: lines, duplicates: 0, refused: 0 })
    assert.strictEqual(batch.jobs.scheduled, lines)
    const cost = ((processorSeconds(second.pid) - spent) / (lines - known.lines)) * 1e6
    const news = memory.filter(([n]) => n > known.lines + (lines - known.lines) / 4)
    const grown = (side: 1 | 2) => (news.at(-1)?.[side] ?? 0) - (news[0]?.[side] ?? 0)
    console.log(
      `${known.lines} lines before the kill, then ${lines - known.lines} in ${took.toFixed(1)} s, ${cost.toFixed(0)} µs of processor each; ` +
        `dam ${news.at(-1)?.[1].toFixed(0)} MB (${grown(1).toFixed(0)} more than a quarter in), client ${news.at(-1)?.[2].toFixed(0)} MB (${grown(2).toFixed(0)} more)`
    )
    assert.isBelow(grown(1), 150)
    assert.isBelow(grown(2), 100)
    second.signal("SIGTERM")
    await second.ended
    const kept = new DatabaseSync(db, { readOnly: true })
    const count = kept.prepare("SELECT count(*) AS jobs, count(DISTINCT batch_line) AS lines FROM jobs").get()
    assert.deepStrictEqual({ ...count }, { jobs: lines, lines })
    kept.close()
  }, 3_600_000)

  it("costs less for each job than jobs that come one by one", async () => {
    const dam = await start(join(built.folder, "rate.db"))
    const costOf = async (jobs: number, hand: () => Promise<unknown>) => {
      const before = processorSeconds(dam.pid)
      await hand()
      return ((processorSeconds(dam.pid) - before) / jobs) * 1e6
    }
    const oneByOne = async (from: number) => {
      let n = from
      const worker = async () => {
        while (n < from + alone) {
          const answer = await fetch(`${dam.url}/api/v1/jobs`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: job(10_000_000 + n++)
          })
          await answer.text()
        }
      }
      await Promise.all(Array.from({ length: 32 }, worker))
    }
    const together = (from: number, count: number) =>
      fetch(`${dam.url}/api/v1/batches`, {
        method: "POST",
        headers: { "content-type": "application/x-ndjson" },
        body: Array.from({ length: count }, (_, n) => `${job(20_000_000 + from + n)}\n`).join("")
      }).then((answer) => answer.text())
    await oneByOne(0)
    await together(0, alone)
    await sleep(500)
    const single: Array<number> = []
    const batched: Array<number> = []
    for (let turn = 1; turn <= 4; turn++) {
      single.push(await costOf(alone, () => oneByOne(turn * alone)))
      batched.push(await costOf(alone * 2, () => together(turn * 2 * alone, 2 * alone)))
    }
    const mean = (of: ReadonlyArray<number>) => of.reduce((sum, one) => sum + one, 0) / of.length
    const ratio = mean(single) / mean(batched)
    console.log(
      `alone ${mean(single).toFixed(0)} µs of processor, in a batch ${mean(batched).toFixed(0)}: ${ratio.toFixed(1)} times less`
    )
    assert.isAbove(ratio, 2)
  }, 600_000)
})
