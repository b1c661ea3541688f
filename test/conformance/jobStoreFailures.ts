/** What a job store promises about failures, as tests over any layer that provides one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { NewJob } from "../../src/dam/job/Job.ts"
import type { FailureFilter } from "../../src/dam/store/FailureRecords.ts"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import { type StoreError } from "../../src/dam/store/StoreError.ts"
import { answered, ended, job } from "./jobStore/Fixtures.ts"

type Store = JobStore["Service"]

interface Failure {
  readonly at: number
  readonly status?: number
  readonly tag?: string
  readonly kind?: string
}

/** Files a job and fails it. */
const fail = (jobs: Store, id: string, { at, kind, status, tag = "Rejected" }: Failure, change: Partial<NewJob> = {}) =>
  Effect.gen(function* () {
    yield* jobs.enqueue(job(id, change))
    yield* jobs.start(id, 1)
    const response = status === undefined ? undefined : answered(status, new Uint8Array(0))
    const error = { tag, message: `${id} failed`, ...(kind === undefined ? {} : { kind }) }
    const result = { response, responses: [], region: undefined, path: 0, error }
    yield* jobs.finish(id, 1, ended({ state: "failed", at, result }))
  })

const groups = (jobs: Store, filter: Partial<FailureFilter> = {}) =>
  Effect.map(jobs.failures({ customer: "local", sort: "newest", limit: 50, ...filter }), (found) =>
    found.groups.map(({ jobs: count, newest, status, tag }) => [newest.id, status, tag, count])
  )

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: Store) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))

  describe(`JobStore (${name}): failures`, () => {
    promises("are grouped by lane, status and reason, and say when, how many, and which was last", (jobs) =>
      Effect.gen(function* () {
        yield* fail(jobs, "one", { at: 30, status: 503 })
        yield* fail(jobs, "two", { at: 10, status: 503 })
        yield* fail(jobs, "three", { at: 20, status: 404 })
        yield* fail(jobs, "four", { at: 40, tag: "ConnectionFailed", kind: "refused" })
        yield* fail(jobs, "five", { at: 50, tag: "ConnectionFailed", kind: "reset" })
        yield* fail(jobs, "six", { at: 5, status: 503 }, { lane: "b.example:443" })
        yield* jobs.enqueue(job("fine"))
        yield* jobs.start("fine", 1)
        yield* jobs.finish("fine", 1, ended())
        yield* jobs.enqueue(job("called off"))
        const result = { ...ended().result, error: { tag: "Cancelled", message: "cancelled" } }
        yield* jobs.finishIdle("called off", ended({ state: "cancelled", result }))
        const found = yield* jobs.failures({ customer: "local", sort: "newest", limit: 50 })
        assert.deepStrictEqual(found.groups[2], {
          lane: "a.example:443",
          status: 503,
          tag: "Rejected",
          kind: undefined,
          jobs: 2,
          firstAt: 10,
          lastAt: 30,
          newest: { id: "one", customer: "local", message: "one failed" }
        })
        assert.deepStrictEqual(
          found.groups.map(({ kind, newest, status, tag }) => [newest.id, status, tag, kind]),
          [
            ["five", undefined, "ConnectionFailed", "reset"],
            ["four", undefined, "ConnectionFailed", "refused"],
            ["one", 503, "Rejected", undefined],
            ["three", 404, "Rejected", undefined],
            ["six", 503, "Rejected", undefined]
          ]
        )
        const { groups: _, ...rest } = found
        assert.deepStrictEqual(rest, { groupCount: 5, lookedAt: 6, isExact: true, since: 5 })
        assert.strictEqual((yield* jobs.get("five"))?.result?.error?.kind, "reset")
      })
    )

    promises("are those of a time, of a host on any port or on one, and as many as are asked for", (jobs) =>
      Effect.gen(function* () {
        yield* fail(jobs, "one", { at: 10, status: 500 })
        yield* fail(jobs, "two", { at: 20, status: 500 })
        yield* fail(jobs, "port", { at: 30, status: 500 }, { lane: "a.example:8443" })
        yield* fail(jobs, "six", { at: 40, status: 500 }, { lane: "[::1]:80" })
        assert.deepStrictEqual(yield* groups(jobs, { from: 20, to: 30 }), [
          ["port", 500, "Rejected", 1],
          ["two", 500, "Rejected", 1]
        ])
        assert.deepStrictEqual(yield* groups(jobs, { host: "a.example" }), [
          ["port", 500, "Rejected", 1],
          ["two", 500, "Rejected", 2]
        ])
        assert.deepStrictEqual(yield* groups(jobs, { host: "a.example:443" }), [["two", 500, "Rejected", 2]])
        assert.deepStrictEqual(yield* groups(jobs, { host: "[::1]" }), [["six", 500, "Rejected", 1]])
        assert.deepStrictEqual(yield* groups(jobs, { host: "example" }), [])
        assert.deepStrictEqual(yield* groups(jobs, { sort: "largest", limit: 1 }), [["two", 500, "Rejected", 2]])
        assert.strictEqual((yield* jobs.failures({ sort: "largest", limit: 1 })).groupCount, 3)
        assert.deepStrictEqual(yield* jobs.failures({ from: 41, sort: "newest", limit: 50 }), {
          groups: [],
          groupCount: 0,
          lookedAt: 0,
          isExact: true,
          since: undefined
        })
      })
    )

    promises("are a customer's own, or everybody's", (jobs) =>
      Effect.gen(function* () {
        yield* fail(jobs, "ours", { at: 10, status: 500 })
        yield* fail(jobs, "theirs", { at: 20, status: 500 }, { customer: "other" })
        assert.deepStrictEqual(yield* groups(jobs), [["ours", 500, "Rejected", 1]])
        assert.deepStrictEqual(yield* groups(jobs, { customer: "nobody" }), [])
        const { groups: all } = yield* jobs.failures({ sort: "newest", limit: 50 })
        assert.deepStrictEqual(
          all.map(({ jobs: count, newest }) => [count, newest]),
          [[2, { id: "theirs", customer: "other", message: "theirs failed" }]]
        )
      })
    )

    promises("are no more once their jobs are swept", (jobs) =>
      Effect.gen(function* () {
        yield* fail(jobs, "one", { at: 10, status: 500 })
        assert.strictEqual(yield* jobs.sweep(11, 10), 1)
        assert.deepStrictEqual(yield* groups(jobs), [])
      })
    )
  })
}
