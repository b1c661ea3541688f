import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Schema from "effect/Schema"
import * as JsonText from "../../src/step/JsonText.ts"
import * as Step from "../../src/step/Step.ts"
import { makeStep } from "../../src/step/StepValue.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"

const AnyStep = Arbitraries.step({ depth: 2, draws: true, takes: true, times: true })
const DeepStep = Arbitraries.step({ depth: 5, draws: true, takes: true, times: true })

/** Verbs that each set a field of their own to what another step says. */
const setters: ReadonlyArray<(from: Step.Step) => (self: Step.Step) => Step.Step> = [
  (from) => Step.method(from.request.method),
  (from) => Step.url(from.request.url),
  (from) => Step.headers(from.request.headers),
  (from) => Step.body(from.request.body),
  (from) => (from.type === "FRUGAL" ? Step.frugal() : Step.performance()),
  (from) => Step.description(from.description ?? "none"),
  (from) => Step.responseDescription(from.responseDescription ?? "none"),
  (from) => Step.fallbackOnError(from.fallbackOnError ?? []),
  (from) => Step.localTimeout(from.localTimeout ?? 1),
  (from) => Step.retryPolicy(from.retryPolicy),
  (from) => Step.regions(from.regions),
  (from) => Step.regionPolicy(from.regionPolicy),
  (from) => Step.executionMode(from.executionMode),
  (from) => Step.webhooks(from.webhooks),
  (from) => Step.webhookQuorum(from.webhookQuorum),
  (from) => Step.idempotentStrategy(from.idempotency._tag === "Unique" ? "UNIQUE" : "HASH"),
  (from) => Step.sendIdempotencyKey(from.sendIdempotencyKey),
  (from) => Step.retryAt(from.retryAt ?? 0),
  (from) => Step.delay(from.delay ?? 1),
  (from) => Step.startBefore(from.startBefore ?? 0),
  (from) => Step.priority(from.priority ?? "normal"),
  (from) =>
    Step.debounce(from.debounce?.key ?? "key", { wait: from.debounce?.wait ?? 1, atMost: from.debounce?.atMost }),
  (from) => (from.coalesce ? Step.coalesce : (self) => self),
  (from) => Step.inOrder(from.inOrder?.key ?? "key", { onFailure: from.inOrder?.onFailure }),
  (from) => Step.attemptTimeout(from.attemptTimeout ?? 1),
  (from) => Step.totalTimeout(from.totalTimeout ?? 1),
  (from) => Step.timeoutHeader(from.timeoutHeader ?? "X-Other"),
  (from) => Step.hedge({ max: from.hedge?.max ?? 1, to: from.hedge?.to }),
  (from) => Step.metadata(from.metadata),
  (from) => Step.onSuccess(from),
  (from) => Step.onFailure(from),
  (from) => Step.onFailureTimeout(from.onFailureTimeout ?? 1)
]

const copies = [...setters, (from: Step.Step) => Step.fallback(from)]

const ranks = Schema.Array(Schema.Number).check(Schema.isBetweenLength(copies.length, copies.length))

describe("laws of a step", () => {
  it.prop(
    "the order of verbs never matters, nor to the rules between fields",
    [AnyStep, AnyStep, ranks],
    ([step, from, rank]) => {
      const apply = (verbs: typeof copies) => verbs.reduce((self, verb) => verb(from)(self), step)
      const shuffled = copies
        .map((verb, index) => ({ verb, rank: rank[index] ?? 0 }))
        .toSorted((a, b) => a.rank - b.rank)
        .map(({ verb }) => verb)
      assert.isTrue(Equal.equals(apply(shuffled), apply(copies)))
      assert.isTrue(Equal.equals(Step.check(apply(shuffled)), Step.check(apply(copies))))
    }
  )

  it.prop("a verb said twice says it once", [AnyStep, AnyStep], ([step, from]) => {
    for (const verb of setters) {
      const once = verb(from)(step)
      assert.isTrue(Equal.equals(verb(from)(once), once))
    }
  })

  it.prop("a step survives JSON, with all its children", [DeepStep], ([step]) => {
    const back = Effect.runSync(Step.decode(JsonText.parse(JSON.stringify(step))))
    assert.isTrue(Equal.equals(back, step))
    assert.strictEqual(JSON.stringify(back), JSON.stringify(step))
  })

  it.prop("steps that say the same are equal and hash alike; one more word tells them apart", [AnyStep], ([step]) => {
    const copy = makeStep({ ...step })
    assert.isTrue(Equal.equals(copy, step))
    assert.strictEqual(Hash.hash(copy), Hash.hash(step))
    assert.isFalse(Equal.equals(Step.description(step, `${step.description ?? ""}.`), step))
  })

  it.prop("fallbacks are one line, however they were nested", [AnyStep, AnyStep, AnyStep], ([a, b, c]) => {
    const nested = Step.fallback(a, Step.fallback(b, c))
    const listed = a.pipe(Step.fallback(b), Step.fallback(c))
    assert.isTrue(Equal.equals(nested, listed))
    assert.isTrue(nested.fallbacks.every(({ step }) => step.fallbacks.length === 0))
    assert.strictEqual(nested.fallbacks.length, a.fallbacks.length + 1 + b.fallbacks.length + 1 + c.fallbacks.length)
  })

  it.prop(
    "inheriting twice is inheriting once, and a full step inherits nothing",
    [AnyStep, AnyStep],
    ([step, parent]) => {
      const once = Step.inherit(step, parent)
      assert.isTrue(Equal.equals(Step.inherit(once, parent), once))
      assert.isTrue(Equal.equals(Step.inherit(step, step), step))
    }
  )

  it.prop("generated steps break no rule between fields", [DeepStep], ([step]) => {
    assert.strictEqual(Step.check(step), undefined)
  })

  it.prop("a printed step begins with its type, method and target, without the query", [AnyStep], ([step]) => {
    const [first = ""] = String(step.pipe(Step.description("d"))).split("\n")
    assert.match(first, /^(FRUGAL|PERFORMANCE) [A-Z]+ https?:\/\/[^ ?]+ \(d\)$/)
  })
})
