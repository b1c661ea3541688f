import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Gate from "../../../src/engine/pace/Gate.ts"
import { between, oneOf } from "../../../src/testing/Generators.ts"

const Pace = Arbitrary.map(
  Arbitrary.all([oneOf([0.01, 0.4, 0.5, 1, 1.7, 2, 2.5, 7.25, 10, 99.9, 250, 1000]), between(1, 6)]),
  ([rps, maxConcurrent]): Gate.Pace => ({ rps, maxConcurrent })
)
const Burst = between(1, 4)
/** How late each timer fires, in tenths of a millisecond, and how long each call takes, in milliseconds. */
const Late = Arbitrary.array(between(0, 4000), { minLength: 1, maxLength: 12 })
const Takes = Arbitrary.array(between(0, 1500), { minLength: 1, maxLength: 12 })

interface Passed {
  readonly at: number
  readonly open: number
}

/** Calls as often as the gate allows for a while, its timers firing late. */
const drive = (
  gate: Gate.Gate,
  {
    late,
    takes,
    during,
    each
  }: {
    readonly late: ReadonlyArray<number>
    readonly takes: ReadonlyArray<number>
    readonly during: number
    readonly each?: (gate: Gate.Gate, now: number, n: number) => Gate.Gate
  }
): ReadonlyArray<Passed> => {
  const passed: Array<Passed> = []
  const ends: Array<number> = []
  let self = gate
  let now = 0
  const leaveUntil = (until: number) => {
    for (const end of ends.filter((at) => at <= until)) {
      ends.splice(ends.indexOf(end), 1)
      self = Gate.leave(self)
    }
  }
  while (now < during && passed.length < 3000) {
    leaveUntil(now)
    const opensAt = Gate.opensAt(self)
    if (opensAt > now) {
      const next = Math.min(opensAt, ...ends)
      now = next + (late[passed.length % late.length] ?? 0) / 10
      continue
    }
    self = Gate.pass(self, now)
    passed.push({ at: now, open: self.open })
    ends.push(now + (takes[passed.length % takes.length] ?? 0))
    self = each?.(self, now, passed.length) ?? self
  }
  return passed
}

const mostInASecond = (passed: ReadonlyArray<Passed>): number =>
  Math.max(0, ...passed.map(({ at }, from) => passed.filter((other, n) => n >= from && other.at < at + 1000).length))

const runs = { arbitrary: { runs: 500 } }

describe("Gate", () => {
  it.prop(
    "lets at most the rate plus the burst through in any second, however late its timers fire",
    [Pace, Burst, Late, Takes],
    ([pace, burst, late, takes]) => {
      const passed = drive(Gate.make(pace, burst), { late, takes, during: 20_000 })
      assert.isAbove(passed.length, 0)
      assert.isAtMost(mostInASecond(passed), pace.rps + burst)
    },
    runs
  )

  it.prop(
    "never has more calls in flight than it may",
    [Pace, Burst, Late, Takes],
    ([pace, burst, late, takes]) => {
      const passed = drive(Gate.make(pace, burst), { late, takes, during: 20_000 })
      assert.isAtMost(Math.max(...passed.map(({ open }) => open)), pace.maxConcurrent)
    },
    runs
  )

  it.prop(
    "keeps its rate though timers are late, as long as they are late by less than an interval",
    [oneOf([1, 2, 10, 50, 200]), between(0, 90)],
    ([rps, percent]) => {
      const late = [(10_000 / rps) * (percent / 100), 0, ((10_000 / rps) * percent) / 200]
      const passed = drive(Gate.make({ rps, maxConcurrent: 10 }), { late, takes: [0], during: 10_000 })
      assert.isAtLeast(passed.length, rps * 10 * (rps === 1 ? 0.6 : 0.98))
      assert.isAtMost(passed.length, rps * 10 + 2)
    },
    runs
  )

  it.prop(
    "lets nobody through before a hold is over, and an earlier hold never shortens it",
    [Pace, Burst, Late, between(1, 9000), between(1, 9000)],
    ([pace, burst, late, one, other]) => {
      const held = Gate.hold(Gate.hold(Gate.make(pace, burst), one), other)
      assert.strictEqual(Gate.opensAt(held), Math.max(one, other))
      const [first] = drive(held, { late, takes: [0], during: 10_000 })
      assert.isAtLeast(first?.at ?? 0, Math.max(one, other))
    },
    runs
  )

  it.prop(
    "keeps to a pace from the moment it learns it",
    [Pace, Pace, Burst, between(1, 20), Late],
    ([before, after, burst, heard, late]) => {
      const passed = drive(Gate.make(before, burst), {
        late,
        takes: [0],
        during: 30_000,
        each: (gate, _, n) => (n === heard ? Gate.learn(gate, after) : gate)
      })
      const since = passed.slice(heard - 1)
      assert.isAtMost(mostInASecond(since), after.rps + burst)
      const [last, next] = since
      if (last !== undefined && next !== undefined && before.rps !== after.rps)
        assert.isAtLeast(next.at - last.at, 1000 / after.rps - 1e-6)
    },
    runs
  )

  it("changes nothing when it hears the same pace again and again", () => {
    const said = { rps: 2, maxConcurrent: 2 }
    const passed = drive(Gate.make(said), {
      late: [0],
      takes: [0],
      during: 5000,
      each: (gate) => Gate.learn(gate, said)
    })
    assert.strictEqual(passed.length, drive(Gate.make(said), { late: [0], takes: [0], during: 5000 }).length)
  })

  it("sends one call every two seconds at half a call a second", () => {
    const passed = drive(Gate.make({ rps: 0.5, maxConcurrent: 9 }), { late: [3], takes: [0], during: 9000 })
    assert.deepStrictEqual(
      passed.map(({ at }) => Math.round(at / 100) / 10),
      [0, 2, 4, 6, 8]
    )
  })

  it("brings a call forward when a slow pace is replaced by a fast one", () => {
    const slow = Gate.pass(Gate.make({ rps: 0.01, maxConcurrent: 2 }), 0)
    assert.strictEqual(Gate.opensAt(slow), 100_000)
    assert.strictEqual(Gate.opensAt(Gate.learn(slow, { rps: 10, maxConcurrent: undefined })), 100)
  })

  it("keeps a lower limit of calls in flight until enough of them have ended", () => {
    const four = [1, 2, 3, 4].reduce((gate) => Gate.pass(gate, 0), Gate.make({ rps: 1000, maxConcurrent: 4 }, 4))
    const two = Gate.learn(four, { rps: undefined, maxConcurrent: 2 })
    assert.strictEqual(Gate.opensAt(Gate.leave(Gate.leave(two))), Number.POSITIVE_INFINITY)
    assert.isTrue(Number.isFinite(Gate.opensAt(Gate.leave(Gate.leave(Gate.leave(two))))))
  })

  it("is quiet only once a gate made anew would let no more through", () => {
    const pace = { rps: 2, maxConcurrent: 2 }
    const used = Gate.leave(Gate.pass(Gate.make(pace), 0))
    assert.isTrue(Gate.isQuiet(Gate.make(pace), 0))
    assert.isFalse(Gate.isQuiet(Gate.pass(Gate.make(pace), 0), 9000))
    assert.isFalse(Gate.isQuiet(used, 400))
    assert.isTrue(Gate.isQuiet(used, 500))
    assert.isFalse(Gate.isQuiet(Gate.hold(used, 900), 600))
  })
})
