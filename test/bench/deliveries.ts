/**
 * What telling a result costs: the signatures alone, and deliveries a second from a full outbox to a receiver on
 * loopback, with the store on disk.
 */
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Dam from "../../src/dam/Dam.ts"
import * as Signing from "../../src/dam/deliver/Signing.ts"
import * as SqliteJobStore from "../../src/dam/sqlite/SqliteJobStore.ts"
import { delivery, ended, job, secretsOf } from "../conformance/jobStore/Fixtures.ts"

const quick = process.env["BENCH_QUICK"] === "1"
const folder = mkdtempSync(join(tmpdir(), "deliveries-bench-"))
const secrets = secretsOf(
  `whsec_${Buffer.alloc(32, 1).toString("base64")}`,
  `whsec_${Buffer.alloc(32, 2).toString("base64")}`
)

const signing = Effect.gen(function* () {
  const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  const signer = yield* Signing.make(store)
  const told = {
    ...delivery("job_1", 0, { body: new Uint8Array(400).fill(120) }),
    state: "pending" as const,
    attempts: [],
    dueAt: 0,
    begunAt: 0,
    spent: 0,
    dead: undefined
  }
  const times = quick ? 100 : 5000
  const ways = [
    ["no secret, no key", undefined, undefined],
    ["one secret", { ...secrets, secondary: undefined }, undefined],
    ["two secrets", secrets, undefined],
    ["two secrets and v1a", secrets, signer]
  ] as const
  for (const [name, known, by] of ways) {
    const before = process.cpuUsage()
    for (let n = 0; n < times; n++) yield* Signing.headers(told, known, 1_700_000_000_000, by)
    const { system, user } = process.cpuUsage(before)
    console.log(`signing 400 bytes, ${name}: ${((user + system) / times).toFixed(1)} µs of CPU`)
  }
})

const throughput = Effect.gen(function* () {
  const jobs = quick ? 200 : 20_000
  let told = 0
  let finish = () => {}
  const all = new Promise<void>((resolve) => (finish = resolve))
  const receiver = createServer((request, response) => {
    request.resume()
    request.on("end", () => {
      response.writeHead(204).end()
      if (++told === jobs) finish()
    })
  })
  yield* Effect.promise(() => new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve)))
  const address = receiver.address()
  const lane = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
  const path = join(folder, "deliveries.db")
  yield* Effect.scoped(
    Effect.gen(function* () {
      const store = yield* SqliteJobStore.make({ path })
      yield* store.setSecrets("local", secrets)
      yield* Effect.forEach(
        Array.from({ length: jobs }, (_, n) => `job-${n}`),
        (id) =>
          Effect.gen(function* () {
            yield* store.enqueue(job(id))
            yield* store.start(id, 1)
            const one = delivery(id, 0, { url: `http://${lane}/`, lane, regions: [] })
            yield* store.finish(id, 1, ended({ at: Date.now(), deliveries: [one] }))
          }),
        { concurrency: 256, discard: true }
      )
    })
  )
  yield* Effect.scoped(
    Effect.gen(function* () {
      const started = performance.now()
      yield* Dam.make({
        path,
        pacing: { hosts: { [`webhook@${lane}`]: { rps: 1_000_000, maxConcurrent: 100 } } }
      })
      yield* Effect.promise(() => all)
      const seconds = (performance.now() - started) / 1000
      console.log(`deliveries on loopback, signed with two secrets and v1a: ${Math.round(jobs / seconds)} a second`)
    })
  )
  receiver.close()
  receiver.closeAllConnections()
})

await Effect.runPromise(Effect.scoped(Effect.andThen(signing, throughput)))
rmSync(folder, { recursive: true })
