import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import type { Socket } from "node:net"
import { Overloaded } from "../../../src/dam/work/Admission.ts"
import { StorageFull } from "../../../src/dam/store/StoreError.ts"
import * as Keys from "../../../src/dam/http/door/Keys.ts"
import { longRows, type WireInput, wireInputs } from "../../fixtures/wire-inputs.ts"
import * as Double from "./HttpDouble.ts"
import { bytesOf, exchange, firstAnswer, open } from "./HttpWire.ts"

const keys = Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("key-of-acme") }]))

const dams: Readonly<Record<NonNullable<WireInput["dam"]>, Double.Options>> = {
  open: {},
  keys: { keys },
  https: { httpsWebhooks: true },
  hasty: { limits: { headTimeout: 100 } }
}

const queued = { url: "https://api.example.com/queued" }

/** A dam that counts how often its store is written and asked. */
const counting = (options: Double.Options) =>
  Effect.gen(function* () {
    const counts = { enqueued: 0, asked: 0 }
    const dam = yield* Double.make({
      ...options,
      wrapStore: (store) => ({
        ...store,
        enqueue: (job) => Effect.suspend(() => (counts.enqueued++, store.enqueue(job))),
        get: (id) => Effect.suspend(() => (counts.asked++, store.get(id)))
      })
    })
    return { ...dam, counts, host: `127.0.0.1:${dam.port}` }
  })

const send = (dam: { readonly port: number; readonly host: string }, input: Partial<WireInput>, job = "") =>
  Effect.promise(() => exchange(dam.port, bytesOf({ id: "", name: "", status: 0, ...input }, dam.host, job), input.end))

const jobIn = (body: string): string => JSON.parse(body).job_id

