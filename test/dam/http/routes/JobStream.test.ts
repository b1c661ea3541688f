import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Events from "../../../../src/dam/observe/Events.ts"
import * as HttpEvents from "../../../../src/dam/http/routes/JobStream.ts"
import * as IntakeId from "../../../../src/dam/job/JobId.ts"
import { payloadOf } from "../../../../src/dam/job/JobKey.ts"
import type { StoredJob } from "../../../../src/dam/job/Job.ts"
import * as Limits from "../../../../src/dam/intake/Limits.ts"
import * as SqliteJobStore from "../../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Step from "../../../../src/step/Step.ts"
import * as Double from "../HttpDouble.ts"

const setup = Effect.gen(function* () {
  const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  const events = Events.make()
  const engine = Double.engine(store, events)
  const leaving = yield* Deferred.make<void>()
  const runs = Double.runs(store, events)

  const file = (url = "https://api.example.com/") =>
    Effect.gen(function* () {
      const step = Step.get(url)
      const id = yield* IntakeId.fresh
      yield* store.enqueue({
        id,
        customer: "local",
        dialect: "flat",
        keyScope: "local",
        key: id,
        keyGiven: true,
        payload: payloadOf(step.request),
        step,
        lane: "api.example.com:443",
        account: "",
        isolated: false,
        createdAt: 0,
        notBefore: undefined,
        parent: undefined,
        rerunOf: undefined,
        traceparent: undefined
      })
      return id
    })

  const jobOf = (id: string): Effect.Effect<StoredJob> =>
    Effect.flatMap(Effect.orDie(store.get(id)), (job) =>
      job === undefined ? Effect.die("no such job") : Effect.succeed(job)
    )

  /** Listens, and hands over what comes, frame by frame. */
  const listen = (id: string, seen = -1) =>
    Effect.gen(function* () {
      const heard = yield* Queue.unbounded<string>()
      const job = yield* jobOf(id)
      const fiber = yield* HttpEvents.text({ engine, leaving, store }, job, seen).pipe(
        Stream.flatMap((chunk) => Stream.fromIterable(chunk.split("\n\n").filter((frame) => frame !== ""))),
        Stream.runForEach((frame) => Queue.offer(heard, frame)),
        Effect.forkChild({ startImmediately: true })
      )
      return { next: Queue.take(heard), size: Queue.size(heard), ended: Fiber.await(fiber) }
    })

  return { store, runs, engine, leaving, file, jobOf, listen }
})

const event = (frame: string) => /event: (\w+)/.exec(frame)?.[1]
const data = (frame: string) => JSON.parse(/data: (.*)/.exec(frame)?.[1] ?? "null")
const idOf = (frame: string) => /id: (.*)/.exec(frame)?.[1]

