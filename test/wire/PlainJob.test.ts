import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Job from "../../src/wire/Job.ts"
import { isPlain } from "../../src/wire/PlainJob.ts"

/** How many bodies are compared; a million takes about two minutes. */
const bodies = Number(process.env["PLAIN_JOBS"] ?? 4000)

type Draw = <A>(from: ReadonlyArray<A>) => A

/** Numbers that look random and are the same in every run (mulberry32). */
const drawing = (seed: number): Draw => {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return (from) => from[Math.floor(next() * from.length)]!
}

const url = "https://api.example:8443/orders?x=1#y"

/** What each key may hold, and what it may not. */
const values: Readonly<Record<string, readonly [good: ReadonlyArray<unknown>, bad: ReadonlyArray<unknown>]>> = {
  url: [
    [url, "http://h/ü", "HTTP://H", "http://[::1]:1/"],
    ["", "ftp://h/", "h", "http://", "http://h:99999/", "http://a b/", 7]
  ],
  method: [
    ["GET", "post", "PURGE"],
    ["", "G T", "GET\n", null, 1]
  ],
  headers: [
    [{}, { a: "1", B: "\u00ff" }, { "Content-Type": "x", authorization: "" }],
    [{ a: 1 }, { "a b": "x" }, { a: "1", A: "2" }, { a: "\n" }, { a: "ł" }, [], ["x"], null, "x"]
  ],
  body: [
    ["", "x", "\u0000\ud800"],
    [null, 1, {}, []]
  ],
  body_base64: [
    ["", "AAEC"],
    ["?", 1]
  ],
  metadata: [
    [{}, { a: 1, b: "x", c: null, d: false }, { a: { b: [1] } }],
    [[], "x", null, { a: Number.NaN }, { a: undefined }]
  ],
  webhooks: [
    [
      [],
      [{ url }],
      [
        { url, regions: ["iad"], has_quorum_vote: false },
        { url, hasQuorumVote: true }
      ]
    ],
    [{}, [{}], [null], [[]], [{ url: "x" }], [{ url, more: 1 }], [{ url, regions: [""] }]]
  ],
  webhook_quorum: [
    [1, 2, 2 ** 53 - 1],
    [0, 1.5, -1, "1", 2 ** 53, Number.NaN, null]
  ],
  regions: [
    [[], ["iad"], [" x "]],
    [[""], [" "], ["a\n"], [1], "iad", null]
  ],
  region_policy: [
    ["fallback", "strict"],
    ["", "Strict", null]
  ],
  execution_mode: [
    ["race", "fanout"],
    ["both", 1]
  ],
  retry_policy: [
    [
      {},
      { max_retries: 0, retry_codes: [100, 599] },
      { max_reroutes: 3, reroute_codes: [] },
      { maxRetries: 1, retryCodes: [500] }
    ],
    [[], null, { max_retries: -1 }, { retry_codes: [99] }, { retry_codes: [600] }, { retry_codes: "5" }, { x: 1 }]
  ],
  retry_unsafe: [
    [true, false],
    [0, "true", null]
  ],
  limits: [
    [[], [{ name: "a" }]],
    [[{ name: "a" }, { name: "a" }], [{}], {}]
  ],
  on_success: [
    [{ url }, { url, method: "GET", on_failure: { url } }],
    [{}, { url: 1 }, null]
  ],
  fallback_job: [[{ url, trigger: {} }], [{ url, trigger: { type: "on_error" } }, []]],
  on_failure_timeout_ms: [
    [1, 5000],
    [0, 1.5, "1"]
  ],
  idempotent_key: [
    ["k", "ü".repeat(127), "x".repeat(255)],
    ["", "x".repeat(256), "ü".repeat(128), "a\u0000", null]
  ],
  attempt_timeout_ms: [
    [1, 60_000],
    [0, 1.5, -1, "1", null]
  ],
  total_timeout_ms: [
    [1, 60_000],
    [0, 1.5, -1, "1", null]
  ],
  timeout_header: [["X-Left"], ["", "a b", "Host", 1]],
  hedge: [
    [{}, { percentile: 99.9 }, { after_ms: 5, max: 3, to: "region" }],
    [{ percentile: 5 }, { percentile: 95, after_ms: 5 }, { max: 0 }, { to: "fallback" }, [], null]
  ],
  retry_at: [
    [0, 1_700_000_000_000],
    [-1, 0.5, "0", 2 ** 53, Number.POSITIVE_INFINITY]
  ]
}

const camelCase = (key: string) => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

const entry = (draw: Draw, oddity: string): readonly [string, unknown] => {
  const key = draw(Object.keys(values))
  const [good, bad] = values[key]!
  if (oddity === "value") return [key, draw(bad)]
  return [oddity === "spelling" ? camelCase(key) : key, draw(good)]
}

/** A job of some keys, as parsed from JSON; every other one has something odd about it. */
const job = (draw: Draw): unknown => {
  const entries: Array<readonly [string, unknown]> = [["url", draw(values["url"]![0])]]
  for (let left = draw([0, 1, 2, 3, 5, 9]); left > 0; left--) entries.push(entry(draw, ""))
  const oddity = draw(["", "", "", "", "value", "spelling", "key", "root", "nameless", "proto"])
  if (oddity === "value" || oddity === "spelling") entries.push(entry(draw, oddity))
  if (oddity === "key") entries.push([draw(["", "urls", "__proto__", "constructor", "Method"]), draw([1, {}, url])])
  if (oddity === "nameless") entries.shift()
  if (oddity === "proto") entries.push([draw(["headers", "metadata"]), JSON.parse('{"__proto__":"x"}')])
  return oddity === "root" ? draw([null, [], url, 1, [{ url }], {}]) : Object.fromEntries(entries)
}

describe("the jobs that need no schema", () => {
  it("are read as the schema reads them, and everything else is refused in its words", () => {
    const draw = drawing(13)
    let plain = 0
    let refused = 0
    for (let left = bodies; left > 0; left--) {
      const body = job(draw)
      const bySchema = Job.decodeBySchema(body)
      const read = Job.decode(body)
      if (isPlain(body)) plain++
      if (Result.isFailure(read)) refused++
      assert.deepStrictEqual(read, bySchema, JSON.stringify(body))
    }
    assert.isAbove(plain, bodies / 6)
    assert.isAbove(refused, bodies / 6)
  })

  it("are those that the official clients and a line of curl send", () => {
    for (const body of [
      { url },
      { url, method: "POST", body: "x", idempotent_key: "k", webhooks: [{ url }] },
      {
        url,
        method: "POST",
        headers: { a: "b" },
        metadata: { a: 1 },
        retry_policy: { max_retries: 2, retry_codes: [] }
      }
    ]) {
      assert.isTrue(isPlain(body), JSON.stringify(body))
    }
  })

  it("have no parts that a list only seems to have", () => {
    assert.isFalse(isPlain({ url, webhooks: Array(1) }))
    assert.isFalse(isPlain(Object.create({ url })))
    assert.isFalse(isPlain({ url, headers: JSON.parse('{"__proto__":"x"}') }))
  })
})
