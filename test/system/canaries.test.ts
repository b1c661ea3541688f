import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { createServer } from "node:http"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { peer } from "../dam/l8/L8Peer.ts"
import { type Built, build } from "./support/Built.ts"
import { endAll, start } from "./support/DamProcess.ts"

let built: Built

beforeAll(async () => {
  built = await build()
})

afterAll(async () => {
  await endAll()
  built.remove()
})

const masterKey = Buffer.from("canary master key of 32 bytes!!!").toString("base64")
const l8 = peer()
const apiKey = "0123-canary-of-the-api-key-0123"
const secrets = ["0000-canary-of-the-first-0000", "1111-canary-of-the-second-1111", "2222-canary-of-the-third-2222"]
const credentials = ["4444-canary-of-a-credential-4444", "5555-canary-of-its-rotation-5555"]

it("shows no secret in its output, its answers and its sealed file", async () => {
  const heard: Array<string | undefined> = []
  const receiver = createServer((request, response) => {
    request.resume()
    if (request.url === "/named") heard.push(request.headers.authorization)
    response.writeHead(request.url === "/gone" ? 410 : 500).end("no")
  })
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve))
  const address = receiver.address()
  const hook = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
  const folder = join(built.folder, "canaries")
  const keys = join(built.folder, "canary-keys.txt")
  const config = join(built.folder, "canaries.yaml")
  writeFileSync(keys, `acme:${apiKey}\n`)
  writeFileSync(
    config,
    "webhooks:\n  schedule: [0 seconds]\n  disable_after: { failures: 1, failing_for: 0 seconds }\n  l8: { default: prefer }\npacing:\n  default: { rps: 1000 }\n"
  )
  mkdirSync(folder)
  const args = [
    "--db",
    join(folder, "dam.db"),
    "--config",
    config,
    "--keys-file",
    keys,
    "--allow-private",
    "--port",
    "0"
  ]

  let answers = ""
  const asking =
    (url: string) =>
    async (path: string, body?: unknown, method?: string, key: string = apiKey) => {
      const answer = await fetch(url + path, {
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      const text = await answer.text()
      answers += `${JSON.stringify([...answer.headers])}${text}`
      return { status: answer.status, text }
    }

  // plain at first, sealed from the second start on; the L8 key from a file at first, then from outside
  const plain = await start(built.bin, args)
  await asking(plain.url)("/api/v1/webhook-secrets", { primary_secret: secrets[0] })
  plain.signal("SIGTERM")
  const first = await plain.ended

  const l8File = readFileSync(join(folder, "dam.db.l8-key"), "utf8").trim()
  rmSync(join(folder, "dam.db.l8-key"))
  process.env["EZTHROTTLE_MASTER_KEY"] = masterKey
  process.env["L8_PRIVATE_KEY"] = l8.secret
  const dam = await start(built.bin, args)
  const ask = asking(dam.url)
  await ask("/api/v1/webhook-secrets", { primary_secret: secrets[1], rotate: true })
  await ask("/api/v1/webhook-secrets", { primary_secret: secrets[2], secondary_secret: secrets[2] })
  await ask("/api/v1/webhook-secrets", { primary_secret: secrets[2], rotated: true })
  await ask("/api/v1/webhook-secrets", { primary_secret: secrets[1], rotate: true })
  for (const value of credentials) {
    assert.strictEqual((await ask("/api/v1/credentials/stripe", { value, hosts: [hook] }, "PUT")).status, 200)
  }
  const wrong = { value: `${credentials[0]}\n`, hosts: [`https://user:${credentials[0]}@a.example`] }
  assert.strictEqual((await ask("/api/v1/credentials/wrong", wrong, "PUT")).status, 400)
  const named = { authorization: { secret: "stripe", prefix: "Bearer " } }
  for (const url of [`${hook}/named`, hook.replace("127.0.0.1", "localhost")]) {
    const { job_id: id } = JSON.parse((await ask("/api/v1/jobs", { url, headers: named })).text)
    await ask(`/api/v1/jobs/${id}/wait`)
    await ask(`/api/v1/jobs/${id}/explain`)
  }
  await ask("/api/v1/jobs", undefined, undefined, `${apiKey}!`)
  const job = {
    url: `${hook}/target`,
    headers: { authorization: "Bearer canary of the target" },
    webhooks: [{ url: `${hook}/gone` }, { url: `${hook}/down` }]
  }
  const { job_id: id } = JSON.parse((await ask("/api/v1/jobs", job)).text)
  await ask(`/api/v1/jobs/${id}/wait`)
  for (;;) {
    if (JSON.parse((await ask("/api/v1/dead-letters")).text).dead_letters.length > 0) break
  }
  for (const path of [
    "/api/v1/jobs",
    `/api/v1/jobs/${id}`,
    `/api/v1/jobs/${id}/explain`,
    "/api/v1/webhook-secrets",
    "/api/v1/webhook-key",
    "/api/v1/credentials",
    "/api/v1/credentials/stripe",
    "/api/v1/history",
    "/metrics",
    "/api/v1/endpoints",
    "/api/v1/l8/trust",
    "/.well-known/l8",
    "/api/v1/lanes",
    "/health",
    "/openapi.json"
  ]) {
    assert.strictEqual((await ask(path)).status, 200, path)
  }
  dam.signal("SIGTERM")
  const second = await dam.ended
  delete process.env["EZTHROTTLE_MASTER_KEY"]
  delete process.env["L8_PRIVATE_KEY"]
  const refusal = await start(built.bin, args).then(
    () => "started",
    (error: unknown) => String(error)
  )
  assert.include(refusal, "give it its master key")
  receiver.close()

  const output = [first, second].map((end) => end.output + end.errors).join("") + refusal
  const file = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "latin1"))
    .join("")
  assert.include(output, "answered 410")
  assert.include(answers, l8.publicKey)
  // the first half of an L8 key is the private one
  assert.include(heard, `Bearer ${credentials[1]}`)
  for (const canary of [...secrets, ...credentials, apiKey, masterKey, l8File.slice(0, 40), l8.secret.slice(0, 40)]) {
    assert.notInclude(output, canary)
    assert.notInclude(answers, canary)
    assert.notInclude(file, canary)
  }
  assert.notInclude(output, "canary")
  assert.notInclude(answers, "canary")
}, 300_000)