describe("the event stream of a job", () => {
  it.effect("tells queued, position, dispatching and completed, and ends", () =>
    Effect.gen(function* () {
      const { file, listen, runs } = yield* setup
      yield* file()
      const id = yield* file()
      const stream = yield* listen(id)
      const queued = yield* stream.next
      assert.strictEqual(event(queued), "queued")
      assert.deepStrictEqual(data(queued), { job_id: id, status: "queued" })
      const position = yield* stream.next
      assert.deepStrictEqual([event(position), data(position)], ["position", { job_id: id, position: 2 }])
      const epoch = yield* runs.start(id)
      assert.strictEqual(event(yield* stream.next), "dispatching")
      yield* runs.end(id, epoch, 200, "fine")
      const completed = yield* stream.next
      assert.strictEqual(event(completed), "completed")
      assert.deepStrictEqual(data(completed), { job_id: id, response_status: 200, body: "fine" })
      yield* stream.ended
    })
  )

  it.effect("repeats the position about every 2 seconds while the job is queued, and not after", () =>
    Effect.gen(function* () {
      const { file, listen, runs } = yield* setup
      const first = yield* file()
      const id = yield* file()
      const stream = yield* listen(id)
      yield* stream.next
      assert.strictEqual(data(yield* stream.next).position, 2)
      yield* TestClock.adjust("1999 millis")
      assert.strictEqual(yield* stream.size, 0)
      yield* runs.start(first)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(data(yield* stream.next).position, 1)
      yield* runs.start(id)
      yield* stream.next
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* stream.size, 0)
    })
  )

  it.effect("sends a comment every 30 seconds when there is nothing to tell", () =>
    Effect.gen(function* () {
      const { file, listen, runs } = yield* setup
      const id = yield* file()
      yield* runs.start(id)
      const stream = yield* listen(id)
      yield* stream.next
      yield* stream.next
      for (let round = 0; round < 3; round++) {
        yield* TestClock.adjust("30 seconds")
        assert.match(yield* stream.next, /^:/)
      }
    })
  )

  it.effect("replays what a late client missed", () =>
    Effect.gen(function* () {
      const { file, listen, runs } = yield* setup
      const id = yield* file()
      yield* runs.end(id, yield* runs.start(id), 404, "gone")
      const stream = yield* listen(id)
      const frames = [yield* stream.next, yield* stream.next, yield* stream.next]
      yield* stream.ended
      // a final answer below 500 completes a job in this dialect
      assert.deepStrictEqual(frames.map(event), ["queued", "dispatching", "completed"])
    })
  )

  it.effect("goes on behind the last event a client has seen", () =>
    Effect.gen(function* () {
      const { file, jobOf, listen, runs } = yield* setup
      const id = yield* file()
      const first = yield* listen(id)
      const seen = HttpEvents.seenBy(yield* jobOf(id), idOf(yield* first.next))
      yield* runs.end(id, yield* runs.start(id), 500, "broken")
      const again = yield* listen(id, Number(seen))
      assert.strictEqual(event(yield* again.next), "dispatching")
      const failed = yield* again.next
      assert.strictEqual(event(failed), "failed")
      assert.deepStrictEqual(data(failed), {
        job_id: id,
        reason: "the target answered 500",
        response_status: 500,
        body: "broken"
      })
      yield* again.ended
    })
  )

  it.effect("says with queued how the job stands", () =>
    Effect.gen(function* () {
      const { file, listen } = yield* setup
      const id = yield* file()
      const stream = yield* listen(id)
      assert.deepStrictEqual(data(yield* stream.next), { job_id: id, status: "queued" })
    })
  )

  it.live("is over for a client that has seen the end, and goes on for every other one", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const ask = (path: string, headers: Readonly<Record<string, string>> = {}, body?: string) =>
        Effect.promise(async () => {
          const answer = await fetch(dam.url + path, {
            headers: { "content-type": "application/json", ...headers },
            ...(body === undefined ? {} : { method: "POST", body })
          })
          return { status: answer.status, text: await answer.text() }
        })
      const { text } = yield* ask("/api/v1/jobs", {}, '{"url":"https://api.example.com/"}')
      const { job_id: id } = JSON.parse(text)
      yield* dam.runs.end(id, yield* dam.runs.start(id), 200)
      const ids: Array<string | undefined> = []
      for (const path of [`/api/v1/jobs/${id}/stream`, `/jobs/${id}/stream`]) {
        const whole = yield* ask(path)
        const frames = whole.text.split("\n\n").filter((frame) => frame !== "")
        ids.push(...frames.map(idOf))
        assert.deepStrictEqual(frames.map(event), ["queued", "dispatching", "completed"])
        const [first = "", , last = ""] = ids
        const rest = yield* ask(path, { "last-event-id": first })
        assert.deepStrictEqual([rest.status, rest.text.match(/^event: /gm)?.length], [200, 2])
        assert.deepStrictEqual(yield* ask(path, { "last-event-id": last }), { status: 204, text: "" })
      }
    })
  )

  it.effect("tells that a job went back to the queue between two attempts", () =>
    Effect.gen(function* () {
      const { file, listen, runs, store } = yield* setup
      const id = yield* file()
      const stream = yield* listen(id)
      yield* stream.next
      yield* stream.next
      const epoch = yield* runs.start(id)
      yield* stream.next
      yield* store.park(id, epoch, { dueAt: 10 })
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(event(yield* stream.next), "queued")
      yield* store.release(100_000)
      yield* runs.start(id)
      assert.strictEqual(event(yield* stream.next), "dispatching")
    })
  )

  it.effect("calls a cancelled job failed, and says why", () =>
    Effect.gen(function* () {
      const { engine, file, jobOf, listen } = yield* setup
      const id = yield* file()
      const stream = yield* listen(id)
      yield* stream.next
      yield* stream.next
      yield* engine.cancel(yield* jobOf(id))
      const failed = yield* stream.next
      assert.deepStrictEqual([event(failed), data(failed).reason], ["failed", "cancelled"])
      yield* stream.ended
    })
  )

  it.effect("ends when the dam goes down", () =>
    Effect.gen(function* () {
      const { file, leaving, listen } = yield* setup
      const stream = yield* listen(yield* file())
      yield* Deferred.succeed(leaving, undefined)
      yield* stream.ended
    })
  )
})

describe("places for streams", () => {
  const job = (id: string, keyScope: string) => ({ id, keyScope }) as StoredJob

  it.effect("are limited per job, per account and in all, and given back", () =>
    Effect.gen(function* () {
      const slots = HttpEvents.makeSlots(Limits.make({ streamsPerJob: 1, streamsPerAccount: 2, streams: 3 }))
      const refusalOf = (id: string, scope: string) =>
        Effect.map(Effect.flip(Effect.scoped(slots.take(job(id, scope)))), ({ extra, status }) => [
          status,
          extra["limit_reason"]
        ])
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* slots.take(job("1", "a"))
          assert.deepStrictEqual(yield* refusalOf("1", "a"), [429, "streams_per_job"])
          yield* slots.take(job("2", "a"))
          assert.deepStrictEqual(yield* refusalOf("3", "a"), [429, "streams_per_account"])
          yield* slots.take(job("3", "b"))
          assert.deepStrictEqual(yield* refusalOf("4", "c"), [429, "streams"])
        })
      )
      assert.strictEqual(slots.open(), 0)
      yield* Effect.scoped(slots.take(job("1", "a")))
    })
  )
})
