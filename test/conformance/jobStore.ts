/**
 * What a job store promises, as tests over any layer that provides one. Every test gets a store of its own.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { inspect } from "node:util"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import type { NewJob } from "../../src/dam/job/Job.ts"
import { laneOf, queueOf } from "../../src/dam/job/LaneName.ts"
import * as Search from "../../src/dam/job/Search.ts"
import type { JobFilter } from "../../src/dam/store/JobRecords.ts"
import type { StoreError } from "../../src/dam/store/StoreError.ts"
import * as Step from "../../src/step/Step.ts"
import { answered, attempt, delivery, ended, fails, job, revealed, rich, secretsOf } from "./jobStore/Fixtures.ts"

type Promises = (
  sentence: string,
  test: (jobs: JobStore["Service"]) => Effect.Effect<void, unknown>,
  timeout?: number
) => void

const promisesOf =
  (store: Layer.Layer<JobStore, StoreError>): Promises =>
  (sentence, test, timeout) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)), timeout)

/** What a store promises of filing, in whichever way it is asked. */
export const filing = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = promisesOf(store)

  describe(`JobStore (${name}): filing`, () => {
    promises("answers what it was given, losing nothing", (jobs) =>
      Effect.gen(function* () {
        const given = rich("whole")
        assert.deepStrictEqual(yield* jobs.enqueue(given), { _tag: "Stored", state: "queued" })
        assert.deepStrictEqual(yield* jobs.get("whole"), {
          ...given,
          state: "queued",
          deliveryState: "none",
          epoch: 0,
          history: [],
          dueAt: undefined,
          pausedUntil: undefined,
          pausedFor: undefined,
          startedAt: undefined,
          finishedAt: undefined,
          result: undefined,
          heldSince: undefined
        })
        assert.isUndefined(yield* jobs.get("nobody"))
      })
    )

    promises("schedules a job that must not start yet, and queues one whose time is past", (jobs) =>
      Effect.gen(function* () {
        const later = yield* jobs.enqueue(job("later", { createdAt: 1000, notBefore: 1001 }))
        const now = yield* jobs.enqueue(job("now", { createdAt: 1000, notBefore: 1000 }))
        assert.deepStrictEqual(later, { _tag: "Stored", state: "scheduled" })
        assert.deepStrictEqual(now, { _tag: "Stored", state: "queued" })
        assert.strictEqual((yield* jobs.get("later"))?.dueAt, 1001)
        assert.isUndefined(yield* jobs.start("later", 2000))
      })
    )

    promises("makes one job of a thousand equal submissions at once", (jobs) =>
      Effect.gen(function* () {
        const same = Array.from({ length: 1000 }, (_, n) => job(`same-${n}`, { key: "k" }))
        const filed = yield* Effect.forEach(same, jobs.enqueue, { concurrency: "unbounded" })
        const stored = filed.flatMap((one, n) => (one._tag === "Stored" ? [same[n]?.id] : []))
        const named = filed.flatMap((one) => (one._tag === "Duplicate" ? [one.job.id] : []))
        assert.lengthOf(stored, 1)
        assert.lengthOf(named, 999)
        assert.deepStrictEqual(new Set(named), new Set(stored))
        assert.strictEqual((yield* jobs.stats).jobs.queued, 1)
      })
    )

    promises("answers a duplicate with the first job as it is now, result included", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("first", { key: "k" }))
        yield* jobs.start("first", 1)
        yield* jobs.finish("first", 1, ended())
        const again = yield* jobs.enqueue(job("second", { key: "k" }))
        assert.isTrue(again._tag === "Duplicate" && again.job.id === "first" && again.job.state === "succeeded")
        assert.isTrue(again._tag === "Duplicate" && again.job.result?.response?.status === 200)
        assert.isUndefined(yield* jobs.get("second"))
      })
    )

    promises("takes metadata whose names are no Unicode text", (jobs) =>
      Effect.gen(function* () {
        const metadata = { "\ud800": "x", "\udfff": "x", "\ufffd": "x" }
        yield* jobs.enqueue(job("one", { step: Step.get("https://a.example/").pipe(Step.metadata(metadata)) }))
        assert.deepStrictEqual((yield* jobs.get("one"))?.step.metadata, metadata)
      })
    )

    promises("keeps the keys of one scope apart from those of another", (jobs) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* jobs.enqueue(job("a", { keyScope: "a", key: "bc" })))._tag, "Stored")
        assert.strictEqual((yield* jobs.enqueue(job("b", { keyScope: "ab", key: "c" })))._tag, "Stored")
        assert.strictEqual((yield* jobs.enqueue(job("c", { keyScope: "a", key: "bc" })))._tag, "Duplicate")
      })
    )

    promises("refuses a given key for another payload, in the cloud dialect only", (jobs) =>
      Effect.gen(function* () {
        const key = { key: "k", keyGiven: true }
        yield* jobs.enqueue(job("first", { ...key, payload: "one" }))
        const other = { ...key, payload: "two" }
        assert.deepStrictEqual(yield* jobs.enqueue(job("cloud", other)), { _tag: "Conflict", jobId: "first" })
        assert.strictEqual((yield* jobs.enqueue(job("flat", { ...other, dialect: "flat" })))._tag, "Duplicate")
        assert.strictEqual((yield* jobs.enqueue(job("same", { ...key, payload: "one" })))._tag, "Duplicate")
      })
    )

    promises("files a rerun outside the key index, so that the key keeps naming the first job", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("rerun-early", { key: "k", rerunOf: "gone" }))
        assert.strictEqual((yield* jobs.enqueue(job("first", { key: "k" })))._tag, "Stored")
        assert.strictEqual((yield* jobs.enqueue(job("rerun", { key: "k", rerunOf: "first" })))._tag, "Stored")
        const again = yield* jobs.enqueue(job("third", { key: "k" }))
        assert.isTrue(again._tag === "Duplicate" && again.job.id === "first")
      })
    )

    promises("fails only the operation that breaks a rule, not those that share its commit", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("taken"))
        const group = ["a", "b", "taken", "c"].map((id, n) => jobs.enqueue(job(id, { key: `other-${n}` })))
        const exits = yield* Effect.forEach(group, Effect.exit, { concurrency: "unbounded" })
        assert.deepStrictEqual(
          exits.map(({ _tag }) => _tag),
          ["Success", "Success", "Failure", "Success"]
        )
        assert.strictEqual((yield* jobs.stats).jobs.queued, 4)
        assert.lengthOf(yield* jobs.page("a.example:443", "acc", 0, 10), 4)
      })
    )
  })
}

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = promisesOf(store)
  filing(name, store)

  describe(`JobStore (${name}): running`, () => {
    promises("gives a job to one claimer only", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("one"))
        const claims = yield* Effect.all([jobs.start("one", 5), jobs.start("one", 6)], { concurrency: "unbounded" })
        const given = claims.filter((claim) => claim !== undefined)
        assert.lengthOf(given, 1)
        assert.deepInclude(given[0], { state: "running", epoch: 1, startedAt: claims[0] === undefined ? 6 : 5 })
      })
    )

    promises("keeps the history of attempts, failures and bytes included, and one answer per racer", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("one"))
        yield* jobs.start("one", 1)
        const bytes = Uint8Array.from({ length: 256 }, (_, n) => n)
        // a view into something larger: only what it shows may be kept
        const view = new Uint8Array([9, 9, 0, 255, 254, 9]).subarray(2, 5)
        const first = attempt({ kind: "start", response: answered(503, bytes) })
        const racer = attempt({ racer: 1, region: "lax", response: answered(200, view) })
        const last = attempt({ kind: "retry", pause: 12.5, ending: fails, response: undefined })
        for (const one of [first, racer, last]) yield* jobs.record("one", 1, one)
        const history = (yield* jobs.get("one"))?.history ?? []
        assert.deepStrictEqual(history, [{ ...first, response: undefined }, racer, last])
        const { ending } = history[2] ?? {}
        assert.isTrue(ending?._tag === "Failed" && ending.failure instanceof fails.failure.constructor)
      })
    )

    promises("refuses what an older start of the job writes", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("one"))
        yield* jobs.start("one", 1)
        yield* jobs.recover
        yield* jobs.start("one", 2)
        const late = [
          jobs.record("one", 1, attempt()),
          jobs.park("one", 1, { dueAt: 10 }),
          jobs.finish("one", 1, ended({ children: [job("child")], deliveries: [delivery("one", 0)] }))
        ]
        for (const write of late) {
          const error = yield* Effect.flip(write as Effect.Effect<void, { readonly _tag: string }>)
          assert.strictEqual(error._tag, "StaleEpoch")
        }
        assert.deepInclude(yield* jobs.get("one"), { state: "running", epoch: 2, history: [], deliveryState: "none" })
        assert.isUndefined(yield* jobs.get("child"))
      })
    )

    promises("writes nothing to a job that has ended or is not running", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("one"))
        assert.strictEqual((yield* Effect.flip(jobs.record("one", 0, attempt())))._tag, "StaleEpoch")
        assert.strictEqual((yield* Effect.flip(jobs.finish("nobody", 1, ended())))._tag, "StaleEpoch")
        yield* jobs.start("one", 1)
        yield* jobs.finish("one", 1, ended())
        assert.strictEqual((yield* Effect.flip(jobs.record("one", 1, attempt())))._tag, "StaleEpoch")
        assert.strictEqual((yield* Effect.flip(jobs.finish("one", 1, ended({ state: "failed" }))))._tag, "StaleEpoch")
        assert.isUndefined(yield* jobs.start("one", 2))
        assert.isFalse(yield* jobs.finishIdle("one", ended({ state: "cancelled" })))
        assert.strictEqual((yield* jobs.get("one"))?.state, "succeeded")
      })
    )

    promises("parks a job until it is due and remembers the first time it was held", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("one"))
        yield* jobs.start("one", 1)
        yield* jobs.park("one", 1, { dueAt: 100, heldSince: 50 })
        assert.deepInclude(yield* jobs.get("one"), { state: "parked", dueAt: 100, heldSince: 50, startedAt: 1 })
        assert.deepStrictEqual(yield* jobs.release(99), { lanes: [], nextDueAt: 100 })
        assert.deepStrictEqual(yield* jobs.release(100), { lanes: ["a.example:443"], nextDueAt: undefined })
        const again = yield* jobs.start("one", 101)
        assert.deepInclude(again, { state: "running", epoch: 2, startedAt: 1, dueAt: undefined, pausedUntil: 100 })
        yield* jobs.park("one", 2, { dueAt: 200, heldSince: 60 })
        assert.strictEqual((yield* jobs.get("one"))?.heldSince, 50)
      })
    )

    promises("queues a job that waits before its time, once, and counts its deadline from then", (jobs) =>
      Effect.gen(function* () {
        const step = Step.get("https://a.example/").pipe(Step.onFailureTimeout(10))
        yield* jobs.enqueue(job("scheduled", { step, notBefore: 100 }))
        yield* jobs.enqueue(job("parked", { account: "other" }))
        yield* jobs.start("parked", 1)
        yield* jobs.park("parked", 1, { dueAt: 500 })
        assert.deepStrictEqual(yield* jobs.hasten("scheduled", 50), { lane: "a.example:443", queue: "acc" })
        assert.deepStrictEqual(yield* jobs.hasten("parked", 60), { lane: "a.example:443", queue: "other" })
        assert.deepInclude(yield* jobs.get("scheduled"), { state: "queued", notBefore: 50 })
        assert.deepInclude((yield* jobs.stats).jobs, { scheduled: 0, parked: 0, queued: 2 })
        assert.deepStrictEqual(yield* jobs.overdue(59, 9), { ids: [], nextAt: 60 })
        for (const id of ["scheduled", "parked", "nobody"]) assert.isUndefined(yield* jobs.hasten(id, 70))
        yield* jobs.start("parked", 80)
        assert.isUndefined(yield* jobs.hasten("parked", 90))
      })
    )

    promises("makes the jobs due that sit out the hold of a lane, and no others", (jobs) =>
      Effect.gen(function* () {
        for (const [id, heldBy] of [
          ["held", "a"],
          ["elsewhere", "b"],
          ["own", undefined]
        ] as const) {
          yield* jobs.enqueue(job(id))
          yield* jobs.start(id, 1)
          yield* jobs.park(id, 1, { dueAt: 500, heldBy })
        }
        assert.strictEqual(yield* jobs.lift("a", 40), 1)
        assert.deepStrictEqual(yield* jobs.release(40), { lanes: ["a.example:443"], nextDueAt: 500 })
        assert.strictEqual((yield* jobs.get("held"))?.state, "queued")
        assert.strictEqual(yield* jobs.lift("a", 40), 0)
      })
    )

    promises("moves the ends of pauses with the clock, and of nothing else", (jobs) =>
      Effect.gen(function* () {
        for (const id of ["parked", "scheduled"]) {
          yield* jobs.enqueue(job(id, { notBefore: id === "scheduled" ? 100 : undefined }))
        }
        yield* jobs.start("parked", 1)
        yield* jobs.park("parked", 1, { dueAt: 100, pausedFor: 90 })
        yield* jobs.enqueue(job("told"))
        yield* jobs.start("told", 1)
        const told = { ...delivery("told", 0, { lane: "b.example:443" }), dueAt: 100 }
        yield* jobs.finish("told", 1, ended({ deliveries: [told] }))
        const tellAt = Effect.map(jobs.dueDeliveries(-100, 9, new Set(), "b.example:443"), ({ nextDueAt }) => nextDueAt)
        const before = yield* tellAt
        yield* jobs.shiftPauses(-70)
        assert.strictEqual(yield* tellAt, (before ?? 0) - 70)
        assert.deepInclude(yield* jobs.get("parked"), { dueAt: 30, pausedFor: 90 })
        assert.deepInclude(yield* jobs.get("scheduled"), { dueAt: 100 })
        assert.deepStrictEqual(yield* jobs.release(30), { lanes: ["a.example:443"], nextDueAt: 100 })
        assert.deepInclude(yield* jobs.start("parked", 31), { pausedFor: 90 })
      })
    )

    promises("names jobs that are past their deadline and do not run, and says when the next one is", (jobs) =>
      Effect.gen(function* () {
        const limited = (id: string, change: Partial<NewJob> = {}) =>
          jobs.enqueue(
            job(id, { step: Step.get("https://a.example/").pipe(Step.onFailureTimeout(100)), createdAt: 10, ...change })
          )
        yield* limited("queued")
        yield* limited("scheduled", { notBefore: 50 })
        yield* limited("running")
        yield* limited("parked", { createdAt: 20 })
        yield* jobs.enqueue(job("patient"))
        for (const id of ["running", "parked"]) yield* jobs.start(id, 30)
        yield* jobs.park("parked", 1, { dueAt: 999 })
        assert.deepStrictEqual(yield* jobs.overdue(109, 9), { ids: [], nextAt: 110 })
        assert.deepStrictEqual(yield* jobs.overdue(120, 9), { ids: ["queued", "parked"], nextAt: 150 })
        assert.deepStrictEqual(yield* jobs.overdue(120, 1), { ids: ["queued"], nextAt: 120 })
        assert.isTrue(yield* jobs.finishIdle("queued", ended({ state: "failed" })))
        assert.deepStrictEqual(yield* jobs.overdue(150, 9), { ids: ["parked", "scheduled"], nextAt: undefined })
      })
    )

    promises(
      "names jobs that have never begun when they must not begin any more, whatever else they wait for",
      (jobs) =>
        Effect.gen(function* () {
          const by = (id: string, moment: number, change: Partial<NewJob> = {}) =>
            jobs.enqueue(
              job(id, { step: Step.get("https://a.example/").pipe(Step.startBefore(moment)), createdAt: 10, ...change })
            )
          yield* by("queued", 110)
          yield* by("scheduled", 100, { notBefore: 500 })
          yield* by("begun", 90)
          yield* jobs.start("begun", 30)
          yield* jobs.park("begun", 1, { dueAt: 999 })
          const both = Step.get("https://a.example/").pipe(Step.startBefore(120), Step.onFailureTimeout(100))
          yield* jobs.enqueue(job("both", { step: both, createdAt: 10 }))
          assert.deepStrictEqual(yield* jobs.overdue(99, 9), { ids: [], nextAt: 100 })
          assert.deepStrictEqual(yield* jobs.overdue(105, 9), { ids: ["scheduled"], nextAt: 110 })
          assert.deepStrictEqual(yield* jobs.overdue(120, 9), {
            ids: ["both", "scheduled", "queued"],
            nextAt: undefined
          })
          yield* jobs.start("both", 60)
          yield* jobs.park("both", 1, { dueAt: 999 })
          assert.deepStrictEqual(yield* jobs.overdue(109, 1), { ids: ["scheduled"], nextAt: 110 })
        })
    )

    promises("releases what is due, in portions, and says when the next is", (jobs) =>
      Effect.gen(function* () {
        const due = Array.from({ length: 1100 }, (_, n) => job(`due-${n}`, { lane: `l${n % 2}`, notBefore: 10 }))
        yield* Effect.forEach(due, jobs.enqueue, { concurrency: "unbounded" })
        yield* jobs.enqueue(job("later", { notBefore: 70 }))
        const first = yield* jobs.release(60)
        assert.deepStrictEqual(first.lanes.toSorted(), ["l0", "l1"])
        assert.isAtMost(first.nextDueAt ?? Number.NaN, 60)
        assert.strictEqual((yield* jobs.release(60)).nextDueAt, 70)
        assert.deepInclude((yield* jobs.stats).jobs, { queued: 1100, scheduled: 1 })
      })
    )

    promises("queues again what was running when the process died, with its history and in its old place", (jobs) =>
      Effect.gen(function* () {
        for (const id of ["one", "two", "three"]) yield* jobs.enqueue(job(id))
        yield* jobs.start("one", 1)
        yield* jobs.record("one", 1, attempt())
        yield* jobs.start("three", 1)
        assert.strictEqual(yield* jobs.recover, 2)
        assert.strictEqual(yield* jobs.recover, 0)
        const page = yield* jobs.page("a.example:443", "acc", 0, 10)
        assert.deepStrictEqual(
          page.map(({ id }) => id),
          ["one", "two", "three"]
        )
        const again = yield* jobs.start("one", 9)
        assert.deepInclude(again, { epoch: 2, history: [attempt()] })
      })
    )

    promises("ends a job with its result, losing no byte, in a fanout too", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("one"))
        yield* jobs.start("one", 1)
        const result = {
          response: answered(200, new Uint8Array([0xff, 0x00, 0xfe])),
          responses: [
            { region: "iad", response: answered(200, new Uint8Array()) },
            { region: undefined, response: answered(500, new TextEncoder().encode("né")) }
          ],
          region: "iad",
          path: 2,
          error: { tag: "AttemptsExhausted", message: "no" }
        }
        yield* jobs.finish("one", 1, ended({ state: "failed", at: 77, result }))
        const stored = yield* jobs.get("one")
        assert.deepInclude(stored, { state: "failed", finishedAt: 77, deliveryState: "none", dueAt: undefined })
        assert.deepStrictEqual(stored?.result, result)
      })
    )

    promises("ends a job that is not running, from any such state, and leaves a running one alone", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("queued"))
        yield* jobs.enqueue(job("scheduled", { notBefore: 99 }))
        for (const id of ["parked", "running"]) {
          yield* jobs.enqueue(job(id))
          yield* jobs.start(id, 1)
        }
        yield* jobs.park("parked", 1, { dueAt: 99 })
        for (const id of ["queued", "scheduled", "parked"]) {
          assert.isTrue(yield* jobs.finishIdle(id, ended({ state: "cancelled" })))
          assert.deepInclude(yield* jobs.get(id), { state: "cancelled", dueAt: undefined })
        }
        assert.isFalse(yield* jobs.finishIdle("running", ended({ state: "cancelled" })))
        assert.isFalse(yield* jobs.finishIdle("nobody", ended({ state: "cancelled" })))
        assert.deepInclude((yield* jobs.stats).jobs, { queued: 0, scheduled: 0, parked: 0, running: 1, cancelled: 3 })
      })
    )

    promises("starts children with the result, once per key", (jobs) =>
      Effect.gen(function* () {
        const parent = { id: "one", relation: "onSuccess" as const }
        yield* jobs.enqueue(job("one"))
        yield* jobs.enqueue(job("known", { key: "shared" }))
        yield* jobs.start("one", 1)
        const children = [
          job("child", { key: "one:success", parent }),
          job("twin", { key: "one:success", parent }),
          job("again", { key: "shared", parent })
        ]
        yield* jobs.finish("one", 1, ended({ children }))
        assert.deepInclude(yield* jobs.get("child"), { state: "queued", parent })
        assert.isUndefined(yield* jobs.get("twin"))
        assert.isUndefined(yield* jobs.get("again"))
      })
    )
  })

  describe(`JobStore (${name}): lanes`, () => {
    const fill = (jobs: JobStore["Service"], rows: ReadonlyArray<NewJob>) =>
      Effect.forEach(rows, jobs.enqueue, { discard: true })

    promises("pages the queued jobs of one queue in the order of acceptance", (jobs) =>
      Effect.gen(function* () {
        const rows = Array.from({ length: 9 }, (_, n) => job(`j${n}`, { account: n % 3 === 0 ? "x" : "y" }))
        yield* fill(jobs, [...rows, job("elsewhere", { lane: "b.example:443", account: "y", isolated: true })])
        yield* jobs.start("j2", 1)
        const first = yield* jobs.page("a.example:443", "y", 0, 3)
        const second = yield* jobs.page("a.example:443", "y", first[2]?.seq ?? 0, 3)
        assert.deepStrictEqual(
          [...first, ...second].map(({ id }) => id),
          ["j1", "j4", "j5", "j7", "j8"]
        )
        const queue = queueOf({ account: "y", isolated: true })
        assert.deepStrictEqual(yield* jobs.page("b.example:443", "y", 0, 3), [])
        const [ticket] = yield* jobs.page("b.example:443", queue, 0, 3)
        assert.deepInclude(ticket, { id: "elsewhere", queue })
      })
    )

    promises("names each lane and each queue that has queued jobs once", (jobs) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* jobs.lanes, [])
        assert.deepStrictEqual(yield* jobs.queues("b"), [])
        const rows = ["b", "a", "b", "c", "b"].map((lane, n) =>
          job(`j${n}`, { lane, account: n === 4 ? "" : `acc${n}` })
        )
        yield* fill(jobs, [...rows, job("later", { lane: "d", notBefore: 9 })])
        yield* jobs.start("j3", 1)
        assert.deepStrictEqual(yield* jobs.lanes, ["a", "b"])
        assert.deepStrictEqual(yield* jobs.queues("b"), ["", "acc0", "acc2"])
      })
    )

    promises("counts the queued jobs of a lane", (jobs) =>
      Effect.gen(function* () {
        yield* fill(jobs, [job("one"), job("other", { lane: "b" }), job("two", { account: "z" }), job("three")])
        yield* jobs.enqueue(job("later", { notBefore: 9 }))
        yield* jobs.start("one", 1)
        assert.strictEqual(yield* jobs.depth("a.example:443"), 2)
        assert.strictEqual(yield* jobs.depth("nowhere"), 0)
      })
    )

    promises("counts the queued jobs of the lane before a job", (jobs) =>
      Effect.gen(function* () {
        yield* fill(jobs, [job("one"), job("other", { lane: "b" }), job("two", { account: "z" }), job("three")])
        assert.strictEqual(yield* jobs.position("one"), 0)
        assert.strictEqual(yield* jobs.position("three"), 2)
        yield* jobs.start("one", 1)
        assert.strictEqual(yield* jobs.position("three"), 1)
        assert.isUndefined(yield* jobs.position("one"))
        assert.isUndefined(yield* jobs.position("nobody"))
      })
    )

    promises("counts the unfinished jobs of a lane as they move, and nothing of what was refused", (jobs) =>
      Effect.gen(function* () {
        const counts = Effect.map(jobs.laneCounts, (lanes) => Object.fromEntries(lanes))
        const none = { scheduled: 0, queued: 0, parked: 0, running: 0 }
        yield* jobs.enqueue(job("1", { lane: "a" }))
        yield* jobs.enqueue(job("2", { lane: "a" }))
        yield* jobs.enqueue(job("3", { lane: "b", createdAt: 1, notBefore: 5 }))
        yield* Effect.exit(jobs.enqueue(job("1", { lane: "c", key: "another" })))
        assert.deepStrictEqual(yield* counts, { a: { ...none, queued: 2 }, b: { ...none, scheduled: 1 } })
        yield* jobs.start("1", 1)
        yield* jobs.start("2", 1)
        yield* jobs.park("2", 1, { dueAt: 7 })
        assert.deepStrictEqual((yield* counts)["a"], { ...none, running: 1, parked: 1 })
        yield* jobs.recover
        assert.deepStrictEqual((yield* counts)["a"], { ...none, queued: 1, parked: 1 })
        yield* jobs.release(9)
        yield* jobs.start("1", 10)
        yield* jobs.finish("1", 2, ended())
        assert.deepStrictEqual(yield* counts, { a: { ...none, queued: 1 }, b: { ...none, queued: 1 } })
        yield* jobs.finishIdle("2", ended())
        assert.deepStrictEqual(yield* counts, { b: { ...none, queued: 1 } })
      })
    )

    promises("tells what stands before a job, in its own queue and in the others", (jobs) =>
      Effect.gen(function* () {
        const add = (id: string, account: string) => jobs.enqueue(job(id, { lane: "a", account }))
        for (const id of ["x1", "x2", "x3"]) yield* add(id, "x")
        for (let n = 0; n < 9; n++) yield* add(`y${n}`, "y")
        yield* add("z1", "z")
        assert.deepStrictEqual(yield* jobs.ahead("x3"), {
          queue: "x",
          jobs: 2,
          others: [
            { queue: "y", jobs: 6 },
            { queue: "z", jobs: 1 }
          ]
        })
        yield* jobs.start("x1", 1)
        assert.strictEqual((yield* jobs.ahead("x3"))?.jobs, 1)
        assert.isUndefined(yield* jobs.ahead("x1"))
        assert.isUndefined(yield* jobs.ahead("nobody"))
        assert.deepStrictEqual(yield* jobs.queueLengths("a", 5), [
          { queue: "x", jobs: 2 },
          { queue: "y", jobs: 5 },
          { queue: "z", jobs: 1 }
        ])
        assert.deepStrictEqual(yield* jobs.queueLengths("b", 5), [])
      })
    )

    promises("keeps what operators say of a lane, and who said it, newest first", (jobs) =>
      Effect.gen(function* () {
        const entry = { lane: "a", by: "ann", at: 1, action: "pause", detail: "because" } as const
        const paused = { by: "ann", at: 1, note: undefined }
        const said = { lane: "a", rps: 2, maxConcurrent: undefined, find: true, paused }
        yield* jobs.steer(entry, said, false)
        assert.deepStrictEqual(yield* jobs.steering, [said])
        const pace = { lane: "a", account: "", rps: 1, maxConcurrent: 1, accountQueues: true }
        yield* jobs.savePace({ ...pace, heldUntil: 9, heldBy: undefined, taughtAt: 1, kept: undefined, seenAt: 1 })
        yield* jobs.steer({ ...entry, at: 2, action: "reset", detail: "" }, undefined, true)
        assert.deepStrictEqual(yield* jobs.steering, [])
        assert.deepStrictEqual(yield* jobs.paces, [])
        yield* jobs.steer({ ...entry, lane: "b", at: 3 }, undefined, false)
        const log = yield* jobs.laneLog("a", 10)
        assert.deepStrictEqual(log, [{ ...entry, at: 2, action: "reset", detail: "" }, entry])
        assert.lengthOf(yield* jobs.laneLog("a", 1), 1)
      })
    )

    promises("keeps learnt paces, one per lane and account", (jobs) =>
      Effect.gen(function* () {
        const heldBy = { reason: "retry_after", status: 503, jobId: "job-1" } as const
        const kept = {
          ceiling: { rps: 2, maxConcurrent: 3 },
          known: true,
          rate: 0.25,
          peak: 0.3,
          climbed: 1,
          climb: 100,
          starting: false,
          penalty: false,
          longRefused: 5000,
          waitMargin: 0,
          cap: 2.5,
          top: 3,
          tryAfter: 400
        }
        const rest = { maxConcurrent: undefined, accountQueues: undefined, heldUntil: undefined, heldBy: undefined }
        const lane = {
          lane: "a",
          account: "",
          rps: 0.5,
          ...rest,
          accountQueues: false,
          taughtAt: 1,
          kept: undefined,
          seenAt: 1
        }
        const account = {
          lane: "a",
          account: "x",
          ...rest,
          rps: undefined,
          maxConcurrent: 3,
          heldUntil: 99,
          heldBy,
          taughtAt: undefined,
          kept,
          seenAt: 2
        }
        yield* jobs.savePace(lane)
        yield* jobs.savePace({ ...account, maxConcurrent: 7 })
        yield* jobs.savePace(account)
        const paces = (yield* jobs.paces).toSorted((one, other) => one.seenAt - other.seenAt)
        assert.deepStrictEqual(paces, [lane, account])
      })
    )
  })

  describe(`JobStore (${name}): lists`, () => {
    const customer = "local"
    const ids = (jobs: JobStore["Service"], filter: Partial<JobFilter>) =>
      Effect.map(jobs.list({ customer, limit: 50, ...filter }), (page) => page.jobs.map(({ id }) => id))

    promises("pages through all jobs of a customer, newest first, each once", (jobs) =>
      Effect.gen(function* () {
        for (let n = 0; n < 7; n++) yield* jobs.enqueue(job(`j${n}`, n % 2 === 0 ? {} : { notBefore: 9 }))
        yield* jobs.enqueue(job("theirs", { customer: "other" }))
        const first = yield* jobs.list({ customer, limit: 3 })
        const second = yield* jobs.list({ customer, limit: 3, cursor: first.cursor })
        const third = yield* jobs.list({ customer, limit: 3, cursor: second.cursor })
        const found = [first, second, third].flatMap((page) => page.jobs.map(({ id }) => id))
        assert.deepStrictEqual(found, ["j6", "j5", "j4", "j3", "j2", "j1", "j0"])
        assert.isUndefined(third.cursor)
        assert.deepStrictEqual(yield* jobs.list({ customer, limit: 3, cursor: "nonsense" }), {
          jobs: [],
          cursor: undefined
        })
      })
    )

    promises(
      "selects by state, delivery state, lane, account, time and metadata, and by all of them together",
      (jobs) =>
        Effect.gen(function* () {
          const about = (metadata: Record<string, string | number | boolean | null>) => ({
            step: Step.get("https://a.example/").pipe(Step.metadata(metadata))
          })
          yield* jobs.enqueue(job("one", { lane: "x", createdAt: 10, ...about({ order: "7", 'a "b".c': "é" }) }))
          yield* jobs.enqueue(job("two", { account: "y", createdAt: 20, ...about({ order: 7, paid: true }) }))
          yield* jobs.enqueue(job("three", { createdAt: 30, ...about({ order: "8", paid: "true", none: null }) }))
          yield* jobs.enqueue(job("theirs", { customer: "other", ...about({ order: "7" }) }))
          yield* jobs.start("one", 1)
          yield* jobs.finish("one", 1, ended({ deliveries: [delivery("one", 0)] }))
          yield* jobs.settleDelivery("one-0", { at: 5, latency: 1, ...failedCall }, dead(5), rule)
          yield* jobs.start("two", 1)

          assert.deepStrictEqual(yield* ids(jobs, { states: ["running", "succeeded"] }), ["two", "one"])
          assert.deepStrictEqual(yield* ids(jobs, { states: [] }), [])
          assert.deepStrictEqual(yield* ids(jobs, { deliveryStates: ["undelivered"] }), ["one"])
          assert.deepStrictEqual(yield* ids(jobs, { deliveryStates: ["none", "undelivered"] }), ["three", "two", "one"])
          assert.deepStrictEqual(yield* ids(jobs, { deliveryStates: ["undelivered"], states: ["failed"] }), [])
          assert.deepStrictEqual(yield* ids(jobs, { lane: "x" }), ["one"])
          assert.deepStrictEqual(yield* ids(jobs, { account: "y" }), ["two"])
          assert.deepStrictEqual(yield* ids(jobs, { createdFrom: 20 }), ["three", "two"])
          assert.deepStrictEqual(yield* ids(jobs, { createdFrom: 11, createdTo: 20 }), ["two"])
          assert.deepStrictEqual(yield* ids(jobs, { metadata: { order: "7" } }), ["two", "one"])
          assert.deepStrictEqual(yield* ids(jobs, { metadata: { order: "7", paid: "true" } }), ["two"])
          assert.deepStrictEqual(yield* ids(jobs, { metadata: { 'a "b".c': "é" } }), ["one"])
          assert.deepStrictEqual(yield* ids(jobs, { metadata: { order: "7" }, limit: 1 }), ["two"])
          assert.deepStrictEqual(yield* ids(jobs, { metadata: { order: "7" }, states: ["succeeded"], lane: "x" }), [
            "one"
          ])
        })
    )

    promises("lists those of a window in the order they were taken, wherever the clock stood meanwhile", (jobs) =>
      Effect.gen(function* () {
        for (const [n, createdAt] of [50, 20, 40, 10, 30, 60].entries()) {
          yield* jobs.enqueue(job(`j${n}`, { createdAt, customer: n === 4 ? "other" : customer }))
        }
        const window = { createdFrom: 20, createdTo: 50 }
        assert.deepStrictEqual(yield* ids(jobs, window), ["j2", "j1", "j0"])
        assert.deepStrictEqual(yield* ids(jobs, { ...window, oldestFirst: true }), ["j0", "j1", "j2"])
        const first = yield* jobs.list({ customer, ...window, limit: 1 })
        assert.deepStrictEqual(yield* ids(jobs, { ...window, cursor: first.cursor }), ["j1", "j0"])
        const last = yield* jobs.list({ customer, ...window, oldestFirst: true, limit: 2 })
        assert.deepStrictEqual(yield* ids(jobs, { ...window, oldestFirst: true, cursor: last.cursor }), ["j2"])
        assert.deepStrictEqual(yield* ids(jobs, { createdTo: 10 }), ["j3"])
        assert.deepStrictEqual(yield* ids(jobs, { createdFrom: 50, createdTo: 49 }), [])
        assert.deepStrictEqual(yield* ids(jobs, { createdFrom: 21, createdTo: 39 }), [])
        assert.deepStrictEqual(yield* jobs.count({ customer, ...window }), { jobs: 3, isExact: true })
      })
    )

    promises("lists the jobs that a job has started, and those that run it again", (jobs) =>
      Effect.gen(function* () {
        const of = (id: string) => ({ id, relation: "onSuccess" }) as const
        const metadata = { step: Step.get("https://a.example/").pipe(Step.metadata({ order: "7" })) }
        yield* jobs.enqueue(job("first"))
        yield* jobs.enqueue(job("child", { parent: of("first"), ...metadata }))
        yield* jobs.enqueue(job("other", { parent: of("first"), lane: "b.example:443" }))
        yield* jobs.enqueue(job("again", { rerunOf: "first", ...metadata }))
        // what a rerun starts is no duplicate of what the first one has started, and says so
        yield* jobs.enqueue(job("child of again", { parent: of("again"), rerunOf: "again" }))
        yield* jobs.enqueue(job("child again", { parent: of("first"), rerunOf: "child" }))
        yield* jobs.enqueue(job("theirs", { customer: "other", parent: of("first"), rerunOf: "first" }))
        yield* jobs.start("other", 1)
        assert.deepStrictEqual(yield* ids(jobs, { parent: "first" }), ["child again", "other", "child"])
        assert.deepStrictEqual(yield* ids(jobs, { parent: "first", limit: 1, oldestFirst: true }), ["child"])
        assert.deepStrictEqual(yield* ids(jobs, { parent: "first", states: ["running"] }), ["other"])
        assert.deepStrictEqual(yield* ids(jobs, { parent: "first", lane: "a.example:443" }), ["child again", "child"])
        assert.deepStrictEqual(yield* ids(jobs, { parent: "first", metadata: { order: "7" } }), ["child"])
        assert.deepStrictEqual(yield* ids(jobs, { parent: "first", search: Search.parse("b.example") }), ["other"])
        assert.deepStrictEqual(yield* ids(jobs, { rerunOf: "first" }), ["again"])
        assert.deepStrictEqual(yield* ids(jobs, { rerunOf: "again" }), [])
        assert.deepStrictEqual(yield* ids(jobs, { rerunOf: "child", parent: "first" }), ["child again"])
        assert.deepStrictEqual(yield* ids(jobs, { rerunOf: "nobody" }), [])
        assert.deepStrictEqual(yield* jobs.count({ customer, parent: "first" }), { jobs: 3, isExact: true })
      })
    )

    promises("finds jobs by what somebody types", (jobs) =>
      Effect.gen(function* () {
        const call = (url: string, metadata: Record<string, string> = {}) => ({
          lane: laneOf(url),
          step: Step.post(url, { body: "in the body" }).pipe(
            Step.header("x-note", "in the header"),
            Step.metadata(metadata)
          )
        })
        yield* jobs.enqueue(job("job_aa1", call("https://a.example/v1/orders?page=2", { order: "7" })))
        yield* jobs.enqueue(job("job_aa2", call("https://a.example:8443/v1/users", { order: "7" })))
        yield* jobs.enqueue(job("job_b", call("https://b.example/V1/Orders")))
        yield* jobs.enqueue(job("theirs", { customer: "other", ...call("https://a.example/v1/orders") }))
        yield* jobs.start("job_b", 1)
        const error = { tag: "TimedOut", message: "No answer in 30s" }
        const result = { response: undefined, responses: [], region: undefined, path: 0, error }
        yield* jobs.finish("job_b", 1, ended({ state: "failed", result }))
        const typed = (q: string, filter: Partial<JobFilter> = {}) => ids(jobs, { search: Search.parse(q), ...filter })
        assert.deepStrictEqual(yield* typed("job_aa1"), ["job_aa1"])
        assert.deepStrictEqual(yield* typed("job_aa"), ["job_aa2", "job_aa1"])
        assert.deepStrictEqual(yield* typed("job_aa", { oldestFirst: true }), ["job_aa1", "job_aa2"])
        assert.deepStrictEqual(yield* typed("job_aa", { states: ["failed"] }), [])
        assert.deepStrictEqual(yield* typed("a.example"), ["job_aa2", "job_aa1"])
        assert.deepStrictEqual(yield* typed("a.example:443"), ["job_aa1"])
        assert.deepStrictEqual(yield* typed("a.example", { lane: "a.example:8443" }), ["job_aa2"])
        assert.deepStrictEqual(yield* typed("a.example", { lane: "b.example:443" }), [])
        assert.deepStrictEqual(yield* typed("job_ a.example order=7"), ["job_aa2", "job_aa1"])
        assert.deepStrictEqual(yield* typed("job_aa1 b.example"), [])
        assert.deepStrictEqual(yield* typed("a.example/v1/or"), ["job_aa1"])
        assert.deepStrictEqual(yield* typed("https://a.example:8443/v1/"), ["job_aa2"])
        assert.deepStrictEqual(yield* typed("c.example/v1/"), [])
        assert.deepStrictEqual(yield* typed("order=7 users"), ["job_aa2"])
        assert.deepStrictEqual(yield* typed("orders"), ["job_b", "job_aa1"])
        assert.deepStrictEqual(yield* typed("orders", { oldestFirst: true }), ["job_aa1", "job_b"])
        assert.deepStrictEqual(yield* typed('"no answer in"'), ["job_b"])
        assert.deepStrictEqual(yield* typed("body"), [])
        assert.deepStrictEqual(yield* typed("header"), [])
        assert.deepStrictEqual(yield* typed("orders", { limit: 1 }), ["job_b"])
        const first = yield* jobs.list({ customer, limit: 1, oldestFirst: true })
        assert.deepStrictEqual(yield* ids(jobs, { oldestFirst: true, cursor: first.cursor }), ["job_aa2", "job_b"])
        const counted = (q: string) => jobs.count({ customer, search: Search.parse(q) })
        assert.deepStrictEqual(yield* counted(""), { jobs: 3, isExact: true })
        assert.deepStrictEqual(yield* counted("v1"), { jobs: 3, isExact: true })
        assert.deepStrictEqual(yield* counted("order=7"), { jobs: 2, isExact: true })
        assert.deepStrictEqual(yield* counted("c.example"), { jobs: 0, isExact: true })
      })
    )

    promises("looks at so much for one page, and goes on behind it with the next", (jobs) =>
      Effect.gen(function* () {
        const large = Step.post("https://a.example/", { body: "x".repeat(12 * 1024 * 1024) })
        yield* jobs.enqueue(job("wanted", { step: Step.get("https://a.example/needle") }))
        for (let n = 0; n < 3; n++) yield* jobs.enqueue(job(`j${n}`, { step: large }))
        const search = Search.parse("needle")
        const first = yield* jobs.list({ customer, limit: 50, search })
        assert.deepStrictEqual(first.jobs, [])
        assert.isDefined(first.cursor)
        assert.deepStrictEqual(yield* ids(jobs, { search, cursor: first.cursor }), ["wanted"])
        assert.deepStrictEqual(yield* jobs.count({ customer, search }), { jobs: 0, isExact: false })
      })
    )

    promises("lists an account's isolated jobs with its others", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("plain", { account: "a" }))
        yield* jobs.enqueue(job("isolated", { account: "a", isolated: true }))
        yield* jobs.enqueue(job("another's", { account: "b", isolated: true }))
        assert.deepStrictEqual(yield* ids(jobs, { account: "a" }), ["isolated", "plain"])
        assert.strictEqual((yield* jobs.get("isolated"))?.account, "a")
      })
    )

    promises("ends a page of large jobs early and goes on behind them", (jobs) =>
      Effect.gen(function* () {
        const step = Step.post("https://a.example/", { body: "x".repeat(3 * 1024 * 1024) })
        for (let n = 0; n < 5; n++) yield* jobs.enqueue(job(`j${n}`, { step }))
        const first = yield* jobs.list({ customer, limit: 50 })
        assert.isBelow(first.jobs.length, 5)
        const rest = yield* ids(jobs, { cursor: first.cursor })
        assert.lengthOf([...first.jobs, ...rest], 5)
      })
    )
  })

  describe(`JobStore (${name}): keeping house`, () => {
    promises("keeps secrets per customer, replaces and forgets them", (jobs) =>
      Effect.gen(function* () {
        assert.isUndefined(yield* jobs.secrets("a"))
        yield* jobs.setSecrets("a", secretsOf("p".repeat(16)))
        yield* jobs.setSecrets("a", secretsOf("q".repeat(16), "p".repeat(16)))
        assert.deepStrictEqual(revealed(yield* jobs.secrets("a")), {
          primary: "q".repeat(16),
          secondary: "p".repeat(16)
        })
        assert.notInclude(inspect(yield* jobs.secrets("a")), "qqqq")
        assert.isUndefined(yield* jobs.secrets("b"))
        yield* jobs.setSecrets("a", undefined)
        assert.isUndefined(yield* jobs.secrets("a"))
      })
    )

    promises("changes secrets by what is set, however many do at once", (jobs) =>
      Effect.gen(function* () {
        const secret = (n: number) => `${n}`.padStart(16, "s")
        const change = (n: number) =>
          jobs.changeSecrets("a", (now) =>
            Effect.as(Effect.yieldNow, { ...secretsOf(secret(n)), secondary: now?.primary })
          )
        yield* Effect.forEach([1, 2, 3, 4, 5], change, { concurrency: "unbounded", discard: true })
        // whoever came last has seen whoever came before
        const known = revealed(yield* jobs.secrets("a"))
        const seen = [known?.primary, known?.secondary]
        assert.lengthOf(new Set(seen), 2)
        assert.isTrue(seen.every((text) => [1, 2, 3, 4, 5].map(secret).includes(text ?? "")))
        const failed = yield* Effect.flip(jobs.changeSecrets("a", () => Effect.fail("not so")))
        assert.strictEqual(failed, "not so")
      })
    )

    promises("sweeps what is over and settled before the moment, oldest first, and frees its key", (jobs) =>
      Effect.gen(function* () {
        for (const [n, id] of ["one", "two", "three", "waiting", "queued"].entries()) {
          yield* jobs.enqueue(rich(id))
          if (id === "queued") continue
          yield* jobs.start(id, 1)
          yield* jobs.record(id, 1, attempt())
          const deliveries = id === "waiting" || id === "two" ? [delivery(id, 0)] : []
          yield* jobs.finish(id, 1, ended({ at: 10 + n, deliveries }))
        }
        const call = { at: 50, latency: 1, ...failedCall }
        yield* jobs.settleDelivery("two-0", call, dead(50), rule)
        // a job ends with its deliveries: the second one at 50
        assert.strictEqual(yield* jobs.sweep(50, 1), 1)
        assert.isUndefined(yield* jobs.get("one"))
        assert.strictEqual(yield* jobs.sweep(50, 10), 1)
        assert.strictEqual(yield* jobs.sweep(50, 10), 0)
        assert.strictEqual((yield* jobs.get("two"))?.state, "succeeded")
        assert.strictEqual(yield* jobs.sweep(51, 10), 1)
        assert.deepStrictEqual(yield* jobs.deliveries("two"), [])
        const { bytes, ...counts } = yield* jobs.stats
        assert.isAbove(bytes, 0)
        const none = { scheduled: 0, running: 0, parked: 0, failed: 0, cancelled: 0 }
        const expected = {
          jobs: { ...none, queued: 1, succeeded: 1 },
          pendingDeliveries: 1,
          deadDeliveries: 0,
          disabledEndpoints: 0,
          fault: undefined
        }
        assert.deepStrictEqual(counts, expected)
        assert.strictEqual((yield* jobs.enqueue(rich("one")))._tag, "Stored")
      })
    )

    promises("never gives a place in a lane twice, even after a sweep of the last job", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("one"))
        const [first] = yield* jobs.page("a.example:443", "acc", 0, 1)
        yield* jobs.finishIdle("one", ended({ state: "cancelled", at: 1 }))
        yield* jobs.sweep(2, 1)
        yield* jobs.enqueue(job("two"))
        assert.lengthOf(yield* jobs.page("a.example:443", "acc", first?.seq ?? 0, 1), 1)
      })
    )

    promises("forgets paces that nobody has seen since the moment of the sweep", (jobs) =>
      Effect.gen(function* () {
        const rest = { heldUntil: 0, heldBy: undefined, taughtAt: 1, kept: undefined }
        const pace = { account: "", rps: 1, maxConcurrent: 1, accountQueues: true, ...rest }
        yield* jobs.savePace({ ...pace, lane: "old", seenAt: 9 })
        yield* jobs.savePace({ ...pace, lane: "new", seenAt: 10 })
        yield* jobs.sweep(10, 1)
        assert.deepStrictEqual(yield* jobs.paces, [{ ...pace, lane: "new", seenAt: 10 }])
      })
    )
  })
}

const failedCall = { status: 500, error: undefined, excerpt: "no" }
const dead = (at: number) => ({ _tag: "Dead", reason: "attempts_exhausted", at }) as const
const rule = { failures: 1000, failingMillis: 0, probeMillis: 100 }
