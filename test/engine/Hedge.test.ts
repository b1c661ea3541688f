import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import type { Ended } from "../../src/engine/Decide.ts"
import * as Hedge from "../../src/engine/Hedge.ts"
import * as Latency from "../../src/engine/Latency.ts"

const slow = { after: undefined, percentile: 95, max: 1, to: "same" } as const
const ok: Ended = { _tag: "Answered", status: 200, retryAfter: undefined }

const seen = (millis: ReadonlyArray<number>, each = 1) =>
  millis.reduce((self, took, at) => Hedge.ended(self, ok, took, at * each), Hedge.unknown)

const upTo = (most: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: most }))
const Lengths = Schema.Array(upTo(800_000)).check(Schema.isBetweenLength(20, 200))
const Events = Schema.Array(upTo(3)).check(Schema.isMaxLength(400))

describe("when a call is slow", () => {
  it("is a second while too little is known, and the time that is given where one is", () => {
    assert.strictEqual(Hedge.slowAfter(slow, Hedge.unknown), 1000)
    assert.strictEqual(Hedge.slowAfter(slow, seen(Array.from({ length: 19 }, () => 5))), 1000)
    const given = { ...slow, percentile: undefined, after: Duration.millis(300) }
    assert.strictEqual(Hedge.slowAfter(given, seen(Array.from({ length: 99 }, () => 5))), 300)
  })

  it.prop("is the percentile of what was seen, at most a tenth too long", [Lengths], ([millis]) => {
    const sorted = millis.toSorted((one, other) => one - other)
    const exact = Math.max(1, sorted[Math.ceil((sorted.length * 95) / 100) - 1] ?? 0)
    const told = Hedge.slowAfter(slow, seen(millis))
    assert.isAtLeast(told, exact - 1e-6)
    assert.isAtMost(told, exact * 1.1)
  })

  it("forgets: what was slow once is not slow for ever", () => {
    const then = seen(Array.from({ length: 500 }, () => 5000))
    const now = Array.from({ length: 100 }).reduce<Hedge.Target>((self) => Hedge.ended(self, ok, 10, 6_000_000), then)
    assert.isBelow(Hedge.slowAfter(slow, now), 12)
  })

  it("keeps to its memory, however many calls there are", () => {
    const many = Array.from({ length: 5000 }).reduce<Latency.Latency>(
      (self) => Latency.observe(self, 7, 0),
      Latency.unknown
    )
    assert.isAtMost(many.total, 1000)
    assert.strictEqual(many.counts.length, Latency.unknown.counts.length)
  })
})

describe("hedges", () => {
  it.prop("never come to more than their share of the calls, and one", [Events], ([events]) => {
    let self = Hedge.unknown
    let calls = 0
    let made = 0
    for (const event of events) {
      if (event === 0) {
        const paid = Hedge.paid(self, 0)
        if (paid !== undefined) made++
        self = paid ?? self
      } else {
        calls++
        self = Hedge.called(self)
      }
      assert.isAtLeast(self.credit, 0)
      assert.isAtMost(self.credit, Hedge.burst)
      assert.isAtMost(made, 1 + calls * Hedge.share + 1e-6)
    }
  })

  it("come back with the calls, and what was not made is given back", () => {
    const spent = Hedge.paid(Hedge.unknown, 0)
    assert.isDefined(spent)
    if (spent === undefined) return
    assert.isUndefined(Hedge.paid(spent, 0))
    assert.isDefined(Hedge.paid(Hedge.givenBack(spent), 0))
    const later = Array.from({ length: 20 }).reduce<Hedge.Target>((self) => Hedge.called(self), spent)
    assert.isDefined(Hedge.paid(later, 0))
  })

  it.each([
    ["a 429", { status: 429, retryAfter: undefined }, 10_000],
    ["a 503", { status: 503, retryAfter: undefined }, 10_000],
    ["a refusal by another status", { status: 403, retryAfter: undefined, says: "too_many" as const }, 10_000],
    ["a wait that was asked for", { status: 200, retryAfter: 3000 }, 3000]
  ])("stay away after %s", (_, answer, millis) => {
    const self = Hedge.ended(Hedge.unknown, { _tag: "Answered", ...answer }, 5, 0)
    assert.isUndefined(Hedge.paid(self, millis - 1))
    assert.isDefined(Hedge.paid(self, millis))
  })

  it("do not learn from a call without an answer", () => {
    const failed: Ended = { _tag: "Answered", status: 503, retryAfter: undefined }
    assert.strictEqual(Hedge.ended(Hedge.unknown, failed, 5, 0).latency.total, 0)
    assert.strictEqual(Hedge.ended(Hedge.unknown, ok, 5, 0).latency.total, 1)
  })
})
