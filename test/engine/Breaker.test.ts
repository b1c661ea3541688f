import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import type { Ended } from "../../src/engine/Decide.ts"
import * as Breaker from "../../src/engine/Breaker.ts"
import * as Failure from "../../src/step/Failure.ts"

const { defaults } = Breaker
const upTo = (most: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: most }))
const Event = Schema.Struct({ kind: upTo(9), after: upTo(8000), draw: upTo(99), pick: upTo(5) })
const Events = Schema.Array(Event).check(Schema.isMaxLength(300))

/** Calls that all end at once, until it opens; else as many as are given. */
const failing = (given: Breaker.Breaker, calls: number, now: number, isDown = true): Breaker.Breaker => {
  let self = given
  for (let call = 0; call < calls; call++) self = Breaker.ended(self, defaults, { era: self.era, isDown, now, draw: 0 })
  return self
}
const open = failing(Breaker.closed, 20, 0)
const probed = (now: number) => {
  const [self, answer] = Breaker.ask(open, defaults, now)
  assert.deepStrictEqual(answer, { _tag: "Go", era: self.era })
  return self
}
const ramping = Breaker.ended(probed(5000), defaults, { era: 2, isDown: false, now: 6000, draw: 0 })

describe("a breaker", () => {
  it.prop("moves along its edges alone, and each move begins an era", [Events], ([events]) => {
    let [self, now] = [Breaker.closed, 0]
    const under: Array<number> = []
    const move = (next: Breaker.Breaker, also: ReadonlyArray<Breaker.Breaker["_tag"]> = []) => {
      if (next._tag === self._tag) assert.isTrue(next.era === self.era || also.includes(next._tag))
      else {
        assert.isAbove(next.era, self.era)
        const between = Breaker.edges[self._tag]
        const isLegal = between.includes(next._tag) || between.some((tag) => Breaker.edges[tag].includes(next._tag))
        assert.isTrue(isLegal, `${self._tag} to ${next._tag}`)
      }
      self = next
    }
    for (const { after, draw, kind, pick } of events) {
      now += after
      move(Breaker.at(self, defaults, now))
      if (kind <= 4) {
        const [next, answer] = Breaker.ask(self, defaults, now)
        if (answer._tag === "Go") under.push(answer.era)
        else assert.isAbove(answer.until, now)
        if (answer._tag === "Go") assert.notInclude(["Open", "Isolated"], next._tag)
        move(next)
      } else if (kind <= 6) {
        const era = under.splice(pick % Math.max(1, under.length), 1)[0]
        if (era !== undefined) move(Breaker.ended(self, defaults, { era, isDown: kind === 5, now, draw: draw / 100 }))
      } else if (kind === 7) move(Breaker.opened(self, defaults, { now, draw: draw / 100, why: "by hand" }), ["Open"])
      else if (kind === 8) move(Breaker.shut(self, now), ["Closed"])
      else move(Breaker.isolated(self, now, undefined), ["Isolated"])
    }
  })

  it.prop("lets one probe go, however many ask", [Events], ([events]) => {
    let self: Breaker.Breaker = open
    let [now, gone] = [5000, 0]
    for (const { kind } of events) {
      const [next, answer] = Breaker.ask(self, defaults, now)
      self = next
      now += kind
      if (answer._tag === "Go") gone++
      // a call from before says nothing of the probe
      self = Breaker.ended(self, defaults, { era: 0, isDown: kind % 2 === 0, now, draw: 0 })
    }
    assert.strictEqual(gone, events.length === 0 ? 0 : 1)
  })

  it.prop("grows its cool-down up to a bound, a quarter of it drawn", [upTo(12), upTo(100)], ([times, draw]) => {
    let self: Breaker.Breaker = Breaker.closed
    for (let time = 0; time <= times; time++)
      self = Breaker.opened(self, defaults, { now: 1000, draw: draw / 100, why: "" })
    const length = Math.min(defaults.longest, defaults.coolDown * 2 ** times)
    const until = self._tag === "Open" ? self.until - 1000 : 0
    assert.isAtMost(until, length)
    assert.isAtLeast(until, length * 0.75)
  })

  it("opens on a rate of failures, over a minimum of calls, within its window", () => {
    assert.strictEqual(failing(Breaker.closed, 19, 0)._tag, "Closed")
    assert.deepInclude(open, { _tag: "Open", since: 0, until: 5000, times: 1, why: "20 of 20 calls failed" })
    const good = failing(Breaker.closed, 21, 0, false)
    assert.strictEqual(failing(good, 20, 1)._tag, "Closed")
    assert.strictEqual(failing(good, 21, 1)._tag, "Open")
    // what is older than the window is forgotten
    assert.strictEqual(failing(failing(Breaker.closed, 19, 0), 19, 30_000)._tag, "Closed")
    assert.strictEqual(failing(failing(Breaker.closed, 10, 0), 10, 16_000)._tag, "Open")
  })

  it("opens again for twice as long when the probe fails, and gives a probe back that was not made", () => {
    const again = Breaker.ended(probed(5000), defaults, { era: 2, isDown: true, now: 6000, draw: 0 })
    assert.deepInclude(again, { _tag: "Open", until: 16_000, times: 2 })
    const back = Breaker.givenBack(probed(5000), 2)
    assert.strictEqual(Breaker.ask(back, defaults, 5001)[1]._tag, "Go")
    const other = Breaker.givenBack(probed(5000), 1)
    assert.strictEqual(Breaker.ask(other, defaults, 5001)[1]._tag, "Wait")
  })

  it("lets a share go that grows in steps, and then all", () => {
    assert.strictEqual(ramping._tag, "Ramping")
    const gone = [0, 5000, 10_000, 15_000].map((after) => {
      let [self, count] = [Breaker.at(ramping, defaults, 6000 + after), 0]
      for (let call = 0; call < 100; call++) {
        const [next, answer] = Breaker.ask(self, defaults, 6000 + after)
        self = next
        if (answer._tag === "Go") count++
      }
      return [Breaker.share(ramping, defaults, 6000 + after), count]
    })
    assert.deepStrictEqual(gone, [
      [0.1, 10],
      [0.25, 25],
      [0.5, 50],
      [1, 100]
    ])
  })

  it("opens again on a few failures while it recovers, and begins with its first cool-down once it was closed", () => {
    assert.strictEqual(failing(ramping, 4, 6001)._tag, "Ramping")
    assert.deepInclude(failing(ramping, 5, 6001), { _tag: "Open", times: 2 })
    assert.deepInclude(failing(Breaker.at(ramping, defaults, 30_000), 20, 30_000), { _tag: "Open", times: 1 })
  })

  it("stays isolated until it is closed by hand", () => {
    const self = Breaker.isolated(open, 0, "maintenance")
    const [, answer] = Breaker.ask(self, defaults, 1e12)
    assert.deepStrictEqual(answer, { _tag: "Wait", until: Number.POSITIVE_INFINITY })
    assert.strictEqual(Breaker.ask(Breaker.shut(self, 0), defaults, 0)[1]._tag, "Go")
  })

  it.each<[string, Ended, string]>([
    ["a 500", answered(500), "down"],
    ["a 503 that asks to wait", answered(503), "down"],
    ["a 404", answered(404), "there"],
    ["a 429", answered(429), "there"],
    ["a 503 that is known to mean too many", { ...answered(503), says: "too_many" }, "there"],
    ["no connection", failed(new Failure.ConnectionFailed({ kind: "refused", detail: "" })), "down"],
    ["no memory here", failed(new Failure.ConnectionFailed({ kind: "shortage", detail: "" })), "nothing"],
    ["no answer in time", failed(new Failure.AttemptTimedOut({ afterMillis: 1 })), "down"],
    ["an answer that is too large", failed(new Failure.HeadersTooLarge()), "there"],
    ["a call that cannot be sent", failed(new Failure.Unsendable({ problem: "" })), "nothing"]
  ])("takes %s for what it is", (_, ended, said) => assert.strictEqual(Breaker.saidBy(ended), said))
})

function answered(status: number) {
  return { _tag: "Answered", status, retryAfter: undefined } as const
}

function failed(failure: Failure.Failure): Ended {
  return { _tag: "Failed", failure }
}
