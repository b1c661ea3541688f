/** What a job store promises about batches, as tests over any layer that provides one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import type { NewJob } from "../../src/dam/job/Job.ts"
import type { LineGroup, LineNote, NewBatch, StoredBatch } from "../../src/dam/store/BatchRecords.ts"
import type { StoreError } from "../../src/dam/store/StoreError.ts"
import * as Step from "../../src/step/Step.ts"
import { ended, job } from "./jobStore/Fixtures.ts"

type Store = JobStore["Service"]

const batch = (id: string, change: Partial<NewBatch> = {}): NewBatch => ({
  customer: "local",
  id,
  together: false,
  webhook: undefined,
  metadata: {},
  onComplete: undefined,
  onAnyFailure: undefined,
  rerunOf: undefined,
  createdAt: 5,
  ...change
})

const opened = (jobs: Store, id: string, change?: Partial<NewBatch>) =>
  Effect.map(jobs.openBatch(batch(id, change)), (made) => made.batch)

const inBatch = ({ id, number }: StoredBatch, line: number, change?: Partial<NewJob>): NewJob =>
  job(`${id}-${line}`, { batch: { number, id, line }, ...change })

/** Adds lines behind those that are there. */
const add = (jobs: Store, to: StoredBatch, lines: ReadonlyArray<number>, change: Partial<LineGroup> = {}) =>
  jobs.addLines({
    batch: to,
    after: to.through,
    through: Math.max(to.through, ...lines),
    jobs: lines.map((line) => inBatch(to, line)),
    notes: [],
    at: 7,
    ...change
  })

