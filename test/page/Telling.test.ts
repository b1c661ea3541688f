/** What the form of notices makes of what is typed, and where it puts what the dam refuses. */
import { assert, describe, it } from "@effect/vitest"
import { choiceOf, fieldOf, type Now, typedOf } from "../../src/page/Telling.ts"
import { noticeEvents } from "../../src/dam/observe/Notice.ts"
import { events } from "../../src/page/Telling.ts"

const now: Now = {
  urls: ["https://ops.example.com/a"],
  events: [...noticeEvents],
  thresholds: {
    endpoint_failures: 5,
    dead_letters: 100,
    lane_held_ms: 600_000,
    stored_bytes: 8_589_934_592,
    memory_bytes: 1_717_986_918
  },
  source: "configured",
  open: [],
  sent: [],
  endpoints: []
}

describe("the form of notices", () => {
  it("sends what it shows as it was, to the byte, and in the order of the API", () => {
    const typed = typedOf(now)
    assert.deepStrictEqual(typed.marks, {
      endpoint_failures: "5",
      dead_letters: "100",
      lane_held_ms: "10",
      stored_bytes: "8589.93",
      memory_bytes: "1717.99"
    })
    const { thresholds, urls } = now
    assert.deepStrictEqual(choiceOf({ ...typed, events: typed.events.toReversed() }, now), {
      urls: [...urls],
      events: [...noticeEvents],
      thresholds
    })
  })

  it("knows every event", () => {
    assert.deepStrictEqual(Object.keys(events), [...noticeEvents])
  })

  it("leaves out what is empty, and counts in minutes and megabytes", () => {
    const typed = typedOf(now)
    const choice = choiceOf(
      {
        urls: " https://a.example/ \n\nhttps://b.example/\n",
        events: ["memory_bytes", "lane_held"],
        marks: { ...typed.marks, dead_letters: " ", lane_held_ms: "0.5", stored_bytes: "100", memory_bytes: "" }
      },
      now
    )
    assert.deepStrictEqual(choice, {
      urls: ["https://a.example/", "https://b.example/"],
      events: ["lane_held", "memory_bytes"],
      thresholds: { endpoint_failures: 5, lane_held_ms: 30_000, stored_bytes: 100_000_000 }
    })
  })

  it("has a field for each that the API names", () => {
    assert.deepStrictEqual(["urls[3]", "events[0]", "thresholds.lane_held_ms"].map(fieldOf), [
      "urls",
      "events",
      "lane_held_ms"
    ])
  })
})
