import { assert, describe, it } from "@effect/vitest"
import * as Finder from "../../../src/engine/pace/Finder.ts"
import * as Kept from "../../../src/engine/pace/Kept.ts"
import * as Levels from "../../../src/engine/pace/Levels.ts"
import type { Said, ToldQuota } from "../../../src/engine/pace/Said.ts"
import { seeded, type Chance } from "./sim/Chance.ts"

const ceiling: Finder.Ceiling = { rps: 50, maxConcurrent: 10 }
const ok: Said = { isAccepted: true }
const no: Said = { isAccepted: false }

/** Sends a call as soon as it is let through. */
const sent = (self: Finder.Finder, id: number, now: number): Finder.Finder =>
  Finder.depart(Finder.pass(self, id, now), id, now)

/** Answers a call that is out; nothing where none of that number is. */
const answered = (self: Finder.Finder, id: number, said: Said, now: number): Finder.Finder => {
  const call = self.open.find((one) => one.id === id)
  return call === undefined ? self : Finder.answered(self, call.at, said, now)
}

type Event =
  | { readonly _tag: "Sent"; readonly id: number; readonly now: number }
  | { readonly _tag: "Answered"; readonly id: number; readonly said: Said; readonly now: number }
  | { readonly _tag: "Lost"; readonly id: number; readonly now: number }

const step = (self: Finder.Finder, event: Event): Finder.Finder => {
  switch (event._tag) {
    case "Sent":
      return sent(self, event.id, event.now)
    case "Answered":
      return answered(self, event.id, event.said, event.now)
    case "Lost":
      return Finder.lost(self, event.id, event.now)
  }
}

const oneOf = <A>(chance: Chance, ...values: ReadonlyArray<A>): A => values[Math.floor(chance() * values.length)] as A

const saidBy = (chance: Chance): Said => {
  const isAccepted = chance() < 0.7
  const quota = (name: string): ToldQuota => ({
    name,
    limit: oneOf(chance, undefined, 0, 1, 100, 1e12),
    remaining: oneOf(chance, 0, 0, 1, 7, 99, 1e12),
    reset: oneOf(chance, undefined, {
      by: oneOf(chance, "delta", "dated", "clock"),
      millis: oneOf(chance, -5000, 0, 900, 1000, 60_000, 86_400_000)
    })
  })
  return {
    isAccepted,
    ...(isAccepted || chance() < 0.5 ? {} : { wait: oneOf(chance, 0, 1, 1000, 60_000, 86_400_000) }),
    quotas: chance() < 0.5 ? [] : chance() < 0.5 ? [quota("")] : [quota("a"), quota("b")],
    policies: chance() < 0.9 ? [] : [{ limit: oneOf(chance, 0, 1, 100), window: oneOf(chance, 1, 1000, 3_600_000) }]
  }
}

/** A walk that keeps to what the finder allows, or, where it is wild, to nothing. */
const walk = (
  seed: number,
  isWild: boolean,
  look: (before: Finder.Finder, event: Event, after: Finder.Finder) => void
) => {
  const chance = seeded(seed)
  let self = Finder.make({ ceiling, isKnown: chance() < 0.3 })
  let now = 1000
  let id = 0
  const out: Array<number> = []
  for (let turn = 0; turn < 300; turn++) {
    now += oneOf(chance, 0, 1, 30, 500, 5000, 120_000) * chance()
    const mayGo = Finder.opensAt(self, now) <= now
    const isSending = isWild ? chance() < 0.5 : mayGo
    const call = out.length === 0 ? id + 1000 : out.splice(Math.floor(chance() * out.length), 1)[0]
    const event: Event =
      isSending || call === undefined
        ? { _tag: "Sent", id: id++, now }
        : chance() < 0.1
          ? { _tag: "Lost", id: call, now }
          : { _tag: "Answered", id: call, said: saidBy(chance), now }
    if (event._tag === "Sent") out.push(event.id, ...(call === undefined || call >= 1000 ? [] : [call]))
    const after = step(self, event)
    look(self, event, after)
    self = after
  }
}

const numbersOf = (value: unknown): ReadonlyArray<number> =>
  typeof value === "number"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(numbersOf)
      : []

const walks = Array.from({ length: 60 }, (_, seed) => seed + 1)

