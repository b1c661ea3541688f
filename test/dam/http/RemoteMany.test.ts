/** Jobs by the thousand from our own clients: the same over HTTP and in process, in both their forms. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Stream from "effect/Stream"
import * as EmbeddedService from "../../../src/dam/EmbeddedService.ts"
import { EZThrottle as Facade } from "../../../src/promise.ts"
import * as RemoteService from "../../../src/run/RemoteService.ts"
import { type Service, ServiceError } from "../../../src/run/Service.ts"
import { submitAll } from "../../../src/run/SubmitAll.ts"
import { ServiceFailed } from "../../../src/step/Failure.ts"
import * as Step from "../../../src/step/Step.ts"
import * as EzthrottleApi from "../../../src/transport/EzthrottleApi.ts"
import * as Double from "./HttpDouble.ts"

type Many = Service["Service"]["many"]

const remote = Effect.gen(function* () {
  const dam = yield* Double.make()
  const client = yield* HttpClient.HttpClient
  const service = yield* RemoteService.make(EzthrottleApi.make(client, { dam: dam.url }), {
    ...RemoteService.readable({ dam: dam.url }),
    extensions: "send"
  })
  return { dam, many: service.many }
}).pipe(Effect.provide(FetchHttpClient.layer))

const embedded = Effect.map(Double.make(), (dam) => ({
  dam,
  many: EmbeddedService.make(Double.engine(dam.store, dam.events), dam.store).many
}))

const steps = (count: number) =>
  Stream.map(Stream.range(1, count), (n) =>
    Step.post(`https://api.example.com/n/${n}`).pipe(
      Step.metadata({ row: String(n) }),
      Step.idempotentStrategy("UNIQUE")
    )
  )

const queued = (dam: Effect.Success<ReturnType<typeof Double.make>>) =>
  Effect.map(dam.store.stats, ({ jobs }) => jobs.queued)

for (const [name, world] of [
  ["over HTTP", remote],
  ["in process", embedded]
] as const) {
  describe(`steps by the thousand ${name}`, () => {
    it.live("are handed over a part at a time, and asked for no sooner", () =>
      Effect.gen(function* () {
        const { dam, many } = yield* world
        let asked = 0
        let most = 0
        const told: Array<number> = []
        const batch = yield* submitAll(
          many,
          Stream.tap(steps(120), () => Effect.sync(() => asked++)),
          {
            partSize: 50,
            onProgress: ({ lines }) => {
              told.push(lines)
              most = Math.max(most, asked - lines)
            }
          }
        )
        assert.deepInclude(batch, { status: "running", lines: 120, accepted: 120, refused: 0 })
        assert.deepStrictEqual(told, [50, 100, 120, 120])
        assert.isAtMost(most, 50)
        assert.strictEqual(yield* queued(dam), 120)
        const { jobs } = yield* dam.store.list({ customer: "local", batch: batch.batchId, limit: 1 })
        assert.deepInclude(jobs[0]?.batch, { id: batch.batchId, line: 120 })
      })
    )

    it.live("go on where they were cut off, none twice", () =>
      Effect.gen(function* () {
        const { dam, many } = yield* world
        let sent = 0
        const breaking: Many = {
          ...many,
          sendBatch: (part) =>
            ++sent > 2
              ? Effect.fail(new ServiceError({ reason: new ServiceFailed({ status: 400, received: "cut off" }) }))
              : many.sendBatch(part)
        }
        const options = { batchId: "b", partSize: 10 }
        const broken = yield* Effect.flip(submitAll(breaking, steps(45), options))
        assert.deepInclude(broken, { _tag: "BatchBroken", batchId: "b", lines: 20 })
        assert.match(broken.message, /cut off \(batch b has 20 steps/)
        const batch = yield* submitAll(many, steps(45), options)
        assert.deepInclude(batch, { lines: 45, accepted: 45, duplicates: 0 })
        assert.strictEqual(yield* queued(dam), 45)
        // and one that is whole is only looked at
        assert.deepInclude(yield* submitAll(many, steps(50), options), { lines: 45 })
      })
    )

    it.live("tell what was refused, and are called off and looked at by their id", () =>
      Effect.gen(function* () {
        const { many } = yield* world
        const bad = Stream.make(
          Step.get("https://a.example/1"),
          Step.get("https://a.example/2").pipe(Step.limit("nobody"))
        )
        const batch = yield* submitAll(many, bad, { batchId: "b", metadata: { month: "may" } })
        assert.deepInclude(batch, { accepted: 1, refused: 1 })
        assert.strictEqual(batch.refusedLines[0]?.line, 2)
        assert.deepInclude(batch.answer, { metadata: { month: "may" } })
        assert.strictEqual((yield* many.cancelBatch("b")).answer["cancelled"], true)
        assert.strictEqual((yield* Effect.flip(many.rerunBatch("b"))).reason._tag, "WrongJobState")
        assert.strictEqual((yield* Effect.flip(many.batch("nobody"))).reason._tag, "BatchNotFound")
        const whole = yield* Effect.flip(submitAll(many, bad, { batchId: "t", together: true }))
        assert.match(whole._tag === "BatchBroken" ? whole.message : "", /line 2: .*limit/)
      })
    )

    it.live("are called off and deleted by a filter", () =>
      Effect.gen(function* () {
        const { dam, many } = yield* world
        yield* submitAll(many, steps(30), { batchId: "b" })
        const filter = { batch: "b", metadata: { row: "7" } }
        const looked = yield* many.bulk({ action: "cancel", filter, dryRun: true })
        assert.deepInclude(looked, { jobs: 1, isExact: true, skipped: 0, cursor: undefined })
        assert.deepInclude(looked.examples[0]?.answer, { metadata: { row: "7" } })
        assert.strictEqual((yield* many.bulk({ action: "cancel", filter })).jobs, 1)
        assert.strictEqual((yield* many.bulk({ action: "delete", filter: { batch: "b" } })).jobs, 1)
        assert.strictEqual(yield* queued(dam), 29)
      })
    )
  })
}

describe("jobs by the thousand of the facade", () => {
  it.live("are handed over as a batch from whatever is iterated", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const client = new Facade({ dam: dam.url })
      yield* Effect.addFinalizer(() => Effect.promise(() => client[Symbol.asyncDispose]()))
      const told: Array<unknown> = []
      async function* rows() {
        for (let n = 1; n <= 1200; n++) yield { url: `https://api.example.com/n/${n}` }
      }
      yield* Effect.promise(async () => {
        const batch = await client.submitAll(rows(), {
          batchId: "rows",
          onComplete: { url: "https://api.example.com/done", method: "POST" },
          onProgress: ({ lines }) => void told.push(lines)
        })
        assert.deepInclude(batch, { batch_id: "rows", status: "running", accepted: 1200 })
        assert.deepStrictEqual(told, [500, 1000, 1200, 1200])
        assert.deepInclude(await client.getBatch("rows"), { lines: 1200 })
        assert.deepInclude(await client.bulkJobs({ action: "cancel", filter: { batch: "rows" }, dryRun: true }), {
          jobs: 1200
        })
        assert.deepInclude(await client.bulkJobs({ action: "cancel", filter: { batch: "rows" } }), {
          jobs: 1200,
          skipped: 0
        })
        const message = (promise: Promise<unknown>) => promise.then(String, ({ message }) => String(message))
        assert.match(await message(client.getBatch("nobody")), /knows no batch nobody/)
        assert.match(await message(client.submitAll([], { batchID: "b" } as never)), /submitAll\.batchID/)
        assert.match(await message(client.submitAll(3 as never)), /submitAll: Expected the jobs as a list/)
        assert.match(await message(client.submitAll([{ url: "nope" }])), /url/)
      })
    })
  )
})
