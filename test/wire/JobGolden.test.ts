import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import * as JsonText from "../../src/step/JsonText.ts"
import { makeStep } from "../../src/step/StepValue.ts"
import * as Step from "../../src/step/Step.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import * as Job from "../../src/wire/Job.ts"

const encode = (step: Step.Step, options?: Job.EncodeOptions) =>
  Result.getOrThrow(Job.encode({ step, key: undefined, retryAt: undefined }, options))

/** What a dam reads. */
const asDam = { binary: "base64", extensions: "send" } as const

const overTheWire = (step: Step.Step): Step.Step =>
  Result.getOrThrow(Job.decode(JsonText.parse(JSON.stringify(encode(step, asDam)))))

/** The step without what never travels: what the other side can know of it. */
const carried = (self: Step.Step): Step.Step =>
  makeStep({
    ...self,
    request: { ...self.request, body: textIfItIs(self.request.body) },
    type: undefined,
    description: undefined,
    responseDescription: undefined,
    fallbackOnError: undefined,
    localTimeout: undefined,
    sendIdempotencyKey: false,
    retryPolicy: self.retryPolicy && { ...self.retryPolicy, base: undefined, cap: undefined },
    fallbacks: self.fallbacks.map(({ step, trigger }) => ({ step: carried(step), trigger })),
    onSuccess: self.onSuccess && carried(self.onSuccess),
    onFailure: self.onFailure && carried(self.onFailure)
  })

const textIfItIs = (body: string | Uint8Array | undefined) => {
  if (body === undefined) return undefined
  const bytes = Buffer.from(typeof body === "string" ? body.toWellFormed() : body)
  const text = bytes.toString("utf8")
  return Buffer.from(text).equals(bytes) ? text : new Uint8Array(bytes)
}

/** As an execution does before it hands over. */
const settled = (self: Step.Step, count = { drawn: 0 }): Step.Step =>
  makeStep({
    ...self,
    idempotency:
      self.idempotency._tag === "Unique" ? { _tag: "Custom", key: `key-${++count.drawn}` } : self.idempotency,
    fallbacks: self.fallbacks.map(({ step, trigger }) => ({ step: settled(step, count), trigger })),
    onSuccess: self.onSuccess && settled(self.onSuccess, count),
    onFailure: self.onFailure && settled(self.onFailure, count)
  })

/** A step that says everything the protocol can say of one job, and everything that stays here. */
const full = (name: string) =>
  Step.post(`https://${name}.example/orders?via=${name}`, {
    headers: { "Content-Type": "application/json", "X-Name": name },
    body: `{"name":"${name}"}`
  }).pipe(
    Step.metadata({ name, nested: { snake_case: [1, null], camelCase: true } }),
    Step.webhooks([
      { url: `https://hooks.example/${name}`, regions: ["iad", "lax"] },
      { url: `https://audit.example/${name}`, hasQuorumVote: false },
      { url: `https://backup.example/${name}` }
    ]),
    Step.webhookQuorum(2),
    Step.regions(["iad", "ord"]),
    Step.regionPolicy("strict"),
    Step.executionMode("fanout"),
    Step.retryPolicy({ maxRetries: 5, maxReroutes: 1, retryCodes: [429], rerouteCodes: [500, 504], base: 10, cap: 99 }),
    Step.onFailureTimeout("1 hour"),
    Step.idempotentKey(`key-of-${name}`),
    Step.retryAt(1_800_000_000_000),
    Step.frugal(),
    Step.description(`creates ${name}`),
    Step.responseDescription(`the order of ${name}`),
    Step.fallbackOnError([502]),
    Step.localTimeout("3 seconds"),
    Step.sendIdempotencyKey()
  )

const fiveLevels = full("root").pipe(
  Step.onSuccess(
    full("second").pipe(
      Step.fallback(
        full("third").pipe(
          Step.fallback(
            full("fourth").pipe(Step.onFailure(full("fifth")), Step.onSuccess(Step.get("https://leaf.example/"))),
            { onTimeout: "2 seconds" }
          )
        ),
        { onError: [500, 503] }
      ),
      Step.fallback(Step.delete("https://last.example/"))
    )
  ),
  Step.onFailure(full("alarm"))
)

const goldens = {
  "single-call": Step.get("https://api.example/orders/1"),
  "everything-of-one-job": full("one"),
  "line-of-fallbacks": Step.put("https://a.example/", { body: "" }).pipe(
    Step.retryPolicy({}),
    Step.fallback(Step.get("https://b.example/"), { onError: [500] }),
    Step.fallback(Step.get("https://c.example/"), { onTimeout: "1 second" }),
    Step.fallback(Step.get("https://d.example/"))
  ),
  "five-levels": fiveLevels
}

describe("the job JSON", () => {
  it.each(Object.entries(goldens))("of %s is what its golden file says, to the order of its keys", (name, step) => {
    const golden = readFileSync(new URL(`../fixtures/golden/${name}.json`, import.meta.url), "utf8")
    assert.strictEqual(`${JSON.stringify(encode(step), undefined, 2)}\n`, golden)
  })

  it.each(Object.entries(goldens))("of %s brings back every field that the protocol carries", (_, step) => {
    assert.isTrue(Equal.equals(overTheWire(step), carried(step)))
  })

  it("differs from the step in nothing but what never travels", () => {
    assert.isFalse(Equal.equals(overTheWire(fiveLevels), fiveLevels))
    assert.isFalse(Equal.equals(overTheWire(fiveLevels), carried(Step.retryAt(fiveLevels, 1))))
  })

  it("keeps the five levels five levels", () => {
    const fourth = overTheWire(fiveLevels).onSuccess?.fallbacks[1]
    assert.deepStrictEqual(fourth?.step.onFailure, carried(full("fifth")))
    assert.strictEqual(fourth?.trigger._tag, "OnTimeout")
  })

  it.prop(
    "survives the wire, whatever the step",
    [Arbitraries.step({ draws: true, takes: true, times: true })],
    ([step]) => {
      const given = settled(step)
      // by value: JSON writes -0 as 0
      assert.isTrue(Equal.equals(overTheWire(given), carried(given)))
    }
  )

  it.prop(
    "is the same after another round trip",
    [Arbitraries.step({ draws: true, takes: true, times: true })],
    ([step]) => {
      const once = encode(settled(step), asDam)
      const again = encode(Result.getOrThrow(Job.decode(once)), asDam)
      assert.strictEqual(JSON.stringify(again), JSON.stringify(once))
    }
  )
})
