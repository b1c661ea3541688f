/** Crowds of the size that others tried, against a built dam: what it holds for them is bounded before it knows who they are. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import * as Built from "../system/support/Built.ts"
import * as DamProcess from "../system/support/DamProcess.ts"

let built: Built.Built
let dam: DamProcess.DamProcess
const sockets: Array<Socket> = []

beforeAll(async () => {
  built = await Built.build()
  dam = await DamProcess.start(built.bin, ["--db", join(built.folder, "jobs.db"), "--port", "0", "--allow-private"])
})

afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await DamProcess.endAll()
  built.remove()
})

const mebibytes = () => {
  const [, kibibytes = "0"] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${dam.pid}/status`, "utf8")) ?? []
  return Number(kibibytes) / 1024
}

/** Sends bytes over a connection of its own; resolves with the status of the answer, and leaves the connection open. */
const sent = (bytes: ReadonlyArray<string | Buffer>) =>
  new Promise<number | undefined>((resolve) => {
    const socket = connect(dam.port, "127.0.0.1")
    sockets.push(socket)
    socket.on("data", (data) => resolve(Number(data.toString("latin1").slice(9, 12))))
    // a dam that has said no closes, whatever is still on its way
    socket.on("error", () => resolve(undefined))
    socket.on("close", () => resolve(undefined))
    for (const part of bytes) socket.write(part)
  })

const head = (method: string, path: string, more = "") =>
  `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${dam.port}\r\n${more}\r\n`

describe.skipIf(process.platform !== "linux")("a crowd", () => {
  it("of 1,000 unfinished bodies of 1 MB takes what the limit says, and others are still served", async () => {
    const before = mebibytes()
    const begun = head("POST", "/api/v1/jobs", "Content-Type: application/json\r\nContent-Length: 1000000\r\n")
    const answers = Array.from({ length: 1000 }, () => sent([begun, Buffer.alloc(999_000, 32)]))
    const told = new Map<number | undefined, number>()
    let left = answers.length
    await new Promise<void>((resolve) => {
      for (const answer of answers) {
        void answer.then((status) => {
          told.set(status, (told.get(status) ?? 0) + 1)
          // those that are within the limit are still waited for
          if (--left <= 70) resolve()
        })
      }
    })
    assert.isAtLeast(told.get(503) ?? 0, 500)
    assert.isUndefined(told.get(201))
    assert.isBelow(mebibytes() - before, 250)
    assert.strictEqual((await fetch(`${dam.url}/health`)).status, 200)
    for (const socket of sockets.splice(0)) socket.destroy()
  })

  it("of 5,000 that wait for a job takes what the limit says, and others are still served", async () => {
    const submitted = await fetch(`${dam.url}/api/v1/jobs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ url: "http://127.0.0.1:9/", retry_at: Date.now() + 3_600_000 })
    })
    assert.strictEqual(submitted.status, 201)
    const { job_id: id }: { readonly job_id: string } = await submitted.json()
    const before = mebibytes()
    const told: Array<number | undefined> = []
    const asked = Array.from({ length: 5000 }, () => sent([head("GET", `/api/v1/jobs/${id}/wait`)]))
    await new Promise<void>((resolve) => {
      for (const answer of asked) {
        void answer.then((status) => {
          if (told.push(status) === 3000) resolve()
        })
      }
    })
    assert.deepStrictEqual([...new Set(told)], [503])
    assert.isBelow(mebibytes() - before, 250)
    assert.strictEqual((await fetch(`${dam.url}/api/v1/jobs/${id}`)).status, 200)
    for (const socket of sockets.splice(0)) socket.destroy()
  })
})
