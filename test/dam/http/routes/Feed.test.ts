import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as HttpFeed from "../../../../src/dam/http/routes/Feed.ts"
import * as Step from "../../../../src/step/Step.ts"
import * as Double from "../HttpDouble.ts"
import { setUp, url } from "../../support.ts"

interface Said {
  readonly id: number
  readonly event: string
  readonly data: {
    readonly at: number
    readonly lanes: ReadonlyArray<{ readonly lane: string; readonly queued: number }>
    readonly removed_lanes: ReadonlyArray<string>
    readonly jobs: ReadonlyArray<{ readonly job_id: string; readonly status: string }>
    readonly more_jobs: number
    readonly missed: boolean
  }
}

const parse = (text: string): Said => {
  const [id = "", event = "", data = ""] = text.split("\n").map((line) => line.slice(line.indexOf(":") + 2))
  return { id: Number(id), event, data: JSON.parse(data) }
}

/** A dam with a reader of its feed. */
const reading = Effect.fnUntraced(function* (customer = "local", after?: number) {
  const dam = yield* setUp()
  const leaving = yield* Deferred.make<void>()
  const feed = yield* HttpFeed.make(dam.engine, leaving)
  const read = Effect.fnUntraced(function* (who: string, since?: number) {
    const chunks: Array<string> = []
    const fiber = yield* Effect.forkChild(
      Stream.runForEach(feed.text(who, since), (chunk) => Effect.sync(() => chunks.push(chunk)))
    )
    yield* TestClock.adjust(1)
    return { chunks, fiber, said: () => chunks.filter((chunk) => chunk.startsWith("id")).map(parse) }
  })
  return { ...dam, ...(yield* read(customer, after)), leaving, read }
})

describe("the live feed", () => {
  it.effect("begins with a snapshot and tells in one message what changed since", () =>
    Effect.gen(function* () {
      const dam = yield* reading()
      assert.deepStrictEqual(dam.said()[0]?.event, "snapshot")
      const id = yield* dam.submit(Step.get(url))
      yield* dam.engine.steering.change("other.example:443", "ann", { _tag: "Pause", note: undefined })
      yield* TestClock.adjust("1 second")
      const updates = dam.said().slice(1)
      assert.isAtMost(updates.length, 2)
      const jobs = updates.flatMap(({ data }) => data.jobs)
      assert.deepStrictEqual([jobs.at(-1)?.job_id, jobs.at(-1)?.status], [id, "succeeded"])
      assert.include(
        updates.flatMap(({ data }) => data.lanes.map(({ lane }) => lane)),
        "other.example:443"
      )
    })
  )

  it.effect("says at most two things a second, however much happens, and the last state of each job", () =>
    Effect.gen(function* () {
      const dam = yield* reading()
      for (let n = 0; n < 300; n++) yield* dam.submit(Step.get(`${url}${n}`))
      yield* TestClock.adjust("10 seconds")
      const updates = dam.said().slice(1)
      assert.isAtMost(updates.length, 20)
      const last = new Map(updates.flatMap(({ data }) => data.jobs).map((job) => [job.job_id, job.status]))
      assert.isAtLeast(last.size, 200)
      assert.deepStrictEqual([...new Set(last.values())], ["succeeded"])
      assert.isAtMost(Math.max(...updates.map(({ data }) => data.jobs.length)), 200)
    })
  )

  it.effect("is silent while nothing happens, but for a comment now and then", () =>
    Effect.gen(function* () {
      const dam = yield* reading()
      yield* dam.submit(Step.get(url))
      yield* TestClock.adjust("3 seconds")
      const before = dam.said().length
      const began = yield* Clock.currentTimeMillis
      yield* TestClock.adjust("1 minute")
      assert.isAtMost(dam.said().length - before, 1)
      const comments = dam.chunks.filter((chunk) => chunk.startsWith(":")).length
      assert.isTrue(comments >= 3 && comments <= 4, `${comments} comments since ${began}`)
    })
  )

  it.effect("goes on where a reader broke off, and says when it cannot", () =>
    Effect.gen(function* () {
      const dam = yield* reading()
      const seen = dam.said().at(-1)?.id
      yield* Fiber.interrupt(dam.fiber)
      const id = yield* dam.submit(Step.get(url))
      yield* TestClock.adjust("5 seconds")
      const [again] = (yield* dam.read("local", seen)).said()
      assert.deepStrictEqual(
        again?.data.jobs.map((job) => [job.job_id, job.status]),
        [[id, "succeeded"]]
      )
      assert.isFalse(again?.data.missed)
      for (let n = 0; n < 1500; n++) yield* dam.submit(Step.get(`${url}${n}`))
      yield* TestClock.adjust("10 seconds")
      assert.isTrue((yield* dam.read("local", seen)).said()[0]?.data.missed)
      assert.isTrue((yield* dam.read("local", 12)).said()[0]?.data.missed)
    })
  )

  it.effect("tells a customer of no job of another", () =>
    Effect.gen(function* () {
      const dam = yield* reading("acme")
      yield* dam.submit(Step.get(url))
      const own = yield* dam.submit(Step.get(`${url}own`), { customer: "acme" })
      yield* TestClock.adjust("2 seconds")
      const jobs = new Set(dam.said().flatMap(({ data }) => data.jobs.map((job) => job.job_id)))
      assert.deepStrictEqual([...jobs], [own])
    })
  )

  it.effect("ends when the dam goes down", () =>
    Effect.gen(function* () {
      const dam = yield* reading()
      yield* Deferred.succeed(dam.leaving, undefined)
      yield* Fiber.join(dam.fiber)
    })
  )

  it.live("is served as an event stream, and refuses an id that is none of it", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const first = yield* Effect.promise(async () => {
        const answer = await fetch(`${dam.url}/api/v1/events`)
        const reader = answer.body?.getReader()
        const chunk = await reader?.read()
        await reader?.cancel()
        return { type: answer.headers.get("content-type"), text: new TextDecoder().decode(chunk?.value) }
      })
      assert.strictEqual(first.type, "text/event-stream")
      assert.strictEqual(parse(first.text).event, "snapshot")
      const refused = yield* Effect.promise(() =>
        fetch(`${dam.url}/api/v1/events`, { headers: { "last-event-id": "x" } })
      )
      assert.strictEqual(refused.status, 400)
      const stats = yield* Effect.promise(async () => (await fetch(`${dam.url}/api/v1/stats`)).json())
      assert.deepStrictEqual(stats, { span_ms: 10_000, spans: [] })
    })
  )
})
