import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { createServer } from "node:http"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { type Built, build } from "./support/Built.ts"
import { ask, endAll, start } from "./support/DamProcess.ts"

const kills = Number(process.env["KILLS"] ?? 8)

let built: Built

beforeAll(async () => {
  built = await build()
})

afterAll(async () => {
  await endAll()
  built.remove()
})

/** Answers every request as it is told at that moment. */
const server = async (meet: (body: string) => Promise<number | undefined>) => {
  const it = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk) => (body += chunk))
    request.on("end", () => {
      void meet(body).then((status) => {
        if (status !== undefined) response.writeHead(status).end()
      })
    })
  })
  await new Promise<void>((resolve) => it.listen(0, "127.0.0.1", resolve))
  const address = it.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => {
      it.close()
      it.closeAllConnections()
    }
  }
}

it(`tells every result although the dam is killed ${kills} times between a result and its delivery`, async () => {
  const told = new Map<string, number>()
  let isOpen = false
  let reached = () => {}
  const target = await server(async () => 200)
  // a call that is never answered: the result is stored, the delivery is under way
  const receiver = await server(async (body) => {
    const { job_id: id } = JSON.parse(body)
    told.set(id, (told.get(id) ?? 0) + 1)
    reached()
    return isOpen ? 204 : undefined
  })
  const db = join(built.folder, "deliveries.db")
  const args = ["--db", db, "--allow-private", "--port", "0"]
  const acknowledged: Array<string> = []
  for (let round = 0; round < kills; round++) {
    const dam = await start(built.bin, args)
    const arrived = new Promise<void>((resolve) => (reached = resolve))
    const answer = await ask(`${dam.url}/api/v1/jobs`, {
      body: { url: target.url, idempotent_key: `round ${round}`, webhooks: [{ url: receiver.url }] }
    })
    acknowledged.push(answer.body.job_id)
    // every other time in the midst of a delivery, else somewhere from the call of the target on
    if (round % 2 === 0) await arrived
    else await sleep(5 * (round % 20))
    dam.signal("SIGKILL")
    await dam.ended
  }
  isOpen = true
  const last = await start(built.bin, args)
  for (const id of acknowledged) {
    for (;;) {
      const { body } = await ask(`${last.url}/api/v1/jobs/${id}`)
      if (body.delivery_status === "delivered") break
      assert.notStrictEqual(body.delivery_status, "undelivered", id)
      await sleep(50)
    }
  }
  assert.deepStrictEqual(
    acknowledged.filter((id) => !told.has(id)),
    []
  )
  assert.strictEqual(told.size, kills)
  last.signal("SIGTERM")
  await last.ended
  target.close()
  receiver.close()
}, 1_800_000)
