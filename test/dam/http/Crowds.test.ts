import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Double from "./HttpDouble.ts"
import { bytesOf, exchange, firstAnswer, open, type WireAnswer } from "./HttpWire.ts"

const job = { url: "https://api.example.com/", metadata: { text: "x".repeat(10_000) } }

interface Reached {
  readonly port: number
}

const request = ({ port }: Reached, more: object) =>
  bytesOf({ id: "", name: "", status: 0, ...more }, `localhost:${port}`, "")

const send = (dam: Reached, more: object) => Effect.promise(() => exchange(dam.port, request(dam, more)))

/** A connection whose body is announced, begun and never finished. */
const begin = (dam: Reached, bytes: number, path = "/api/v1/jobs") =>
  Effect.promise(async () => {
    const socket = await open(dam.port)
    const answer = firstAnswer(socket)
    const head = request(dam, { path, headers: [["Content-Length", "1000000"]] }).toString("latin1")
    socket.write(Buffer.concat([Buffer.from(head, "latin1"), Buffer.alloc(bytes, 32)]))
    return { socket, answer }
  })

const codeOf = ({ body }: WireAnswer) => JSON.parse(body).code

describe("a crowd", () => {
  it.live("whose bodies are never finished is bounded in what it holds, and leaves room when it goes", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ limits: { readingBytes: 100_000 } })
      const first = yield* begin(dam, 60_000)
      const second = yield* begin(dam, 60_000, "/session")
      // whichever of the two came last is told
      const told = yield* Effect.promise(() => Promise.race([first.answer, second.answer]))
      assert.deepStrictEqual([told.status, codeOf(told), told.headers["connection"]], [503, "busy_reading", "close"])
      assert.strictEqual(told.headers["retry-after"], "1")
      // a small one still fits beside the one that stayed
      assert.strictEqual((yield* send(dam, { body: job })).status, 201)
      first.socket.destroy()
      second.socket.destroy()
      let third: WireAnswer
      do third = yield* send(dam, { body: { ...job, body: "b".repeat(80_000) } })
      while (third.status === 503)
      assert.strictEqual(third.status, 201)
    })
  )

  it.live("that waits for jobs is bounded, and a place that was left is free again", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ limits: { waiting: 1 } })
      const { body } = yield* send(dam, { body: job })
      const id = String(JSON.parse(body).job_id)
      const wait = (timeout: number) =>
        send(dam, { method: "GET", path: `/api/v1/jobs/${id}/wait?timeout_ms=${timeout}` })
      const waiting = yield* Effect.forkChild(wait(45_000), { startImmediately: true })
      let refused: WireAnswer
      do refused = yield* wait(1)
      while (refused.status === 200)
      assert.deepStrictEqual([refused.status, codeOf(refused)], [503, "too_many_waits"])
      assert.property(refused.headers, "retry-after")
      assert.strictEqual((yield* send(dam, { method: "GET", path: `/api/v1/jobs/${id}` })).status, 200)
      yield* dam.runs.end(id, yield* dam.runs.start(id), 200)
      assert.strictEqual((yield* Fiber.join(waiting)).status, 200)
      assert.strictEqual((yield* wait(1)).status, 200)
    })
  )
})
