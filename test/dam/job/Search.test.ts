import { assert, describe, it } from "@effect/vitest"
import { parse, type Search } from "../../../src/dam/job/Search.ts"

const nothing = { metadata: [], texts: [] }

describe("what somebody types to find jobs", () => {
  it.each<readonly [string, Search]>([
    ["", nothing],
    ["job_01J9", { ...nothing, id: "job_01j9" }],
    ["job_", { ...nothing, id: "job_" }],
    ["api.example.com", { ...nothing, host: "api.example.com" }],
    ["API.example.com/v1/", { ...nothing, host: "api.example.com", path: "/v1/" }],
    ["api.example.com:443", { ...nothing, lane: "api.example.com:443" }],
    ["api.example.com:80", { ...nothing, lane: "api.example.com:80" }],
    ["http://api.example.com/a?b=c", { ...nothing, lane: "api.example.com:80", path: "/a?b=c" }],
    ["https://api.example.com/", { ...nothing, lane: "api.example.com:443" }],
    ["localhost", { ...nothing, host: "localhost" }],
    ["localhost:3000/x", { ...nothing, lane: "localhost:3000", path: "/x" }],
    ["[::1]:80", { ...nothing, lane: "[::1]:80" }],
    ["order=7", { ...nothing, metadata: [["order", "7"]] }],
    ['name="two words"', { ...nothing, metadata: [["name", "two words"]] }],
    ["Timed out", { ...nothing, texts: ["timed", "out"] }],
    ['"Timed out" "v1.2"', { ...nothing, texts: ["timed out", "v1.2"] }],
    ["=7", { ...nothing, texts: ["=7"] }],
    ["host:99999", { ...nothing, texts: ["host:99999"] }],
    ["a.example b.example", { ...nothing, host: "a.example", texts: ["b.example"] }],
    ["job_a job_b", { ...nothing, id: "job_a", texts: ["job_b"] }],
    ["a.example/v1 order=7 refused", { host: "a.example", path: "/v1", metadata: [["order", "7"]], texts: ["refused"] }]
  ])("%j", (line, search) => {
    assert.deepStrictEqual(parse(line), search)
  })
})
