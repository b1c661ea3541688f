/** A notice as an operator's own server gets it: from a packed dam, over a socket, signed by the key that the dam shows. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { once } from "node:events"
import { createServer, type IncomingHttpHeaders } from "node:http"
import { createPublicKey, verify } from "node:crypto"
import { join } from "node:path"
import { type Built, build } from "./support/Built.ts"
import { ask, endAll, start } from "./support/DamProcess.ts"

let built: Built

beforeAll(async () => {
  built = await build()
})

afterAll(async () => {
  await endAll()
  built.remove()
})

/** What a raw key of Ed25519 stands behind as a key of Node's. */
const prefix = Buffer.from("302a300506032b6570032100", "hex")

it("is told an operator, once, and signed by the key pair of the dam", async () => {
  const told: Array<{ readonly body: string; readonly headers: IncomingHttpHeaders }> = []
  let reached = () => {}
  const arrived = new Promise<void>((resolve) => (reached = resolve))
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk) => (body += chunk))
    request.on("end", () => {
      told.push({ body, headers: request.headers })
      response.writeHead(204).end()
      reached()
    })
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : address}/notices`
  const db = join(built.folder, "notices.db")
  const args = ["--db", db, "--allow-private", "--port", "0"]
  const dam = await start(built.bin, args)
  const body = { urls: [url], events: ["stored_bytes"], thresholds: { stored_bytes: 1 } }
  const chosen = await ask(`${dam.url}/api/v1/notices`, { method: "PUT", body })
  assert.strictEqual(chosen.status, 200)
  await arrived

  const [notice] = told
  const said = JSON.parse(notice?.body ?? "{}")
  assert.deepInclude(said, { type: "notice", event: "stored_bytes", state: "begun" })
  assert.strictEqual(notice?.headers["webhook-id"], said.id)
  const { body: key } = await ask(`${dam.url}/api/v1/webhook-key`)
  const raw = Buffer.from(key.public_key.replace("whpk_", ""), "base64")
  const signed = Buffer.from(`${said.id}.${notice?.headers["webhook-timestamp"]}.${notice?.body}`)
  const signature = String(notice?.headers["webhook-signature"]).replace(/^.*v1a,/, "")
  const publicKey = createPublicKey({ key: Buffer.concat([prefix, raw]), format: "der", type: "spki" })
  assert.isTrue(verify(null, signed, publicKey, Buffer.from(signature, "base64")))

  dam.signal("SIGTERM")
  await dam.ended
  // the next start looks at once, and has told it
  const again = await start(built.bin, args)
  const { body: view } = await ask(`${again.url}/api/v1/notices`)
  assert.deepStrictEqual(
    view.open.map(({ subject }: { readonly subject: string }) => subject),
    ["stored_bytes"]
  )
  assert.lengthOf(told, 1)
  again.signal("SIGTERM")
  await again.ended
  server.close()
})
