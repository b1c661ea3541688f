/** What a job store promises about the history of lanes, as tests over any layer that provides one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { HistoryEntry } from "../../src/dam/store/HistoryRecords.ts"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import { type StoreError } from "../../src/dam/store/StoreError.ts"

type Store = JobStore["Service"]

const fiveMinutes = 300_000
const hour = 3_600_000

const entry = (lane: string, at: number, change: Partial<HistoryEntry> = {}): HistoryEntry => ({
  lane,
  at,
  accepted: 1,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  calls: 0,
  refused: 0,
  heldMillis: 0,
  latency: [],
  ...change
})

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: Store) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))

  describe(`JobStore (${name}): the history of lanes`, () => {
    promises("adds up what is noted of a span, and keeps lanes apart", (jobs) =>
      Effect.gen(function* () {
        const latency = [
          [3, 2],
          [9, 1]
        ] as const
        yield* jobs.noteHistory([
          entry("a", hour + 7, { calls: 3, refused: 1, heldMillis: 50, latency }),
          entry("b", hour)
        ])
        yield* jobs.noteHistory([entry("a", hour + 299_999, { calls: 1, failed: 2, heldMillis: 5, latency: [[3, 1]] })])
        yield* jobs.noteHistory([entry("a", hour + fiveMinutes)])
        const added = {
          accepted: 2,
          failed: 2,
          calls: 4,
          refused: 1,
          heldMillis: 55,
          latency: [
            [3, 3],
            [9, 1]
          ]
        } as const
        assert.deepStrictEqual(yield* jobs.history("a", fiveMinutes, 0), [
          entry("a", hour, added),
          entry("a", hour + fiveMinutes)
        ])
        assert.deepStrictEqual(yield* jobs.history("a", hour, 0), [entry("a", hour, { ...added, accepted: 3 })])
        assert.deepStrictEqual(yield* jobs.history("a", fiveMinutes, hour + fiveMinutes), [
          entry("a", hour + fiveMinutes)
        ])
        assert.lengthOf(yield* jobs.history("b", hour, 0), 1)
      })
    )

    promises("forgets a span of five minutes after a day, and of an hour after a week", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.noteHistory([entry("a", 0)])
        yield* jobs.noteHistory([entry("b", 24 * hour)])
        assert.lengthOf(yield* jobs.history("a", fiveMinutes, 0), 1)
        yield* jobs.noteHistory([entry("b", 24 * hour + 1)])
        assert.deepStrictEqual(yield* jobs.history("a", fiveMinutes, 0), [])
        assert.lengthOf(yield* jobs.history("a", hour, 0), 1)
        yield* jobs.noteHistory([entry("b", 7 * 24 * hour + 1)])
        assert.deepStrictEqual(yield* jobs.history("a", hour, 0), [])
      })
    )

    promises("keeps two hundred lanes of a span apart, and the others together", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.noteHistory(Array.from({ length: 250 }, (_, n) => entry(`lane-${n}`, 0, { latency: [[1, 1]] })))
        yield* jobs.noteHistory([entry("", 0, { accepted: 250 }), entry("lane-0", 1), entry("lane-240", 1)])
        assert.deepStrictEqual(yield* jobs.history("*", hour, 0), [entry("*", 0, { accepted: 51, latency: [[1, 50]] })])
        assert.deepStrictEqual(yield* jobs.history("lane-240", hour, 0), [])
        assert.strictEqual((yield* jobs.history("lane-0", hour, 0))[0]?.accepted, 2)
        assert.strictEqual((yield* jobs.history("", hour, 0))[0]?.accepted, 250)
      })
    )
  })
}
