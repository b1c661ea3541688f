/** What the page makes of texts: bodies to read, requests to paste, forms to send. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Job } from "../../src/page/Api.ts"
import { asCurl, asStep } from "../../src/page/CopyAs.ts"
import { pieces, pretty } from "../../src/page/Pretty.ts"
import { fieldOf, jobOf, nothingTyped, typedOf } from "../../src/page/Submission.ts"
import { EZThrottle, Step } from "../../src/index.ts"

const jobWith = (request: Partial<Job["request"]>, metadata: Job["metadata"] = {}): Job => ({
  job_id: "job_1",
  status: "succeeded",
  delivery_status: "none",
  idempotent_key: "key",
  method: "POST",
  url: "https://api.example.com/",
  lane: "api.example.com:443",
  created_at: 0,
  started_at: 0,
  finished_at: 0,
  due_at: null,
  attempts_made: 1,
  response_status: 200,
  metadata,
  parent: null,
  rerun_of: null,
  request: { method: "POST", url: "https://api.example.com/?a=1", headers: {}, ...request },
  region: null,
  attempts: [],
  deliveries: []
})

describe("a body", () => {
  it("of JSON gets a line for each member, and nothing of it is changed", () => {
    const text = ' {"a":12345678901234567890, "a" : 1.0,"b":[ ],"c":{}, "d":["x\\"{,:}\\\\",{"e":null}]}'
    assert.strictEqual(
      pretty(text),
      [
        "{",
        '  "a": 12345678901234567890,',
        '  "a": 1.0,',
        '  "b": [],',
        '  "c": {},',
        '  "d": [',
        '    "x\\"{,:}\\\\",',
        "    {",
        '      "e": null',
        "    }",
        "  ]",
        "}"
      ].join("\n")
    )
  })

  it("that is no object or list stays as it is", () => {
    for (const text of ["", "7", '"a"', "<p>", "{", "{a:1}", "[1,]"]) assert.isUndefined(pretty(text), text)
  })

  it("is cut into pieces that are the whole again", () => {
    const text = Array.from({ length: 500 }, (_, n) => `line ${n}`).join("\n") + "x".repeat(5000)
    const all = pieces(text, 1000)
    assert.strictEqual(all.join(""), text)
    assert.isAtMost(Math.max(...all.map(({ length }) => length)), 2001)
    assert.isTrue(all[0]?.endsWith("\n"))
    assert.deepStrictEqual(pieces("", 10), [])
  })
})

describe("a request as something to paste", () => {
  it("is a step that sends the same", () => {
    const request = { headers: { "x-a": '"quoted"' }, body: 'line\n"two" `${three}`' }
    const program = asStep(jobWith(request, { order: "4711" })).replace(/^import .*\n/, "")
    const made: unknown = new Function("Step", "EZThrottle", `${program}\nreturn step`)(Step, EZThrottle)
    assert.isTrue(Step.isStep(made))
    if (!Step.isStep(made)) return
    assert.deepStrictEqual(made.request, { method: "POST", url: "https://api.example.com/?a=1", ...request })
    assert.deepStrictEqual(made.metadata, { order: "4711" })
    const limits = [{ name: "tokens", key: "acme", cost: 5 }]
    const drawing = asStep({ ...jobWith(request), limits }).replace(/^import .*\n/, "")
    const drawn: unknown = new Function("Step", "EZThrottle", `${drawing}\nreturn step`)(Step, EZThrottle)
    assert.deepStrictEqual(Step.isStep(drawn) && drawn.limits, limits)
  })

  it("says what is missing in it", () => {
    const job = jobWith({ headers: { authorization: "<redacted>" }, body: "0123", body_bytes: 10 })
    for (const text of [asCurl(job), asStep(job)]) {
      assert.include(text, "6 bytes are missing")
      assert.include(text, "fill in what stands as <redacted>")
    }
    assert.notInclude(asCurl(jobWith({})), "#")
  })
})

describe("a form for a job", () => {
  it("sends what is typed, leaves out what is not, and takes everything else as JSON", () => {
    const typed = {
      ...nothingTyped,
      url: " https://a.example/ ",
      headers: "a: b:c\n\n x-y : z ",
      retry_at: "1970-01-01T00:00Z"
    }
    assert.deepStrictEqual(Result.getOrThrow(jobOf({ ...typed, more: '{"regions":["iad"],"method":"PUT"}' })), {
      url: "https://a.example/",
      method: "PUT",
      headers: { a: "b:c", "x-y": "z" },
      retry_at: 0,
      regions: ["iad"]
    })
  })

  it("is told what cannot be said, and where", () => {
    const fieldWrong = (typed: Partial<typeof nothingTyped>) =>
      Result.match(jobOf({ ...nothingTyped, ...typed }), { onFailure: ({ field }) => field, onSuccess: () => "none" })
    assert.strictEqual(fieldWrong({}), "none")
    assert.strictEqual(fieldWrong({ headers: "nothing" }), "headers")
    assert.strictEqual(fieldWrong({ headers: "authorization: <redacted>" }), "headers")
    assert.strictEqual(fieldWrong({ metadata: ":" }), "metadata")
    assert.strictEqual(fieldWrong({ more: "[1]" }), "more")
    assert.strictEqual(fieldWrong({ more: "{" }), "more")
  })

  it("finds the field that a refusal is about", () => {
    assert.strictEqual(fieldOf("webhooks[0].url"), "webhooks")
    assert.strictEqual(fieldOf("headers.x-a"), "headers")
    assert.strictEqual(fieldOf("retry_policy.max_retries"), "max_retries")
    assert.strictEqual(fieldOf("retry_policy.retry_codes"), "more")
    assert.strictEqual(fieldOf("on_success.url"), "more")
  })

  it("is filled in from a job under another key, without half of a body", () => {
    const whole = typedOf(jobWith({ body: "abc", body_bytes: 3, headers: { a: "b" } }, { n: 1 }))
    assert.include(whole, { body: "abc", headers: "a: b", metadata: "n: 1", method: "POST" })
    assert.match(whole.idempotent_key, /^page-[0-9a-f]{16}$/)
    assert.strictEqual(typedOf(jobWith({ body: "abc", body_bytes: 4 })).body, "")
    const limits = [{ name: "tokens", cost: 5 }]
    const again = Result.getOrThrow(jobOf(typedOf({ ...jobWith({}), limits })))
    assert.deepStrictEqual(again["limits"], limits)
  })
})