describe("laws of a finder", () => {
  it("throws at no order of events, and no number of it is none", () => {
    for (const seed of walks) {
      walk(seed, true, (_, __, after) => {
        assert.isFalse(numbersOf(after).some(Number.isNaN))
        assert.isFalse(Number.isNaN(Finder.opensAt(after, 0)))
        assert.isAbove(after.search.rate, 0)
        assert.isTrue(Number.isFinite(after.search.rate))
      })
    }
  })

  it("exceeds neither the ceiling nor a policy, after any event", () => {
    for (const seed of walks) {
      walk(seed, seed % 2 === 0, (_, __, after) => {
        assert.isAtMost(after.search.rate, Math.min(ceiling.rps, after.policy) + 1e-9)
        assert.isAtMost(Levels.capOf(after.levels), ceiling.maxConcurrent)
      })
    }
  })

  it("lets nobody out while it is held, or while as many are out as may be", () => {
    for (const seed of walks) {
      walk(seed, false, (before, event) => {
        if (event._tag !== "Sent" || Finder.opensAt(before, event.now) > event.now) return
        assert.isAtMost(before.heldUntil, event.now)
        assert.isBelow(before.open.length, Levels.capOf(before.levels))
        if (before.search.episode !== undefined) assert.isFalse(before.open.some(({ at }) => at > before.heldFrom))
      })
    }
  })

  it("waits for no answer while no call is out, and hardly longer than a day, which is the most that it is told", () => {
    for (const seed of walks) {
      walk(seed, false, (_, event, after) => {
        const idle = { ...after, open: [] }
        assert.isAtMost(Finder.opensAt(idle, event.now) - event.now, 1.1 * 86_400_000)
      })
    }
  })

  it("raises neither pace nor calls in flight by a refusal", () => {
    for (const seed of walks) {
      walk(seed, true, (before, event, after) => {
        if (event._tag !== "Answered" || event.said.isAccepted) return
        const told = (event.said.quotas ?? []).length + (event.said.policies ?? []).length
        if (told > 0) return
        assert.isAtMost(after.search.rate, Math.max(before.search.rate, before.search.peak))
        assert.isAtMost(after.levels.cap, before.levels.cap)
      })
    }
  })

  it("never undercuts a wait that was told", () => {
    for (const seed of walks) {
      walk(seed, true, (before, event, after) => {
        if (event._tag !== "Answered" || event.said.wait === undefined) return
        if (!before.open.some(({ id }) => id === event.id)) return
        assert.isAtLeast(Math.max(after.heldUntil, after.dueAt), event.now + event.said.wait)
      })
    }
  })

  it("learns nothing of a call that was lost", () => {
    for (const seed of walks) {
      walk(seed, true, (before, event, after) => {
        if (event._tag !== "Lost" || before.search.episode !== undefined) return
        assert.deepStrictEqual({ ...after, open: [] }, { ...before, open: [] })
      })
    }
  })

  it("takes nothing told from an answer to an earlier call than the last one that told", () => {
    let self = Finder.make({ ceiling })
    for (const id of [1, 2]) self = sent(self, id, id)
    const quota = (remaining: number) => ({
      isAccepted: true,
      quotas: [{ name: "", limit: 10, remaining, reset: { by: "delta", millis: 60_000 } as const }]
    })
    const later = answered(self, 2, quota(3), 100)
    const both = answered(later, 1, quota(9), 110)
    assert.deepStrictEqual(both.quotas, later.quotas)
  })

  it("goes on as before where a policy or a quota is not told any more", () => {
    const told: Said = {
      isAccepted: true,
      quotas: [{ name: "", limit: 9, remaining: 0, reset: { by: "delta", millis: 30_000 } }],
      policies: [{ limit: 6, window: 60_000 }]
    }
    const one = (self: Finder.Finder, id: number, said: Said) => {
      const now = Math.max(id * 100, Finder.opensAt(self, id * 100))
      return { now, next: answered(sent(self, id, now), id, said, now + 10) }
    }
    let { next: self } = one(Finder.make({ ceiling, isKnown: true }), 1, told)
    assert.approximately(self.search.rate, 0.098, 0.001)
    assert.isAtLeast(Finder.opensAt(self, 200), 29_000)
    for (let id = 2, now = 0; now < 100_000; id++) {
      const turn = one(self, id * 200, ok)
      self = turn.next
      now = turn.now
    }
    assert.strictEqual(self.search.rate, ceiling.rps)
    assert.deepStrictEqual(self.quotas, [])
    assert.isAtMost(Finder.opensAt(self, 200_000), 200_000)
  })

  it("does not take one odd answer for the quota of the others", () => {
    const said = (limit: number, remaining: number, millis: number): Said => ({
      isAccepted: true,
      quotas: [{ name: "", limit, remaining, reset: { by: "delta", millis } }]
    })
    const took = (odd: Said) => {
      let self = Finder.make({ ceiling, isKnown: true })
      let now = 0
      let window = 0
      let used = 0
      for (let id = 0; id < 150; id++) {
        now = Math.max(now, Finder.opensAt(self, now))
        if (Math.floor(now / 60_000) !== window) used = 0
        window = Math.floor(now / 60_000)
        used++
        const told = id === 5 ? odd : said(100, Math.max(0, 100 - used), 60_000 - (now % 60_000))
        self = answered(sent(self, id, now), id, told, now + 10)
        now += 10
      }
      return now
    }
    const usual = took(said(100, 94, 57_000))
    assert.isAtMost(took(said(5000, 4000, 3_600_000)), usual + 1000)
    assert.isAtMost(took(said(100, 90, 86_400_000)), usual + 1000)
    // three calls in a quarter of an hour are believed until the next answer
    assert.isAtMost(took(said(50, 3, 900_000)), usual + 300_000)
  })

  it("keeps a told wait where calls in flight are to blame", () => {
    let self = Finder.make({ ceiling, isKnown: true })
    let now = 0
    let id = 0
    // five at once are taken, the others refused
    for (let round = 0; round < 20; round++, now += 2000) {
      const ids = Array.from({ length: 10 }, () => id++)
      for (const [nth, call] of ids.entries()) self = sent(self, call, now + nth / 100)
      for (const [nth, call] of ids.entries()) {
        self = answered(self, call, nth < 5 ? ok : { isAccepted: false, wait: 1000 }, now + 50)
        if (nth >= 5) assert.isAtLeast(Finder.opensAt(self, now + 50), now + 1050)
      }
    }
  })

  it("gives the turn of a call that was never sent to the next one, and asks no sooner where the asking call was lost", () => {
    let self = Finder.make({ ceiling: { rps: 1 / 600, maxConcurrent: 2 }, isKnown: true })
    self = Finder.lost(Finder.pass(self, 1, 0), 1, 10)
    assert.isAtMost(Finder.opensAt(self, 10), 10)
    let asking = Finder.make({ ceiling })
    asking = answered(sent(asking, 1, 0), 1, no, 20)
    const first = Finder.opensAt(asking, 20)
    asking = Finder.lost(sent(asking, 2, first), 2, first + 5)
    assert.isAtLeast(Finder.opensAt(asking, first + 5), first + 5 + 250)
  })

  it("is kept under the ceiling that it was found under, and goes on under another one", () => {
    const fresh = Finder.make({ ceiling })
    const slow = { ...fresh, search: { ...fresh.search, rate: 3, peak: 3, isStarting: false } }
    const kept = Kept.keep(slow)
    if (kept === undefined) return assert.fail("nothing is kept")
    assert.strictEqual(Kept.recall(Finder.make({ ceiling }), kept).search.rate, 3)
    const low: Finder.Ceiling = { rps: 2, maxConcurrent: 1 }
    const lower = Kept.recall(Finder.make({ ceiling: low }), kept)
    assert.strictEqual(lower.search.rate, 2)
    assert.strictEqual(Levels.capOf(lower.levels), 1)
    // what was searched for says nothing of a pace that is set
    assert.strictEqual(Kept.recall(Finder.make({ ceiling, isKnown: true }), kept).search.rate, ceiling.rps)
  })

  it("decides the same at any time of its clock", () => {
    const shift = 1e7
    for (const seed of walks.slice(0, 20)) {
      let shifted: Finder.Finder | undefined
      walk(seed, false, (before, event, after) => {
        shifted = step(shifted ?? before, { ...event, now: event.now + shift })
        const expected = Finder.opensAt(after, event.now)
        const actual = Finder.opensAt(shifted, event.now + shift)
        if (Number.isFinite(expected)) assert.approximately(actual - shift, expected, 0.01)
        else assert.strictEqual(actual, expected)
      })
    }
  })

  it("lengthens the waits of one episode, up to a day", () => {
    let self = Finder.make({ ceiling })
    let now = 0
    let last = 0
    for (let id = 0; id < 40; id++) {
      self = answered(sent(self, id, now), id, no, now + 50)
      const wait = Finder.opensAt(self, now + 50) - (now + 50)
      assert.isAtLeast(wait, last)
      last = wait
      now = Finder.opensAt(self, now + 50)
    }
    assert.strictEqual(last, 86_400_000)
  })

  it("does not hurry where the pace held no call back", () => {
    let self = Finder.make({ ceiling })
    for (let id = 0; id < 500; id++) {
      const now = id * 10_000
      self = answered(sent(self, id, now), id, ok, now + 50)
    }
    assert.isAtMost(self.search.rate, 2.2)
  })
})
