import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { type Built, build } from "./support/Built.ts"
import { endAll, start } from "./support/DamProcess.ts"
import * as Loopback from "./support/Loopback.ts"

let built: Built
let upstream: Loopback.Loopback

beforeAll(async () => {
  built = await build()
  upstream = await Loopback.upstream()
})

afterEach(endAll)

afterAll(async () => {
  await upstream.close()
  built.remove()
})

describe("ezthrottle mcp", () => {
  it("serves an agent that speaks the protocol with a client of its own, until that hangs up", async () => {
    const dam = await start(built.bin, ["--port", "0", "--db", ":memory:", "--allow-private"])
    const client = new Client({ name: "agent", version: "0" })
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [built.bin, "mcp", "--url", dam.url],
      stderr: "pipe"
    })
    await client.connect(transport)
    assert.strictEqual(client.getServerVersion()?.name, "ezthrottle")
    assert.include(
      (await client.listTools()).tools.map(({ name }) => name),
      "wait_for_job"
    )

    const use = async (name: string, given: Record<string, unknown>) => {
      const { isError, structuredContent } = await client.callTool({ name, arguments: given })
      assert.isNotTrue(isError)
      return JSON.parse(JSON.stringify(structuredContent))
    }
    const { job_id: jobId } = await use("enqueue_job", { url: `${upstream.url}/agent`, method: "POST", body: "b" })
    const job = await use("wait_for_job", { job_id: jobId, timeout_seconds: 45 })
    assert.deepStrictEqual([job.status, job.response.status_code], ["succeeded", 200])
    assert.strictEqual((await use("health", {})).status, "ok")

    const hungUp = new Promise<void>((resolve) => (transport.onclose = resolve))
    await client.close()
    await hungUp
  })
})
