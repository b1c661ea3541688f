/** What a job store promises about jobs that stand in an order, and of priorities, over any layer that provides one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { NewJob } from "../../src/dam/job/Job.ts"
import { queueOf } from "../../src/dam/job/LaneName.ts"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import type { StoreError } from "../../src/dam/store/StoreError.ts"
import * as Step from "../../src/step/Step.ts"
import { ended, job } from "./jobStore/Fixtures.ts"

type Store = JobStore["Service"]

const inOrder = (id: string, key: string, change: Partial<NewJob> = {}, onFailure?: "continue" | "stop") =>
  job(id, { step: Step.get("https://a.example/").pipe(Step.inOrder(key, { onFailure })), ...change })

const failed = () => ({
  ...ended(),
  state: "failed" as const,
  result: { ...ended().result, error: { tag: "Rejected", message: "no" } }
})

const states = (jobs: Store, ...ids: ReadonlyArray<string>) =>
  Effect.map(Effect.forEach(ids, jobs.get), (all) => all.map((one) => one?.state))

/** Queues what is due, starts a job and ends it. */
const through = Effect.fnUntraced(function* (jobs: Store, id: string, end = ended()) {
  yield* jobs.release(1000)
  const { epoch } = (yield* jobs.start(id, 5))!
  yield* jobs.finish(id, epoch, end)
})

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: Store) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))

  describe(`JobStore (${name}): orders`, () => {
    promises("lets the first of a key go and no other, also of one commit", (jobs) =>
      Effect.gen(function* () {
        const all = [inOrder("a1", "a"), inOrder("a2", "a"), inOrder("b1", "b"), inOrder("a3", "a")]
        const filed = yield* Effect.forEach(all, jobs.enqueue, { concurrency: "unbounded" })
        assert.deepStrictEqual(
          filed.map((one) => one._tag === "Stored" && one.state),
          ["queued", "scheduled", "queued", "scheduled"]
        )
        assert.deepStrictEqual(yield* jobs.release(Number.MAX_SAFE_INTEGER), { lanes: [], nextDueAt: undefined })
        yield* through(jobs, "a1")
        assert.deepStrictEqual(yield* states(jobs, "a2", "a3"), ["scheduled", "scheduled"])
        assert.deepStrictEqual((yield* jobs.release(1000)).lanes, ["a.example:443"])
        assert.deepStrictEqual(yield* states(jobs, "a2", "a3"), ["queued", "scheduled"])
        assert.deepInclude((yield* jobs.stats).jobs, { queued: 2, scheduled: 1, succeeded: 1 })
      })
    )

    promises("keeps the keys of customers apart", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(inOrder("one", "k"))
        yield* jobs.enqueue(inOrder("other", "k", { customer: "acme" }))
        assert.deepStrictEqual(yield* states(jobs, "one", "other"), ["queued", "queued"])
        assert.isUndefined(yield* jobs.order("nobody", "k"))
      })
    )

    promises("holds while the first one waits for its time, is parked, or was running in a crash", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(inOrder("first", "k", { notBefore: 500 }))
        yield* jobs.enqueue(inOrder("second", "k"))
        assert.deepStrictEqual(yield* jobs.release(499), { lanes: [], nextDueAt: 500 })
        yield* jobs.release(500)
        yield* jobs.start("first", 500)
        yield* jobs.park("first", 1, { dueAt: 700 })
        yield* jobs.release(700)
        yield* jobs.start("first", 700)
        yield* jobs.recover
        yield* jobs.release(900)
        assert.deepStrictEqual(yield* states(jobs, "first", "second"), ["queued", "scheduled"])
        assert.isUndefined(yield* jobs.hasten("second", 900))
      })
    )

    promises("gives the next one its own time, and lets it go when the one before it is called off", (jobs) =>
      Effect.gen(function* () {
        for (const [id, notBefore] of [["first"], ["gone"], ["late", 800], ["last"]] as const) {
          yield* jobs.enqueue(inOrder(id, "k", { notBefore }))
        }
        assert.isTrue(yield* jobs.finishIdle("gone", { ...ended(), state: "cancelled" }))
        assert.isTrue(yield* jobs.finishIdle("first", { ...ended(), state: "cancelled" }))
        assert.deepStrictEqual(yield* jobs.release(799), { lanes: [], nextDueAt: 800 })
        assert.strictEqual(yield* jobs.beforeInOrder("last"), 1)
        yield* jobs.release(800)
        assert.deepStrictEqual(yield* states(jobs, "late", "last"), ["queued", "scheduled"])
      })
    )

    promises("stops a key after a failure where its job said so, until it is resumed", (jobs) =>
      Effect.gen(function* () {
        for (const id of ["first", "second"]) yield* jobs.enqueue(inOrder(id, "k", {}, "stop"))
        yield* through(jobs, "first", { ...failed(), at: 9 })
        const stopped = { jobId: "first", at: 9 }
        assert.deepStrictEqual(yield* jobs.order("local", "k"), { key: "k", jobs: 1, first: "second", stopped })
        yield* jobs.enqueue(inOrder("third", "k"))
        yield* jobs.finishIdle("second", { ...ended(), state: "cancelled" })
        yield* jobs.release(1000)
        assert.deepStrictEqual(yield* states(jobs, "third"), ["scheduled"])
        assert.lengthOf(yield* jobs.stoppedOrders("local", 10), 1)
        assert.isTrue(yield* jobs.resumeOrder("local", "k"))
        yield* jobs.release(1000)
        assert.deepStrictEqual(yield* states(jobs, "third"), ["queued"])
        assert.isFalse(yield* jobs.resumeOrder("local", "k"))
        assert.deepStrictEqual(yield* jobs.stoppedOrders("local", 10), [])
      })
    )

    promises("is stopped by no job that was never called, that expired, or that said to go on", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(inOrder("idle", "k", {}, "stop"))
        yield* jobs.enqueue(inOrder("expired", "k", {}, "stop"))
        yield* jobs.enqueue(inOrder("failed", "k"))
        yield* jobs.enqueue(inOrder("last", "k"))
        yield* jobs.finishIdle("idle", failed())
        const expired = { ...failed().result, error: { tag: "Expired", message: "too late" } }
        yield* through(jobs, "expired", { ...failed(), result: expired })
        yield* through(jobs, "failed", failed())
        yield* through(jobs, "last")
        assert.isUndefined(yield* jobs.order("local", "k"))
      })
    )

    promises("takes children behind all that stand there", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(inOrder("first", "k"))
        yield* jobs.enqueue(inOrder("second", "k"))
        yield* through(jobs, "first", { ...ended(), children: [inOrder("child", "k")] })
        yield* jobs.release(1000)
        assert.deepStrictEqual(yield* states(jobs, "second", "child"), ["queued", "scheduled"])
        yield* through(jobs, "second")
        yield* through(jobs, "child", { ...ended(), children: [inOrder("grandchild", "k")] })
        assert.deepStrictEqual(yield* states(jobs, "grandchild"), ["queued"])
      })
    )

    promises("lists by order, whatever became of the jobs, and by priority", (jobs) =>
      Effect.gen(function* () {
        for (const id of ["k1", "k2"]) yield* jobs.enqueue(inOrder(id, "k"))
        yield* jobs.enqueue(inOrder("other", "other"))
        const classes = ["high", "normal", "low"] as const
        for (const one of classes) {
          yield* jobs.enqueue(job(one, { step: Step.get("https://a.example/").pipe(Step.priority(one)) }))
        }
        yield* through(jobs, "k1")
        const ids = (filter: object) =>
          Effect.map(jobs.list({ customer: "local", limit: 10, oldestFirst: true, ...filter }), (page) =>
            page.jobs.map(({ id }) => id)
          )
        assert.deepStrictEqual(yield* ids({ order: "k" }), ["k1", "k2"])
        assert.deepStrictEqual(yield* ids({ order: "k", states: ["succeeded"] }), ["k1"])
        assert.deepStrictEqual(yield* ids({ priority: "high" }), ["high"])
        assert.deepStrictEqual(yield* ids({ priority: "low" }), ["low"])
        assert.deepStrictEqual(yield* ids({ priority: "normal" }), ["k1", "k2", "other", "normal"])
        assert.deepStrictEqual(yield* jobs.queues("a.example:443"), ["acc", "acc!h", "acc!l"])
        const account = { account: "acc", isolated: false }
        assert.strictEqual(queueOf(account, [], "high"), "acc!h")
      })
    )

    promises("changes a job that waits, once for each revision, and no other", (jobs) =>
      Effect.gen(function* () {
        const given = job("one", { step: Step.post("https://a.example/", { body: "old" }), isolated: true })
        yield* jobs.enqueue(given)
        const before = (yield* jobs.get("one"))!
        const step = Step.post("https://a.example/", { body: "new" }).pipe(Step.priority("low"))
        const after = { ...before, step, account: "other", notBefore: 500 }
        const change = { job: after, isRetimed: true, now: 100, revision: 0 }
        assert.strictEqual(yield* jobs.change(change), "Changed")
        assert.strictEqual(yield* jobs.change(change), "Stale")
        const changed = {
          state: "scheduled" as const,
          dueAt: 500,
          notBefore: 500,
          account: "other",
          revision: 1,
          key: given.key
        }
        assert.deepInclude(yield* jobs.get("one"), changed)
        assert.deepInclude((yield* jobs.stats).jobs, { queued: 0, scheduled: 1 })
        yield* jobs.release(500)
        assert.deepStrictEqual(yield* jobs.queues("a.example:443"), ["other+!l"])
        const started = yield* jobs.start("one", 600)
        assert.strictEqual(started?.step.request.body, "new")
        assert.strictEqual(yield* jobs.change({ ...change, revision: undefined }), "Settled")
        assert.strictEqual(yield* jobs.change({ ...change, job: { ...after, id: "nobody" } }), "Settled")
      })
    )

    promises("keeps a job where it stands that is changed in all but its time", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("parked"))
        yield* jobs.start("parked", 1)
        yield* jobs.park("parked", 1, { dueAt: 700 })
        const parked = (yield* jobs.get("parked"))!
        const step = Step.priority(parked.step, "high")
        assert.strictEqual(yield* jobs.change({ job: { ...parked, step }, isRetimed: false, now: 5 }), "Changed")
        assert.deepInclude(yield* jobs.get("parked"), { state: "parked", dueAt: 700, revision: 1 })
        yield* jobs.release(700)
        assert.deepStrictEqual(yield* jobs.queues("a.example:443"), ["acc!h"])
      })
    )

    promises("counts of a higher class of the same account as many as may come before", (jobs) =>
      Effect.gen(function* () {
        const of = (id: string, one: "high" | "low") =>
          jobs.enqueue(job(id, { step: Step.get("https://a.example/").pipe(Step.priority(one)) }))
        for (let n = 0; n < 20; n++) yield* of(`high-${n}`, "high")
        yield* of("low", "low")
        assert.deepStrictEqual(yield* jobs.ahead("low"), {
          queue: "acc!l",
          jobs: 0,
          others: [{ queue: "acc!h", jobs: 16 }]
        })
      })
    )
  })

  describe(`JobStore (${name}): jobs that become one`, () => {
    const putOff = (id: string, change: Partial<NewJob> = {}) =>
      job(id, {
        step: Step.get("https://a.example/").pipe(Step.debounce("k", { wait: 500 })),
        notBefore: 500,
        ...change
      })
    const same = (id: string, customer = "local") =>
      job(id, { step: Step.get("https://a.example/same").pipe(Step.coalesce), customer })

    promises("files one in the place of another that still waits, and nothing otherwise", (jobs) =>
      Effect.gen(function* () {
        assert.deepInclude(yield* jobs.enqueueOver(putOff("one"), undefined, undefined), { _tag: "Stored" })
        assert.deepStrictEqual(yield* jobs.debounced("local", "k"), { id: "one", since: 1 })
        const over = (id: string) => ({ id, finish: { ...ended(), state: "cancelled" as const } })
        assert.deepStrictEqual(yield* jobs.enqueueOver(putOff("two"), undefined, undefined), { _tag: "Moved" })
        const later = putOff("two", { debouncedSince: 1, createdAt: 9 })
        assert.deepInclude(yield* jobs.enqueueOver(later, over("one"), undefined), { state: "scheduled" })
        assert.deepStrictEqual(yield* states(jobs, "one", "two"), ["cancelled", "scheduled"])
        assert.deepStrictEqual(yield* jobs.debounced("local", "k"), { id: "two", since: 1 })
        assert.deepStrictEqual(yield* jobs.enqueueOver(putOff("three"), over("one"), undefined), { _tag: "Moved" })
        assert.isUndefined(yield* jobs.get("three"))
        const again = yield* jobs.enqueueOver({ ...later, id: "four" }, over("two"), undefined)
        assert.isTrue(again._tag === "Duplicate" && again.job.id === "two")
        assert.isUndefined(yield* jobs.debounced("acme", "k"))
        yield* jobs.release(500)
        assert.isUndefined(yield* jobs.debounced("local", "k"))
        const crowded = yield* jobs.enqueueOver(putOff("five"), undefined, 1)
        assert.deepStrictEqual(crowded, { _tag: "Crowded", jobs: 1 })
      })
    )

    promises("has identical calls wait for the one in flight, each customer's for its own", (jobs) =>
      Effect.gen(function* () {
        const filed = yield* Effect.forEach(
          [same("one"), same("two"), same("acme", "acme"), same("three")],
          jobs.enqueue
        )
        assert.deepStrictEqual(
          filed.map((one) => one._tag === "Stored" && one.state),
          ["queued", "scheduled", "queued", "scheduled"]
        )
        assert.deepStrictEqual(yield* jobs.following("one", 10), ["two", "three"])
        assert.deepStrictEqual(yield* jobs.release(1000), { lanes: [], nextDueAt: undefined })
        assert.isUndefined(yield* jobs.hasten("two", 5))
        yield* jobs.finishIdle("one", { ...ended(), state: "cancelled" })
        yield* jobs.release(1000)
        assert.deepStrictEqual(yield* states(jobs, "two", "three"), ["queued", "scheduled"])
        assert.deepStrictEqual(yield* jobs.following("two", 10), ["three"])
        yield* through(jobs, "two")
        assert.deepStrictEqual(yield* jobs.following("two", 10), ["three"])
        // told by whoever ends the job, or else at the next start
        yield* jobs.recover
        yield* jobs.release(1000)
        assert.deepStrictEqual(yield* states(jobs, "three"), ["queued"])
        assert.deepStrictEqual(yield* jobs.following("two", 10), [])
      })
    )

    promises("shares nothing with a call that was changed, whoever waits for whom", (jobs) =>
      Effect.gen(function* () {
        yield* Effect.forEach(
          ["one", "two", "three", "four"].map((id) => same(id)),
          jobs.enqueue
        )
        const changed = Effect.fnUntraced(function* (id: string, step: Step.Step, notBefore?: number) {
          const before = yield* jobs.get(id)
          assert.isDefined(before)
          const isRetimed = notBefore !== undefined
          return yield* jobs.change({ job: { ...before, step, notBefore }, isRetimed, revision: undefined, now: 5 })
        })
        const other = Step.get("https://a.example/same").pipe(Step.coalesce, Step.headers({ authorization: "b" }))
        // one that waits
        assert.strictEqual(yield* changed("three", other), "Changed")
        yield* jobs.release(5)
        assert.deepStrictEqual(yield* states(jobs, "two", "three", "four"), ["scheduled", "queued", "scheduled"])
        // the one that is waited for
        assert.strictEqual(yield* changed("one", other), "Changed")
        yield* jobs.release(5)
        assert.deepStrictEqual(yield* states(jobs, "one", "two", "four"), ["queued", "queued", "scheduled"])
        assert.deepStrictEqual(yield* jobs.following("two", 10), ["four"])
        yield* jobs.enqueue(same("five"))
        assert.deepStrictEqual(yield* jobs.following("two", 10), ["four", "five"])
        // its time is nobody else's
        assert.strictEqual(yield* changed("two", same("two").step, 900), "Changed")
        assert.strictEqual(yield* changed("five", same("five").step, 700), "Changed")
        yield* jobs.release(5)
        assert.deepStrictEqual(yield* states(jobs, "two", "four", "five"), ["scheduled", "queued", "scheduled"])
        assert.deepInclude(yield* jobs.release(5), { nextDueAt: 700 })
      })
    )

    promises("has nobody end with what was never called, and lets those go that nobody told", (jobs) =>
      Effect.gen(function* () {
        yield* Effect.forEach(
          ["one", "two", "three"].map((id) => same(id)),
          jobs.enqueue
        )
        yield* jobs.finishIdle("one", { ...ended(), state: "failed" })
        yield* jobs.release(5)
        assert.deepStrictEqual(yield* states(jobs, "two", "three"), ["queued", "scheduled"])
        yield* through(jobs, "two")
        yield* jobs.sweep(0, 10)
        yield* jobs.release(5)
        assert.deepStrictEqual(yield* states(jobs, "three"), ["queued"])
      })
    )
  })
}
