import { assert, it } from "@effect/vitest"
import { createServer, type Server } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { withPostgres } from "../support/WithPostgres.ts"
import { ask, run, start } from "./support/DamProcess.ts"
import { overPostgres } from "./support/OverPostgres.ts"

const { built, server } = await overPostgres()

withPostgres(server, "a dam over Postgres", (postgres) => {
  it("refuses while Postgres is gone, loses nothing it had taken, and goes on by itself when it is back", async () => {
    const upstream = await answering()
    const args = ["--allow-private", "--port", "0"]
    const env = { EZTHROTTLE_DATABASE_URL: `${postgres.url()}?application_name=s3cret` }
    const dam = await start(built().bin, args, { env })
    const submit = (key: string) =>
      ask(`${dam.url}/api/v1/jobs`, { body: { url: `${upstream.url}/${key}`, idempotent_key: key } })
    const told = async () => (await ask(`${dam.url}/health`)).status

    // a second one is told who is there
    const second = await run(built().bin, ["dam", ...args], { env })
    assert.strictEqual(second.with, 1)
    assert.match(second.errors, /another dam is using it \(process \d+ on .*, since .*\)/)

    const taken = await Promise.all(Array.from({ length: 6 }, (_, n) => submit(`before-${n}`)))
    assert.isTrue(taken.every(({ status }) => status === 201))
    await postgres.stop()
    const refused = await fetch(`${dam.url}/api/v1/jobs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ url: upstream.url })
    })
    assert.strictEqual(refused.status, 503)
    assert.isNotNull(refused.headers.get("retry-after"))
    assert.strictEqual(await told(), 503)
    await sleep(1500)
    await postgres.start()
    while ((await told()) !== 200) await sleep(50)
    assert.strictEqual((await submit("after")).status, 201)
    const open = "status=queued&status=running&status=scheduled&status=parked"
    while ((await ask(`${dam.url}/api/v1/jobs?limit=1&${open}`)).body.jobs.length > 0) await sleep(50)
    for (const key of [...Array.from({ length: 6 }, (_, n) => `before-${n}`), "after"]) {
      assert.include(upstream.paths, `/${key}`)
    }
    dam.signal("SIGTERM")
    const ended = await dam.ended
    assert.strictEqual(ended.with, 0)
    assert.notInclude(ended.output + ended.errors, "s3cret")
    assert.include(ended.output, `postgres://dam@127.0.0.1:${postgres.port}/postgres`)
    upstream.server.close()
  })
})

const answering = async (): Promise<{
  readonly server: Server
  readonly url: string
  readonly paths: ReadonlyArray<string>
}> => {
  const paths: Array<string> = []
  const server = createServer((request, response) => {
    paths.push(request.url ?? "")
    response.end("taken")
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return { server, url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, paths }
}
