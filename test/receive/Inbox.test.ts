import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EZThrottle } from "../../src/promise/EZThrottle.ts"
import type { EventStore } from "../../src/receive/EventStore.ts"
import { EventStoreFailed } from "../../src/receive/EventStore.ts"
import { fetchHandler } from "../../src/receive/FetchHandler.ts"
import * as Inbox from "../../src/receive/Inbox.ts"
import * as MemoryEventStore from "../../src/receive/MemoryEventStore.ts"
import * as Receiver from "../../src/receive/Receiver.ts"
import * as SqliteEventStore from "../../src/receive/SqliteEventStore.ts"
import * as Reply from "../../src/step/Reply.ts"
import { listen } from "../promise/Loopback.ts"
import { bodyOf, delivery, headersFor, secret } from "./support.ts"

const durable = (): EventStore => ({ ...MemoryEventStore.make(), isDurable: true })

const receiver = Effect.fnUntraced(function* (inbox: Inbox.Inbox, handler: Effect.Effect<void, string> = Effect.void) {
  yield* TestClock.setTime(1_760_000_000_000)
  const { receive } = yield* Receiver.make({ secrets: secret, inbox }, () => handler)
  return (jobId: string) => Effect.flatMap(delivery({ jobId }), ([header, body]) => receive(header, body))
})

describe("who waits for a job", () => {
  for (const [name, store] of [
    ["memory", () => MemoryEventStore.make()],
    ["a durable store", durable]
  ] as const) {
    it.effect(`is told when its webhook comes (${name}), all of them`, () =>
      Effect.gen(function* () {
        const inbox = Inbox.make({ store: store() })
        const arrive = yield* receiver(inbox)
        const waiting = yield* Effect.forkChild(
          Effect.all([inbox.await("job_1"), inbox.await("job_1")], { concurrency: 2 })
        )
        yield* TestClock.adjust("500 millis")
        yield* arrive("job_2")
        assert.isUndefined(waiting.pollUnsafe())
        yield* arrive("job_1")
        const [result, same] = yield* Fiber.join(waiting)
        assert.deepStrictEqual(same, result)
        assert.deepStrictEqual(
          { ...result, response: result.response && Reply.text(result.response) },
          {
            jobId: "job_1",
            idempotentKey: "key-1",
            status: "success",
            response: "done",
            error: undefined,
            metadata: { order: 7 }
          }
        )
      })
    )

    it.effect(`is told what came before it asked (${name}), also when the handler failed`, () =>
      Effect.gen(function* () {
        const inbox = Inbox.make({ store: store() })
        const arrive = yield* receiver(inbox, Effect.fail("no"))
        yield* arrive("job_1")
        assert.strictEqual((yield* inbox.await("job_1")).status, "success")
      })
    )
  }

  it.effect("is told what came to another process, before a restart or since", () =>
    Effect.gen(function* () {
      const store = durable()
      const arrive = yield* receiver(Inbox.make({ store }))
      const restarted = Inbox.make({ store })
      yield* arrive("job_1")
      assert.strictEqual((yield* restarted.await("job_1")).jobId, "job_1")
      const waiting = yield* Effect.forkChild(restarted.await("job_2"))
      yield* TestClock.adjust("10 seconds")
      yield* arrive("job_2")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(waiting)).jobId, "job_2")
    })
  )

  it.effect("finds after a restart what came before it, in a file", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(tmpdir(), "ezthrottle-inbox-"))
      const path = join(folder, "inbox.db")
      const before = SqliteEventStore.open(path)
      yield* (yield* receiver(Inbox.make({ store: before })))("job_1")
      before[Symbol.dispose]()
      const after = SqliteEventStore.open(path)
      const inbox = Inbox.make({ store: after })
      const result = yield* inbox.await("job_1")
      assert.deepStrictEqual([result.status, result.response && Reply.text(result.response)], ["success", "done"])
      const again = yield* (yield* receiver(inbox))("job_1")
      assert.strictEqual(again._tag, "Duplicate")
      after[Symbol.dispose]()
      rmSync(folder, { recursive: true })
    })
  )

  it.effect("goes on waiting when the store fails", () =>
    Effect.gen(function* () {
      const store = durable()
      let failures = 0
      const find = (id: string) =>
        failures++ < 3 ? Effect.fail(new EventStoreFailed({ problem: "locked" })) : store.find(id)
      const arrive = yield* receiver(Inbox.make({ store }))
      const waiting = yield* Effect.forkChild(Inbox.make({ store: { ...store, find } }).await("job_1"))
      yield* arrive("job_1")
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual((yield* Fiber.join(waiting)).jobId, "job_1")
    })
  )
})

describe("queueAndWait of the facade", () => {
  it("ends when the webhook comes, where the service tells no results", async () => {
    const inbox = Inbox.make({ url: "https://me.example/hooks" })
    const body = JSON.stringify({ job_id: "job_1", status: "queued" })
    const accepted = { status: "allowed", forwarded_response: { status_code: 201, headers: {}, body } }
    await using service = await listen(({ method }) =>
      method === "POST" ? { status: 200, body: accepted } : { status: 404, body: {} }
    )
    await using client = new EZThrottle({
      apiKey: "key",
      tracktagsUrl: service.url,
      ezthrottleUrl: service.url,
      receiver: inbox
    })
    await using receive = fetchHandler({ secrets: secret, inbox, handle: () => undefined })
    const waiting = client.queueAndWait({ url: "https://api.example/" })
    const sent = bodyOf({ jobId: "job_1" })
    const headers = headersFor(sent, Math.floor(Date.now() / 1000))
    const answer = await receive(new Request("https://me.example/hooks", { method: "POST", body: sent, headers }))
    assert.strictEqual(answer.status, 200)
    assert.strictEqual((await waiting).job_id, "job_1")
    const job = JSON.parse(JSON.parse(service.seen[0]?.body ?? "").body)
    assert.deepStrictEqual(job.webhooks, [{ url: "https://me.example/hooks" }])
  })
})
