/** What a job store promises to whoever searches for text, as tests over any layer that provides one, index or not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { laneOf } from "../../src/dam/job/LaneName.ts"
import * as Search from "../../src/dam/job/Search.ts"
import type { JobFilter } from "../../src/dam/store/JobRecords.ts"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import type { StoreError } from "../../src/dam/store/StoreError.ts"
import * as Step from "../../src/step/Step.ts"
import { ended, job } from "./jobStore/Fixtures.ts"

const customer = job("any").customer

const ids = (jobs: JobStore["Service"], filter: Partial<JobFilter>) =>
  Effect.map(jobs.list({ customer, limit: 50, ...filter }), (page) => page.jobs.map(({ id }) => id))

const unanswered = { response: undefined, responses: [], region: undefined, path: 0 }

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: JobStore["Service"]) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))

  describe(`JobStore (${name}): text`, () => {
    promises("finds the same texts before and after they were taken into an index", (jobs) =>
      Effect.gen(function* () {
        const call = (id: string, url: string) => jobs.enqueue(job(id, { lane: laneOf(url), step: Step.get(url) }))
        const fail = (id: string, message: string) =>
          jobs.finish(id, 1, ended({ state: "failed", result: { ...unanswered, error: { tag: "TimedOut", message } } }))
        const finds = Effect.fnUntraced(function* (expected: Readonly<Record<string, ReadonlyArray<string>>>) {
          for (const [q, found] of Object.entries(expected)) {
            const search = Search.parse(q)
            assert.deepStrictEqual(yield* ids(jobs, { search }), found, q)
            assert.deepStrictEqual(yield* ids(jobs, { search, oldestFirst: true }), found.toReversed(), q)
            assert.deepStrictEqual(yield* jobs.count({ customer, search }), { jobs: found.length, isExact: true }, q)
          }
        })
        yield* call("a", "https://a.example/v1/Orders/20?page=7")
        yield* call("b", "https://b.example/v1/orders/21")
        yield* jobs.enqueue(job("theirs", { customer: "other", step: Step.get("https://a.example/v1/orders/20") }))
        yield* jobs.start("a", 1)
        const before = {
          orders: ["b", "a"],
          "orders/20?p": ["a"],
          RDERS: ["b", "a"],
          "20": ["a"],
          "rders 1": ["b", "a"]
        }
        yield* finds(before)
        // one at a time: one is in the index and the other is not
        yield* jobs.fillTexts(1)
        yield* finds(before)
        yield* jobs.fillTexts(100)
        assert.strictEqual(yield* jobs.fillTexts(100), 0)
        yield* finds(before)
        yield* fail("a", 'Straße "no answer" NEAR(a b) * 東京都 \u{1F600}\u{1F600}\u{1F600} İstanbul')
        const after = {
          ...before,
          answer: ["a"],
          "orders answer": ["a"],
          '"no answer"': ["a"],
          noanswer: [],
          "near(a": ["a"],
          '"near(a b) *"': ["a"],
          STRASSE: [],
          straße: ["a"],
          東京都: ["a"],
          京都: ["a"],
          "\u{1F600}\u{1F600}\u{1F600}": ["a"],
          İSTANBUL: ["a"]
        }
        yield* finds(after)
        yield* jobs.fillTexts(100)
        yield* finds(after)
        yield* call("c", "https://b.example/v1/orders/22")
        yield* finds({ orders: ["c", "b", "a"], "orders b.example": ["c", "b"], answer: ["a"], "answer b.example": [] })
        yield* jobs.sweep(1000, 10)
        yield* finds({ orders: ["c", "b"], answer: [], "orders/2": ["c", "b"] })
        yield* jobs.fillTexts(100)
        yield* finds({ orders: ["c", "b"], answer: [], "orders/2": ["c", "b"] })
      })
    )

    promises("takes no text of a search for anything but text", (jobs) =>
      Effect.gen(function* () {
        const message = `AND OR NOT NEAR/2 text:x "q" 'q' (p) * ^ - + {b} [c] \\ ; -- %_ \0 \uFFFD \uD800 end`
        yield* jobs.enqueue(job("odd"))
        yield* jobs.enqueue(job("plain"))
        yield* jobs.start("odd", 1)
        const result = { ...unanswered, error: { tag: "TimedOut", message } }
        yield* jobs.finish("odd", 1, ended({ state: "failed", result }))
        yield* jobs.fillTexts(100)
        const texts = (given: ReadonlyArray<string>) =>
          ids(jobs, { search: { metadata: [], texts: given.map((text) => text.toLowerCase()) } })
        for (const part of message.replace(/[\0\uD800]/gu, " ").split(" ")) {
          if (part !== "") assert.deepStrictEqual(yield* texts([part]), ["odd"], part)
        }
        for (const text of [
          `q" OR "x`,
          "and*",
          "text:",
          '"""',
          "***",
          "near(",
          "((((",
          "--;drop",
          "\0\0\0\0",
          "a".repeat(500)
        ]) {
          assert.deepStrictEqual(yield* texts([text]), text === "text:" ? ["odd"] : [], text)
        }
        assert.deepStrictEqual(yield* texts(['not near/2 text:x "q"', "' (p)"]), ["odd"])
      })
    )

    promises("goes on behind a page of an index as behind any", (jobs) =>
      Effect.gen(function* () {
        const all = Array.from({ length: 7 }, (_, n) => `j${n}`)
        for (const id of all) yield* jobs.enqueue(job(id, { step: Step.get(`https://a.example/needle/${id}`) }))
        yield* jobs.fillTexts(4)
        for (const oldestFirst of [false, true]) {
          const pages: Array<string> = []
          let cursor: string | undefined
          do {
            const page = yield* jobs.list({ customer, limit: 2, oldestFirst, cursor, search: Search.parse("needle") })
            pages.push(...page.jobs.map(({ id }) => id))
            cursor = page.cursor
          } while (cursor !== undefined)
          assert.deepStrictEqual(pages, oldestFirst ? all : all.toReversed())
        }
      })
    )
  })
}