describe("malformed input", () => {
  it("has a case for every row of the list", () => {
    const rows = [...new Set([...wireInputs.map(({ id }) => id), ...longRows])].sort()
    assert.strictEqual(rows.length, 79)
    assert.strictEqual(rows[0], "W001")
    assert.strictEqual(rows.at(-1), "W118")
  })

  it.live.each(wireInputs)("$id $name gets $status", (input) =>
    Effect.gen(function* () {
      const dam = yield* counting(dams[input.dam ?? "open"])
      const authorization = input.dam === "keys" ? [["Authorization", "Bearer key-of-acme"] as const] : []
      const job = jobIn((yield* send(dam, { body: queued, headers: authorization })).body)
      const before = { ...dam.counts }

      const answer = yield* send(dam, input, job)

      assert.strictEqual(answer.status, input.status, answer.body)
      if (input.header !== undefined) assert.property(answer.headers, input.header)
      const isAccepted = answer.status === 201
      assert.strictEqual(dam.counts.enqueued - before.enqueued, isAccepted ? 1 : 0)
      if (input.id === "W106") assert.strictEqual(dam.counts.asked, before.asked)
      if (input.code === undefined) return
      const told = JSON.parse(answer.body)
      assert.strictEqual(told.code, input.code, answer.body)
      assert.isString(told.error)
      if (input.field !== undefined) assert.strictEqual(told.field, input.field.replaceAll("{job}", job))
      if (input.says !== undefined) assert.include(told.error, input.says)
      if (input.code === "url_denied") assert.isString(told.reason)
    })
  )

  it.live("W040 what follows Connection: close is not answered", () =>
    Effect.gen(function* () {
      const dam = yield* counting({})
      const socket = yield* Effect.promise(() => open(dam.port))
      const received = Effect.promise(
        () =>
          new Promise<string>((resolve) => {
            let text = ""
            socket.on("data", (chunk: Buffer) => (text += chunk.toString())).on("close", () => resolve(text))
          })
      )
      const last = bytesOf(
        { id: "", name: "", status: 0, body: queued, headers: [["Connection", "close"]] },
        dam.host,
        ""
      )
      socket.write(Buffer.concat([last, last]))
      const text = yield* received
      assert.match(text, /HTTP\/1\.1 400 /)
      assert.isAtMost(text.match(/HTTP\/1\.1 201 /g)?.length ?? 0, 1)
      assert.isAtMost(dam.counts.enqueued, 1)
    })
  )

  it.live("W067 a chunked body over the limit is read no further than 64 KiB beyond it", () =>
    Effect.gen(function* () {
      const dam = yield* counting({ limits: { bodyBytes: 100_000 } })
      const sockets: Array<Socket> = []
      const seen = (message: unknown) => {
        if (typeof message === "object" && message !== null && "socket" in message)
          sockets.push(message.socket as Socket)
      }
      subscribe("net.server.socket", seen)
      const socket = yield* Effect.promise(() => open(dam.port))
      const answer = firstAnswer(socket)
      const chunk = Buffer.concat([Buffer.from("4000\r\n"), Buffer.alloc(0x4000, 32), Buffer.from("\r\n")])
      socket.write(
        `POST /api/v1/jobs HTTP/1.1\r\nHost: ${dam.host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
      )
      for (let sent = 0; sent < 200; sent++) socket.write(chunk)
      const { body, status } = yield* Effect.promise(() => answer)
      unsubscribe("net.server.socket", seen)
      socket.destroy()
      assert.strictEqual(status, 413)
      assert.strictEqual(JSON.parse(body).code, "body_too_large")
      const [read] = sockets.map(({ bytesRead }) => bytesRead)
      assert.isAtMost(read ?? Number.POSITIVE_INFINITY, 100_000 + 65_536 + 1_024)
    })
  )

  it.live("W067 a body announced as too large is refused before it is read", () =>
    Effect.gen(function* () {
      const dam = yield* counting({ limits: { bodyBytes: 100 } })
      const answer = yield* send(dam, { body: { ...queued, metadata: { a: "x".repeat(200) } } })
      assert.strictEqual(answer.status, 413)
      assert.strictEqual(answer.headers["connection"], "close")
    })
  )

  it.live("W110 the 17th stream on a job gets 429, and a place that was left is free again", () =>
    Effect.gen(function* () {
      const dam = yield* counting({})
      const id = jobIn((yield* send(dam, { body: queued })).body)
      const stream = { method: "GET", path: `/api/v1/jobs/${id}/stream` }
      const bytes = bytesOf({ id: "", name: "", status: 0, ...stream }, dam.host, id)
      const sockets = yield* Effect.promise(() => Promise.all(Array.from({ length: 16 }, () => open(dam.port))))
      const opened = sockets.map((socket) => firstAnswer(socket))
      for (const socket of sockets) socket.write(bytes)
      for (const { status } of yield* Effect.promise(() => Promise.all(opened))) assert.strictEqual(status, 200)

      const refused = yield* send(dam, stream)
      assert.strictEqual(refused.status, 429)
      assert.property(refused.headers, "retry-after")
      assert.strictEqual(JSON.parse(refused.body).limit_reason, "streams_per_job")

      sockets[0]?.destroy()
      let status: number | "closed" = 429
      while (status === 429) ({ status } = yield* send(dam, stream))
      assert.strictEqual(status, 200)
      for (const socket of sockets) socket.destroy()
    })
  )

  it.live("W115 over a mark: 429 with Retry-After and the reason", () =>
    Effect.gen(function* () {
      const full = new Overloaded({ limitReason: "queued_jobs", limit: 10, current: 10, retryAfterSeconds: 3 })
      const dam = yield* Double.make({ wrapEngine: (engine) => ({ ...engine, submit: () => Effect.fail(full) }) })
      const answer = yield* send({ ...dam, host: `localhost:${dam.port}` }, { body: queued })
      assert.strictEqual(answer.status, 429)
      assert.strictEqual(answer.headers["retry-after"], "3")
      const { code, current, limit, limit_reason } = JSON.parse(answer.body)
      assert.deepStrictEqual([code, limit_reason, limit, current], ["overloaded", "queued_jobs", 10, 10])
    })
  )

  it.live("W116 storage full: 503 with Retry-After", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({
        wrapStore: (store) => ({ ...store, enqueue: () => Effect.fail(new StorageFull()) })
      })
      const answer = yield* send({ ...dam, host: `localhost:${dam.port}` }, { body: queued })
      assert.strictEqual(answer.status, 503)
      assert.property(answer.headers, "retry-after")
      assert.strictEqual(JSON.parse(answer.body).code, "storage_full")
    })
  )

  it.live("W118 rotating to the current secret is refused, setting it again is not", () =>
    Effect.gen(function* () {
      const dam = yield* counting({})
      const secret = { primary_secret: "s".repeat(16) }
      const path = "/api/v1/webhook-secrets"
      assert.strictEqual((yield* send(dam, { path, body: secret })).status, 200)
      assert.strictEqual((yield* send(dam, { path, body: secret })).status, 200)
      const rotated = yield* send(dam, { path, body: { ...secret, rotate: true } })
      assert.strictEqual(rotated.status, 400)
      assert.strictEqual(JSON.parse(rotated.body).code, "weak_secret")
    })
  )
})
