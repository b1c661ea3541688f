/** What the page draws of the history that the dam keeps: which spans, and what stands where nothing is noted. */
import { assert, describe, it } from "@effect/vitest"
import { stepOf } from "../../src/page/Waterfall.tsx"
import { reachIn, type Span, sum, whole } from "../../src/page/Spans.ts"

const every = 300_000
const latency = { count: 1, p50: 10, p95: 20, p99: 30 }

const spanAt = (at: number, counts: Partial<Span> = {}): Span => ({
  at,
  accepted: 3,
  succeeded: 2,
  failed: 1,
  cancelled: 0,
  calls: 4,
  refused: 1,
  held_ms: 500,
  latency,
  ...counts
})

const told = (spans: ReadonlyArray<Span>) => ({ lane: null, span_ms: every, from: every + 7, spans })

describe("the scale of what happened to a job", () => {
  it("has round lengths of time, about five of them", () => {
    const minutes = 60_000
    assert.deepStrictEqual([1, 900, 47_000, 24 * minutes, 300 * minutes, 40_000 * minutes].map(stepOf), [
      1,
      200,
      10_000,
      5 * minutes,
      60 * minutes,
      6 * 24 * 60 * minutes
    ])
  })
})

describe("the spans of a chart", () => {
  it("go from the first moment to now, and nothing is known before the first note", () => {
    const slots = whole(told([spanAt(3 * every), spanAt(5 * every)]), 6 * every)
    assert.deepStrictEqual(
      slots.map(({ at, seconds, span }) => [at / every, seconds, span?.accepted, span?.latency.p50]),
      [
        [1, 300, undefined, undefined],
        [2, 300, undefined, undefined],
        [3, 300, 3, 10],
        // quiet: nothing went through, and nobody knows how long a call would have taken
        [4, 300, 0, null],
        [5, 300, 3, 10]
      ]
    )
  })

  it("end with the one that is not over, as long as it has lasted, unless it has only begun", () => {
    const at = (now: number) => whole(told([spanAt(every)]), now).at(-1)
    assert.deepInclude(at(2 * every + 60_000), { at: 2 * every, seconds: 60 })
    assert.deepInclude(at(2 * every + 29_000), { at: every, seconds: 300 })
  })

  it("are none where the clock of the dam is behind its history", () => {
    assert.deepStrictEqual(whole(told([]), 0), [])
  })

  it("add up", () => {
    assert.deepStrictEqual(sum([spanAt(0), spanAt(every, { refused: 0, held_ms: 0.5 })]), {
      accepted: 6,
      succeeded: 4,
      failed: 2,
      cancelled: 0,
      calls: 8,
      refused: 1,
      held_ms: 500.5
    })
  })

  it("reach as far back as the address says, where it says something there is", () => {
    const of = (text: string) => reachIn(new URLSearchParams(text))
    assert.deepStrictEqual(
      [of(""), of("span=24h"), of("span=7d"), of("span=9y"), of("span=toString")],
      ["", "24h", "7d", "", ""]
    )
  })
})
