import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Budget from "../../src/engine/Budget.ts"

const { defaults } = Budget
const upTo = (most: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: most }))
const Event = Schema.Struct({ kind: upTo(2), after: upTo(5000), isBack: Schema.Boolean })
const Events = Schema.Array(Event).check(Schema.isMaxLength(300))
const Settings = Schema.Struct({ hundredths: upTo(100), perMinute: upTo(60) })

/** Pays as often as it can. */
const emptied = (given: Budget.Budget, now: number, settings = defaults) => {
  let [self, paid] = [given, 0]
  for (let next = Budget.paid(self, settings, now); next !== undefined; paid++) {
    self = next
    next = Budget.paid(self, settings, now)
  }
  return { self, paid }
}

describe("a budget", () => {
  it.prop(
    "is never below zero, and never pays more than its share of the calls, its floor and what it began with",
    [Settings, Events],
    ([{ hundredths, perMinute }, events]) => {
      const settings = { share: hundredths / 100, perMinute }
      let [self, now, calls, made] = [Budget.full(settings, 0), 0, 0, 0]
      for (const { after, kind } of events) {
        now += after
        if (kind === 0) {
          self = Budget.called(self, settings, now)
          calls++
        } else {
          const paid = Budget.paid(self, settings, now)
          assert.strictEqual(paid !== undefined, Budget.room(self, settings, now) > 0)
          if (paid !== undefined) made++
          self = paid ?? self
        }
        assert.isAtLeast(self.left, 0)
        assert.isAtMost(made, perMinute + settings.share * calls + (perMinute * now) / 60_000 + 1e-6)
      }
    }
  )

  it.prop("recovers: after what it says, somebody may pay", [Events], ([events]) => {
    let [self, now] = [Budget.full(defaults, 0), 0]
    for (const { after, kind } of events) {
      now += after
      self = kind === 0 ? Budget.called(self, defaults, now) : (Budget.paid(self, defaults, now) ?? self)
      const wait = Budget.wait(self, defaults, now)
      assert.isDefined(Budget.paid(self, defaults, now + wait))
      if (wait > 1) assert.isUndefined(Budget.paid(self, defaults, now + wait - 2))
    }
  })

  it("allows ten at once where nobody has called, and ten a minute after that", () => {
    const { paid, self } = emptied(Budget.full(defaults, 0), 0)
    assert.strictEqual(paid, 10)
    assert.strictEqual(Budget.wait(self, defaults, 0), 6000)
    assert.strictEqual(emptied(self, 60_000).paid, 10)
    assert.strictEqual(emptied(self, 600_000).paid, 10)
  })

  it("allows a fifth of the calls beside that, and forgets what was earned long ago", () => {
    let { self } = emptied(Budget.full(defaults, 0), 0)
    for (let call = 0; call < 100; call++) self = Budget.called(self, defaults, 0)
    assert.strictEqual(emptied(self, 0).paid, 20)
    assert.strictEqual(Budget.room(self, defaults, 60_000), 10)
  })

  it("takes back what was not made, up to what it holds", () => {
    const full = Budget.full(defaults, 0)
    const { self } = emptied(full, 0)
    assert.strictEqual(Budget.room(Budget.givenBack(self, defaults), defaults, 0), 1)
    assert.deepStrictEqual(Budget.givenBack(full, defaults), full)
  })

  it("is never refilled where it has neither share nor floor", () => {
    const none = { share: 0, perMinute: 0 }
    assert.strictEqual(Budget.wait(Budget.full(none, 0), none, 0), Number.POSITIVE_INFINITY)
    assert.isUndefined(Budget.paid(Budget.full(none, 0), none, 1e9))
  })

  it("earns nothing by a clock that is set back, and nothing is lost by it", () => {
    const { self } = emptied(Budget.full(defaults, 60_000), 60_000)
    assert.strictEqual(Budget.room(self, defaults, 0), 0)
  })
})
