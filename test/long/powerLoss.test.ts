/**
 * Loss of power at any moment: a built dam works under strace, and from what it wrote and synced disks are made as they may
 * have been left, torn sectors included. Whatever was acknowledged before is found on each of them.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as SqliteJobStore from "../../src/dam/sqlite/SqliteJobStore.ts"
import { type Built, build } from "../system/support/Built.ts"
import * as DamProcess from "../system/support/DamProcess.ts"
import * as DiskTrace from "../system/support/DiskTrace.ts"
import * as Loopback from "../system/support/Loopback.ts"

const jobs = Number(process.env["JOBS"] ?? 150)
const losses = Number(process.env["LOSSES"] ?? 60)
const seed = Number(process.env["SEED"] ?? 1)

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

/** Numbers from 0 up to 1, the same for a seed. */
const chance = (from: number) => {
  let state = from >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const record = async () => {
  const trace = join(built.folder, "trace")
  const db = join(built.folder, "power.db")
  const config = join(built.folder, "power.yaml")
  writeFileSync(config, "pacing: { default: { rps: 1000, max_concurrent: 20 } }\n")
  const dam = await DamProcess.start(built.bin, ["--db", db, "--config", config, "--port", "0", "--allow-private"], {
    under: DiskTrace.command(trace)
  })
  let next = 0
  const submitting = async () => {
    while (next < jobs) {
      const body = {
        url: `${upstream.url}/status/200`,
        method: "POST",
        body: "x".repeat(2000),
        idempotent_key: `${next++}`
      }
      assert.strictEqual((await DamProcess.ask(`${dam.url}/api/v1/jobs`, { body })).status, 201)
    }
  }
  await Promise.all(Array.from({ length: 4 }, submitting))
  await upstream.until((seen) => seen.length >= jobs)
  // as if it were killed: what a proper end would write does not come
  dam.signal("SIGKILL")
  // strace holds what the dam prints open, so the trace is whole when that ends
  await dam.ended
  return DiskTrace.read(trace)
}

const idsIn = (path: string) => {
  const db = new DatabaseSync(path)
  const [integrity] = db.prepare("PRAGMA integrity_check").all()
  const ids = db.prepare("SELECT id FROM jobs").all()
  db.close()
  return { integrity: integrity?.["integrity_check"], ids: new Set(ids.map(({ id }) => String(id))) }
}

const hasStrace = spawnSync("strace", ["-V"]).status === 0

describe.skipIf(!hasStrace)("a loss of power", () => {
  it(`at ${losses} moments loses nothing that was acknowledged (seed ${seed})`, async () => {
    const ops = await record()
    const random = chance(seed)
    const toldAt = ops.flatMap((op, at) =>
      op.kind !== "sent" || !op.text.startsWith("HTTP/1.1 201")
        ? []
        : Array.from(op.text.matchAll(/"job_id":"(\w+)"/g), ([, id = ""]) => ({ id, at }))
    )
    assert.strictEqual(new Set(toldAt.map(({ id }) => id)).size, jobs)
    const begin = ops.findIndex((op) => op.kind === "sent")
    let torn = 0
    for (let loss = 0; loss < losses; loss++) {
      const cut = begin + Math.floor(random() * (ops.length - begin + 1))
      const share = random()
      const files = DiskTrace.after(ops.slice(0, cut), () => random() < share)
      const whole = DiskTrace.after(ops.slice(0, cut), () => true)
      const folder = join(built.folder, `disk-${loss}`)
      mkdirSync(folder)
      for (const [file, contents] of files) {
        if (!/power\.db(-wal)?$/.test(file)) continue
        writeFileSync(join(folder, basename(file)), contents)
        if (!contents.equals(whole.get(file) ?? Buffer.alloc(0))) torn++
      }
      const path = join(folder, "power.db")
      // a dam opens it like any other file
      await Effect.runPromise(
        Effect.scoped(Effect.flatMap(SqliteJobStore.make({ path, executor: "sameThread" }), ({ recover }) => recover))
      )
      const { ids, integrity } = idsIn(path)
      assert.strictEqual(integrity, "ok", `loss ${loss}, after ${cut} steps`)
      const lost = toldAt.filter(({ at, id }) => at < cut && !ids.has(id))
      assert.deepStrictEqual(lost, [], `loss ${loss}, after ${cut} steps`)
    }
    const writes = ops.filter(({ kind }) => kind === "write").length
    const syncs = ops.filter(({ kind }) => kind === "sync").length
    console.log(
      `${writes} writes, ${syncs} syncs, ${toldAt.length} receipts; ${torn} files of ${losses} disks were torn`
    )
    assert.isAbove(torn, losses / 10)
  }, 120_000)
})
