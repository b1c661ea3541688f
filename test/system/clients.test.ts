import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./support/Built.ts"
import * as Clients from "./support/Clients.ts"

/** The versions that this was written with. */
const tools = ["openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3"]

const program = `
import createClient from "openapi-fetch"
import type { components, paths } from "./api.d.ts"

const [dam = "", target = ""] = process.argv.slice(2)
const client = createClient<paths>({ baseUrl: dam })
const retryAt = Date.now() + 300
const body: components["schemas"]["Job"] = {
  url: target,
  method: "POST",
  body: "one",
  idempotent_key: "typescript",
  retry_at: retryAt,
  retry_policy: { max_retries: 1 }
}
const first = await client.POST("/api/v1/jobs", { body })
const second = await client.POST("/api/v1/jobs", { body })
const id = first.data?.job_id ?? ""
const path = { id }
const waited = await client.GET("/api/v1/jobs/{id}/wait", { params: { path, query: { timeout_ms: 20000 } } })
const read = await client.GET("/api/v1/jobs/{id}", { params: { path } })
const refused = await client.POST("/api/v1/jobs", { body: { url: target, retry_at: 5 } })
const created: number | undefined = read.data?.created_at
const started: number | null | undefined = read.data?.started_at
console.log(
  JSON.stringify({
    id,
    again: second.data?.job_id,
    duplicate: second.data?.duplicate,
    status: waited.data?.status,
    answer: read.data?.response?.status_code,
    body: read.data?.response?.body,
    createdAt: created,
    startedAt: started,
    retryAt,
    field: refused.error?.field
  })
)
`

let world: Clients.World

beforeAll(async () => {
  world = await Clients.make()
})

afterAll(() => world.close())

describe("a client that is generated from the description", () => {
  it("compiles, and submits, waits for and reads a job: TypeScript", async () => {
    const folder = world.folder("typescript")
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
    const node = (...args: ReadonlyArray<string>) => Clients.run(folder, process.execPath, args)
    await Clients.run(folder, "npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tools])
    await node("node_modules/openapi-typescript/bin/cli.js", world.description, "--output", "api.d.ts")
    writeFileSync(join(folder, "client.ts"), program)
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      target: "es2023",
      lib: ["es2023", "dom", "dom.iterable"],
      module: "nodenext",
      allowImportingTsExtensions: true,
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")]
    }
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["client.ts"] }))
    await node(join(root, "node_modules/typescript7/lib/tsc.js"), "--project", ".")
    const told = Clients.toldIn(await node("client.ts", world.dam, world.target))
    assert.strictEqual(told.again, told.id)
    assert.deepInclude(told, { duplicate: true, status: "succeeded", answer: 201, body: "fine", field: "retry_at" })
    assert.isAtLeast(told.startedAt, told.retryAt)
    assert.isBelow(told.createdAt, told.startedAt)
    assert.strictEqual(world.calls(), 1)
  })
})