const refusal = (line: number): LineNote => ({
  _tag: "Refused",
  line,
  code: "invalid_field",
  field: "url",
  problem: "url: is missing"
})

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: Store) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))
  const states = (jobs: Store, { number }: StoredBatch) =>
    Effect.map(jobs.batchCounts(number), (counts) =>
      Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
    )
  const state = (jobs: Store, { customer, id }: StoredBatch) =>
    Effect.map(jobs.batch(customer, id), (found) => found?.state)

  describe(`JobStore (${name}): batches`, () => {
    promises("are kept as they are, once under each id of a customer", (jobs) =>
      Effect.gen(function* () {
        const given = batch("whole", {
          together: true,
          webhook: "https://a.example/hook",
          metadata: { month: "may" },
          onComplete: Step.post("https://a.example/done"),
          onAnyFailure: Step.post("https://a.example/alarm")
        })
        const first = yield* jobs.openBatch(given)
        assert.isTrue(first.isNew)
        assert.deepInclude(plain(first.batch) as object, { ...(plain(given) as object), state: "open", through: 0 })
        const again = yield* jobs.openBatch(batch("whole", { together: false }))
        assert.isFalse(again.isNew)
        assert.isTrue(again.batch.together)
        assert.isTrue((yield* jobs.openBatch(batch("whole", { customer: "acme" }))).isNew)
        assert.isUndefined(yield* jobs.batch("local", "other"))
        yield* opened(jobs, "next")
        const page = yield* jobs.batches("local", undefined, 1)
        assert.deepStrictEqual(
          page.batches.map(({ id }) => id),
          ["next"]
        )
        const rest = yield* jobs.batches("local", page.cursor, 1)
        assert.deepStrictEqual(
          rest.batches.map(({ id }) => id),
          ["whole"]
        )
        assert.isUndefined(rest.cursor)
      })
    )

    promises("take lines in their order, and none twice", (jobs) =>
      Effect.gen(function* () {
        const one = yield* opened(jobs, "b")
        assert.deepStrictEqual(yield* add(jobs, one, [1, 2]), { _tag: "Added" })
        const moved = yield* add(jobs, one, [1, 2, 3])
        assert.isTrue(moved._tag === "Moved" && moved.batch?.through === 2)
        const now = (yield* jobs.batch("local", "b"))!
        assert.deepStrictEqual(yield* add(jobs, now, [3]), { _tag: "Added" })
        assert.deepInclude(yield* jobs.batch("local", "b"), { through: 3, accepted: 3, touchedAt: 7 })
        assert.deepStrictEqual((yield* jobs.get("b-2"))?.batch, { number: one.number, id: "b", line: 2 })
        assert.deepStrictEqual(yield* states(jobs, one), { queued: 3 })
        assert.strictEqual((yield* jobs.stats).jobs.queued, 3)
      })
    )

    promises("write nothing of a group whose keys are known, or that is one too many", (jobs) =>
      Effect.gen(function* () {
        const one = yield* opened(jobs, "b")
        yield* jobs.enqueue(job("first", { key: "k" }))
        const lines = [inBatch(one, 1), inBatch(one, 2, { key: "k" })]
        const met = yield* add(jobs, one, [1, 2], { jobs: lines })
        assert.isTrue(met._tag === "Known" && met.known.length === 1)
        assert.isTrue(met._tag === "Known" && met.known[0]?.place === 1 && met.known[0].job.id === "first")
        assert.deepStrictEqual(yield* add(jobs, one, [1, 2], { most: 2 }), { _tag: "Crowded", jobs: 1 })
        assert.deepInclude(yield* jobs.batch("local", "b"), { through: 0, accepted: 0 })
        assert.deepStrictEqual(yield* add(jobs, one, [1], { most: 2 }), { _tag: "Added" })
        // what waits to be shown counts too
        const all = yield* opened(jobs, "together", { together: true })
        yield* add(jobs, all, [1, 2], { most: 4 })
        const now = (yield* jobs.batch("local", "together"))!
        assert.deepStrictEqual(yield* add(jobs, now, [3], { most: 4 }), { _tag: "Crowded", jobs: 4 })
      })
    )

    promises("note what became no job, and take refused lines when they come again", (jobs) =>
      Effect.gen(function* () {
        const one = yield* opened(jobs, "b")
        yield* add(jobs, one, [], {
          through: 4,
          notes: [refusal(1), refusal(3), { _tag: "Duplicate", line: 4, jobId: "first" }]
        })
        const now = (yield* jobs.batch("local", "b"))!
        assert.deepInclude(now, { through: 4, accepted: 0, duplicates: 1, refused: 2 })
        assert.deepStrictEqual(yield* jobs.lineNotes(one.number, "Refused", 1, 10), [refusal(3)])
        assert.deepStrictEqual(yield* jobs.lineNotes(one.number, "Duplicate", 0, 10), [
          { _tag: "Duplicate", line: 4, jobId: "first" }
        ])
        // a line that nobody refused is not taken again
        yield* add(jobs, now, [2, 3], { through: 4, isAgain: true })
        assert.deepInclude(yield* jobs.batch("local", "b"), { through: 4, accepted: 1, refused: 1 })
        assert.isUndefined(yield* jobs.get("b-2"))
        assert.isDefined(yield* jobs.get("b-3"))
      })
    )

    promises("end once they are closed and the last of their jobs has ended", (jobs) =>
      Effect.gen(function* () {
        const one = yield* opened(jobs, "b")
        yield* add(jobs, one, [1, 2])
        yield* jobs.start("b-1", 1)
        yield* jobs.finish("b-1", 1, ended())
        assert.isTrue(yield* jobs.closeBatch(one.number, 8))
        assert.isFalse(yield* jobs.closeBatch(one.number, 8))
        assert.strictEqual(yield* state(jobs, one), "running")
        assert.deepStrictEqual(yield* jobs.dueBatches(10), [])
        yield* jobs.start("b-2", 1)
        yield* jobs.finish("b-2", 1, ended({ state: "failed", at: 9 }))
        const over = (yield* jobs.batch("local", "b"))!
        assert.deepInclude(over, { state: "ended", endedAt: 9, failedAt: 9 })
        assert.deepStrictEqual(yield* states(jobs, one), { succeeded: 1, failed: 1 })
        assert.deepStrictEqual(
          (yield* jobs.dueBatches(10)).map(({ id }) => id),
          ["b"]
        )
        assert.deepStrictEqual(
          (yield* jobs.failedInBatch(one.number, 0, 10)).map(({ id }) => id),
          ["b-2"]
        )
        const told = job("told", { key: "told" })
        yield* jobs.endTold(one.number, "done", { job: told, finish: ended() })
        assert.deepInclude(yield* jobs.batch("local", "b"), { isTold: true, completeJob: "done" })
        assert.strictEqual((yield* jobs.get("told"))?.state, "succeeded")
        assert.deepStrictEqual(yield* jobs.dueBatches(10), [])
      })
    )

    promises("end at once where they are closed behind their last job, or have none", (jobs) =>
      Effect.gen(function* () {
        const none = yield* opened(jobs, "none")
        yield* jobs.closeBatch(none.number, 8)
        assert.strictEqual(yield* state(jobs, none), "ended")
        const one = yield* opened(jobs, "b")
        yield* add(jobs, one, [1])
        yield* jobs.finishIdle("b-1", ended())
        assert.strictEqual(yield* state(jobs, one), "open")
        yield* jobs.closeBatch(one.number, 8)
        assert.strictEqual(yield* state(jobs, one), "ended")
      })
    )

    promises("go on counting jobs that are no longer kept, and go when nothing of them is left", (jobs) =>
      Effect.gen(function* () {
        const one = yield* opened(jobs, "b")
        yield* add(jobs, one, [1, 2])
        yield* jobs.finishIdle("b-1", ended())
        yield* jobs.finishIdle("b-2", ended({ state: "cancelled", at: 30 }))
        yield* jobs.closeBatch(one.number, 30)
        yield* jobs.endTold(one.number, undefined, undefined)
        yield* jobs.sweep(20, 50)
        assert.isUndefined(yield* jobs.get("b-1"))
        assert.deepStrictEqual(yield* states(jobs, one), { succeeded: 1, cancelled: 1 })
        yield* jobs.sweep(40, 50)
        assert.isUndefined(yield* jobs.batch("local", "b"))
      })
    )

    promises("are closed when nobody has gone on with them for as long as jobs are kept", (jobs) =>
      Effect.gen(function* () {
        const one = yield* opened(jobs, "b")
        yield* add(jobs, one, [1])
        const all = yield* opened(jobs, "together", { together: true })
        yield* add(jobs, all, [1])
        yield* jobs.sweep(7, 50)
        assert.strictEqual(yield* state(jobs, one), "open")
        yield* jobs.sweep(8, 50)
        assert.strictEqual(yield* state(jobs, one), "running")
        // some of a batch that was to be shown as a whole are none
        yield* jobs.showLines(all.number, 9, 10)
        assert.deepInclude(yield* jobs.batch("local", "together"), { state: "ended", accepted: 0 })
        assert.isUndefined(yield* jobs.get("together-1"))
      })
    )

    promises("that are shown together have no jobs before all lines are there", (jobs) =>
      Effect.gen(function* () {
        const all = yield* opened(jobs, "b", { together: true })
        yield* add(jobs, all, [1, 2, 3])
        assert.isUndefined(yield* jobs.get("b-1"))
        assert.strictEqual((yield* jobs.stats).jobs.queued, 0)
        assert.deepStrictEqual(yield* states(jobs, all), { queued: 3 })
        assert.deepStrictEqual(yield* jobs.dueBatches(10), [])
        // somebody else takes a key in the meantime
        yield* jobs.enqueue(job("other", { key: "key of b-2" }))
        yield* jobs.closeBatch(all.number, 8)
        assert.deepStrictEqual(
          (yield* jobs.dueBatches(10)).map(({ state }) => state),
          ["showing"]
        )
        const shown = yield* jobs.showLines(all.number, 9, 2)
        assert.deepStrictEqual(shown, [
          { id: "b-1", customer: "local", lane: "a.example:443", queue: shown[0]!.queue, state: "queued" }
        ])
        assert.strictEqual(yield* state(jobs, all), "showing")
        assert.lengthOf(yield* jobs.showLines(all.number, 9, 2), 1)
        assert.deepInclude(yield* jobs.batch("local", "b"), { state: "running", accepted: 2, duplicates: 1 })
        assert.deepStrictEqual(yield* jobs.lineNotes(all.number, "Duplicate", 0, 10), [
          { _tag: "Duplicate", line: 2, jobId: "other" }
        ])
        assert.isDefined(yield* jobs.start("b-3", 1))
      })
    )

    promises("refuse a line that is shown with a key which another call has got meanwhile", (jobs) =>
      Effect.gen(function* () {
        const all = yield* opened(jobs, "b", { together: true })
        const given = (line: number, payload: string) => inBatch(all, line, { key: "k", keyGiven: true, payload })
        yield* add(jobs, all, [1, 2, 3], { jobs: [given(1, "one"), given(2, "one"), given(3, "other")] })
        yield* jobs.closeBatch(all.number, 8)
        assert.lengthOf(yield* jobs.showLines(all.number, 9, 10), 1)
        assert.deepInclude(yield* jobs.batch("local", "b"), { accepted: 1, duplicates: 1, refused: 1 })
        const [refused] = yield* jobs.lineNotes(all.number, "Refused", 0, 10)
        assert.deepInclude(refused, { line: 3, code: "key_reused", field: "idempotent_key" })
      })
    )

    promises("that are shown together stay open while a line of them is refused", (jobs) =>
      Effect.gen(function* () {
        const all = yield* opened(jobs, "b", { together: true })
        yield* add(jobs, all, [1], { through: 2, notes: [refusal(2)] })
        assert.isFalse(yield* jobs.closeBatch(all.number, 8))
        const now = (yield* jobs.batch("local", "b"))!
        yield* add(jobs, now, [2], { isAgain: true })
        assert.isTrue(yield* jobs.closeBatch(all.number, 8))
        assert.lengthOf(yield* jobs.showLines(all.number, 9, 10), 2)
      })
    )

    promises("that are called off take no line, and end with the last of their jobs", (jobs) =>
      Effect.gen(function* () {
        const one = yield* opened(jobs, "b")
        yield* add(jobs, one, [1, 2])
        assert.isTrue(yield* jobs.callOffBatch(one.number, 8))
        const now = (yield* jobs.batch("local", "b"))!
        assert.deepInclude(now, { state: "running", cancelledAt: 8, closedAt: 8 })
        assert.strictEqual((yield* add(jobs, now, [3]))._tag, "Moved")
        assert.deepStrictEqual(yield* jobs.liveInBatch(one.number, 1), ["b-1"])
        yield* jobs.finishIdle("b-1", ended({ state: "cancelled" }))
        yield* jobs.finishIdle("b-2", ended({ state: "cancelled" }))
        assert.strictEqual(yield* state(jobs, one), "ended")
        assert.isFalse(yield* jobs.callOffBatch(one.number, 9))
        const all = yield* opened(jobs, "together", { together: true })
        yield* add(jobs, all, [1])
        yield* jobs.callOffBatch(all.number, 8)
        assert.deepStrictEqual(yield* jobs.showLines(all.number, 9, 10), [])
        assert.deepInclude(yield* jobs.batch("local", "together"), { state: "ended", accepted: 0 })
      })
    )

    promises("that are called off while they are shown have accepted what was shown", (jobs) =>
      Effect.gen(function* () {
        const all = yield* opened(jobs, "b", { together: true })
        yield* add(jobs, all, [1, 2, 3, 4, 5])
        yield* jobs.closeBatch(all.number, 8)
        yield* jobs.showLines(all.number, 9, 2)
        yield* jobs.callOffBatch(all.number, 9)
        assert.deepStrictEqual(yield* jobs.showLines(all.number, 9, 2), [])
        assert.deepStrictEqual(yield* jobs.showLines(all.number, 9, 2), [])
        assert.deepInclude(yield* jobs.batch("local", "b"), { state: "running", accepted: 2 })
        assert.deepStrictEqual(yield* states(jobs, all), { queued: 2 })
      })
    )

    promises("that are called off before anything of them is shown tell nobody", (jobs) =>
      Effect.gen(function* () {
        const none = yield* opened(jobs, "none", { together: true })
        yield* add(jobs, none, [1])
        yield* jobs.callOffBatch(none.number, 8)
        yield* jobs.showLines(none.number, 9, 10)
        assert.deepInclude(yield* jobs.batch("local", "none"), { state: "ended", accepted: 0, isTold: true })
        assert.deepStrictEqual(yield* jobs.dueBatches(10), [])
      })
    )

    promises("are what their jobs are listed and counted by", (jobs) =>
      Effect.gen(function* () {
        const one = yield* opened(jobs, "b")
        yield* add(jobs, one, [1, 2])
        yield* jobs.enqueue(job("alone"))
        yield* jobs.finishIdle("b-1", ended())
        const listed = (change: object = {}) =>
          Effect.map(jobs.list({ customer: "local", batch: "b", limit: 10, ...change }), (page) =>
            page.jobs.map(({ id }) => id)
          )
        assert.deepStrictEqual(yield* listed(), ["b-2", "b-1"])
        assert.deepStrictEqual(yield* listed({ oldestFirst: true, lane: "a.example:443" }), ["b-1", "b-2"])
        assert.deepStrictEqual(yield* listed({ states: ["queued"] }), ["b-2"])
        assert.deepStrictEqual(yield* listed({ batch: "other" }), [])
        assert.deepStrictEqual(yield* listed({ customer: "acme" }), [])
        assert.deepStrictEqual(yield* jobs.count({ customer: "local", batch: "b" }), { jobs: 2, isExact: true })
      })
    )

    promises("go on counting jobs that are deleted; what has not ended is not", (jobs) =>
      Effect.gen(function* () {
        const one = yield* opened(jobs, "b")
        yield* add(jobs, one, [1, 2])
        yield* jobs.finishIdle("b-1", ended())
        assert.strictEqual(yield* jobs.deleteEnded(["b-1", "b-2", "nobody"]), 1)
        assert.isUndefined(yield* jobs.get("b-1"))
        assert.deepStrictEqual(yield* states(jobs, one), { queued: 1, succeeded: 1 })
        assert.deepInclude((yield* jobs.stats).jobs, { queued: 1, succeeded: 0 })
      })
    )

    promises("tell the first failure once, where something comes of it", (jobs) =>
      Effect.gen(function* () {
        const one = yield* opened(jobs, "b", { onAnyFailure: Step.post("https://a.example/alarm") })
        yield* add(jobs, one, [1, 2, 3])
        yield* jobs.finishIdle("b-1", ended({ state: "failed", at: 5 }))
        assert.deepStrictEqual(
          (yield* jobs.dueBatches(10)).map(({ failedAt }) => failedAt),
          [5]
        )
        yield* jobs.failureTold(one.number, "alarm")
        yield* jobs.finishIdle("b-2", ended({ state: "failed", at: 6 }))
        assert.deepStrictEqual(yield* jobs.dueBatches(10), [])
        assert.deepInclude(yield* jobs.batch("local", "b"), { failedAt: 5, failureJob: "alarm" })
      })
    )
  })
}
