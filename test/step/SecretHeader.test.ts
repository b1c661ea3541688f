import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Step from "../../src/step/Step.ts"
import * as Job from "../../src/wire/Job.ts"

const step = Step.post("https://api.example/charges", {
  headers: { authorization: Step.secret("stripe", { prefix: "Bearer " }), accept: "text/plain" }
})
const spelt = { authorization: { secret: "stripe", prefix: "Bearer " }, accept: "text/plain" }

const submission = (self: Step.Step) => ({ step: self, key: undefined, retryAt: undefined })

describe("a header that names a secret", () => {
  it.effect("stands in both JSON forms of a step by its name, and comes back as it was", () =>
    Effect.gen(function* () {
      const json = Step.toJson(step)
      assert.deepStrictEqual(json.headers, spelt)
      assert.deepStrictEqual(yield* Step.decode(JSON.parse(JSON.stringify(json))), step)
      const wire = Result.getOrThrow(Job.encode(submission(step), { extensions: "send" }))
      assert.deepStrictEqual(wire.headers, spelt)
      assert.deepStrictEqual(Result.getOrThrow(Job.decode(JSON.parse(JSON.stringify(wire)))), step)
    })
  )

  it("is kept by verbs that change others, and replaced by the one that sets it", () => {
    const more = Step.bodyJson(Step.header(step, "x-more", "1"), { a: 1 })
    assert.deepInclude(Step.toJson(more).headers, { ...spelt, "x-more": "1" })
    assert.deepStrictEqual(Step.toJson(Step.header(step, "Authorization", "plain")).headers, {
      accept: "text/plain",
      Authorization: "plain"
    })
    const replaced = Step.header(Step.get("https://a.example/"), "X-Key", { secret: "other" })
    assert.deepStrictEqual(Step.toJson(replaced).headers, { "X-Key": { secret: "other" } })
  })

  it("is refused by the name of the secret where the service is no dam, also in what follows", () => {
    for (const one of [step, Step.onSuccess(Step.get("https://a.example/"), step)]) {
      const { problem } = Result.getOrThrow(Result.flip(Job.encode(submission(one))))
      assert.include(problem, "names the secret stripe in its header authorization, and EZThrottle keeps none")
    }
  })

  it("cannot be sent where nobody looks it up", () => {
    assert.throws(() => new Headers({ ...step.request.headers }))
  })

  const wrong: ReadonlyArray<readonly [value: unknown, field: string, said: string]> = [
    [{ secret: "a b" }, "headers.authorization.secret", "1 to 64 letters"],
    [{ secret: 5 }, "headers.authorization.secret", "1 to 64 letters"],
    [{ secret: "a", prefix: "x\r\ny: z" }, "headers.authorization.prefix", "without line breaks"],
    [{ name: "a" }, "headers.authorization", "string"],
    ["a\0b", "headers.authorization", "without line breaks or NUL"]
  ]
  it.each(wrong)("is refused by its path, and by verbs in the same words: %j", (value, field, said) => {
    const read = Job.decode({ url: "https://a.example/", headers: { authorization: value } })
    const refused = Result.getOrThrow(Result.flip(read))
    if (JSON.stringify(value) !== '{"name":"a"}') assert.strictEqual(refused.field, field)
    const headers = { authorization: value } as { readonly authorization: string }
    try {
      Step.get("https://a.example/", { headers })
      assert.fail("it was taken")
    } catch (error) {
      assert.deepInclude(error, { field })
      assert.include(String(error), said)
    }
  })

  it("has no key but its own", () => {
    const job = { url: "https://a.example/", headers: { authorization: { secret: "a", perfix: "b" } } }
    const { code, field, nearest } = Result.getOrThrow(Result.flip(Job.decode(job)))
    assert.deepStrictEqual([code, field, nearest], ["unknown_field", "headers.authorization.perfix", "prefix"])
  })
})
