import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Dam } from "../../../src/dam.ts"
import { EZThrottle } from "../../../src/promise.ts"
import { postgres } from "../../support/Postgres.ts"
import { withPostgres } from "../../support/WithPostgres.ts"

const database = "postgres://dam:s3cret@127.0.0.1:1/dam"

describe("an embedded dam over Postgres", () => {
  it.each([
    [{}, "path: Expected a file, or database instead of it"],
    [{ path: ":memory:", database }, "path: Unexpected beside database; a dam has one place for its jobs"],
    [
      { database: "mysql://dam:s3cret@db/dam" },
      "database: Expected a URL such as postgres://user@host:5432/name; special characters in it are percent-encoded"
    ],
    [{ database, executor: "sameThread" }, "executor: Unexpected with database, which is reached over a network"],
    [
      { database, admission: { fileBytes: 1 } },
      "admission.fileBytes: Unexpected with database; Postgres has its own limits"
    ],
    [{ database, textSearch: true }, "textSearch: Unexpected with database, which keeps no index of texts"],
    [
      { database, webhooks: { l8: {} } },
      "webhooks.l8.privateKey: Expected with database, since there is no file beside which a key is kept"
    ]
  ] as const)("is refused with options that cannot be: %j", (options, problem) => {
    assert.throws(() => Dam.embedded(options), problem)
  })
})

withPostgres(await postgres(), "an embedded dam over a real Postgres", (server) => {
  it("runs a job to its webhook, is one dam for all who ask for it, and finds the job again", async () => {
    const told: Array<unknown> = []
    const target = createServer((request, response) => {
      if (request.url === "/hook") request.on("data", (body) => told.push(JSON.parse(String(body))))
      response.end("taken")
    }).listen(0, "127.0.0.1")
    await once(target, "listening")
    const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}`
    const one = new EZThrottle({ service: Dam.embedded({ database: server.url() }) })
    const two = new EZThrottle({ service: Dam.embedded({ database: server.url() }) })
    const { job_id } = await one.submitJob({ url: `${url}/order`, webhooks: [{ url: `${url}/hook` }] })
    while (told.length === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.strictEqual((await two.getJob(job_id)).status, "succeeded")
    assert.deepInclude(told[0], { job_id })
    await one[Symbol.asyncDispose]()
    await two[Symbol.asyncDispose]()
    // the next one is another dam on the same jobs
    const next = new EZThrottle({ service: Dam.embedded({ database: server.url() }) })
    assert.strictEqual((await next.getJob(job_id)).status, "succeeded")
    await next[Symbol.asyncDispose]()
    target.close()
  })
})
