import { assert, describe, it } from "@effect/vitest"
import * as LimitBook from "../../../src/dam/lane/LimitBook.ts"
import { claimOf, costing, define, excess, play } from "./LimitSchedule.ts"

const draw = (name: string, cost = 1, key = "") => ({ name, key, cost })

/** Everybody who can pass does, each millisecond, until a moment; answers how often each customer did. */
const run = (book: LimitBook.LimitBook, drawings: ReadonlyArray<LimitBook.Drawing>, until: number) => {
  const passed = new Map<LimitBook.Drawing, number>(drawings.map((drawing) => [drawing, 0]))
  for (let now = 0; now <= until; now++) {
    for (const drawing of drawings) {
      if (LimitBook.look(book, drawing, now) > now) continue
      LimitBook.leave(book, LimitBook.take(book, drawing, now), true, now)
      passed.set(drawing, (passed.get(drawing) ?? 0) + 1)
    }
  }
  return drawings.map((drawing) => passed.get(drawing) ?? 0)
}

const bookOf = (limits: Readonly<Record<string, Parameters<typeof define>[2]>>) => {
  const book = LimitBook.make()
  for (const [name, limit] of Object.entries(limits)) define(book, name, limit, 0)
  return book
}

describe("limits, whatever is paused, changed or restarted", () => {
  it("admit over any window what comes in and the burst, and have paid back what calls cost beyond that", () => {
    let admitted = 0
    for (let seed = 1; seed <= 1000; seed++) {
      for (const [name, account] of play(seed, 200)) {
        assert.deepStrictEqual([...account.faults, ...excess(account)], [], `${name} of schedule ${seed}`)
        admitted += account.entries.filter(({ isAdmission }) => isAdmission).length
      }
    }
    // it would be easy to admit nobody
    assert.isAbove(admitted, 10_000)
  })
})

describe("calls that wait for limits", () => {
  it("share one by the weights of their customers, whatever their calls cost", () => {
    const book = bookOf({ tokens: { rate: 1000, burst: 100, weights: { a: 3 } } })
    const [a = 0, b = 0, c = 0] = run(
      book,
      [
        { draws: [draw("tokens", 10)], claim: claimOf("a") },
        { draws: [draw("tokens", 10)], claim: claimOf("b") },
        { draws: [draw("tokens", 50)], claim: claimOf("c") }
      ],
      10_000
    )
    // 10,100 units: three parts, one, one
    assert.closeTo(a * 10, 6060, 120)
    assert.closeTo(b * 10, 2020, 120)
    assert.closeTo(c * 50, 2020, 120)
  })

  it("give nobody credit for a time in which it did not want any", () => {
    const book = bookOf({ tokens: { rate: 100, burst: 1 } })
    const busy = { draws: [draw("tokens")], claim: claimOf("a") }
    run(book, [busy], 5000)
    const [a = 0, b = 0] = run(book, [busy, { draws: [draw("tokens")], claim: claimOf("b") }], 1000)
    assert.closeTo(a, b, 2)
  })

  it("lose nothing to somebody who cannot come", () => {
    const book = bookOf({ tokens: { rate: 100, burst: 1 } })
    const held: LimitBook.Drawing = { draws: [draw("tokens")], claim: claimOf("a", () => false) }
    const free: LimitBook.Drawing = { draws: [draw("tokens")], claim: claimOf("b") }
    run(book, [free], 100)
    LimitBook.look(book, held, 101)
    assert.deepStrictEqual(run(book, [free], 1000)[0], 90)
  })

  it("keep nobody waiting who draws on something else", () => {
    const book = bookOf({ slow: { rate: 1, burst: 1 }, quick: { rate: 100, burst: 1 } })
    const [both = 0, one = 0] = run(
      book,
      [
        { draws: [draw("slow"), draw("quick")], claim: claimOf("a") },
        { draws: [draw("quick")], claim: claimOf("a") }
      ],
      10_000
    )
    assert.isAtLeast(both, 10)
    assert.isAtLeast(one + both, 1000)
  })

  it("are not passed by for ever by calls that need less", () => {
    const book = bookOf({ left: { rate: 10, burst: 10 }, right: { rate: 10, burst: 10 } })
    const [both = 0, left = 0, right = 0] = run(
      book,
      [
        { draws: [draw("left", 10), draw("right", 10)], claim: claimOf("a") },
        { draws: [draw("left")], claim: claimOf("b") },
        { draws: [draw("right")], claim: claimOf("c") }
      ],
      120_000
    )
    assert.isAtLeast(both, 10)
    assert.isAtLeast(left, 300)
    assert.isAtLeast(right, 300)
  })

  it("have a key each for themselves", () => {
    const book = bookOf({ tenant: { rate: 10, burst: 1 } })
    const passed = run(
      book,
      ["a", "b"].map((key) => ({ draws: [draw("tenant", 1, key)], claim: claimOf("a") })),
      1000
    )
    assert.deepStrictEqual(passed, [11, 11])
  })

  it("wait for a limit that nobody defines, and are woken when somebody does", () => {
    const book = LimitBook.make()
    let woken = 0
    const claim = { ...claimOf("a"), wake: () => void woken++ }
    const drawing = { draws: [draw("later")], claim }
    assert.isAbove(LimitBook.look(book, drawing, 0), 0)
    define(book, "later", { rate: 1 }, 10)
    assert.strictEqual(woken, 1)
    assert.strictEqual(LimitBook.look(book, drawing, 10), 10)
  })

  it("wait, dearer than the burst, until the rate has brought that in", () => {
    const book = bookOf({ tokens: { rate: 10, burst: 100 } })
    define(book, "tokens", { rate: 10, burst: 10 }, 0)
    const drawing = { draws: [draw("tokens", 30)], claim: claimOf("a") }
    assert.closeTo(LimitBook.look(book, drawing, 0), 2000, 0.001)
    assert.strictEqual(LimitBook.look(book, drawing, 2000), 2000)
  })
})

describe("the cost of a call", () => {
  it("is corrected by its answer, into debt that is paid back before the next", () => {
    const book = bookOf({ tokens: { rate: 10, burst: 10, settle: { header: "x-cost" } } })
    const drawing = { draws: [draw("tokens", 5)], claim: claimOf("a") }
    const taken = LimitBook.take(book, drawing, 0)
    LimitBook.settle(book, taken, costing(30), 0)
    LimitBook.leave(book, taken, true, 0)
    // 10 - 30 are owed, and 5 are needed
    assert.closeTo(LimitBook.look(book, drawing, 0), 2500, 0.001)
  })

  it("is given back where it was never sent, and lets whoever is next through", () => {
    const book = bookOf({ tokens: { rate: 1, burst: 5 } })
    let woken = 0
    const taken = LimitBook.take(book, { draws: [draw("tokens", 5)], claim: claimOf("a") }, 0)
    const waiting = { draws: [draw("tokens", 5)], claim: { ...claimOf("b"), wake: () => void woken++ } }
    LimitBook.look(book, waiting, 0)
    LimitBook.leave(book, taken, false, 0)
    assert.isAtLeast(woken, 1)
    assert.strictEqual(LimitBook.look(book, waiting, 0), 0)
  })

  it("is told to whoever keeps what is owed", () => {
    const owing: Array<string> = []
    const book = LimitBook.make({ owes: ({ key, name }) => owing.push(`${name} ${key}`) })
    define(book, "tokens", { rate: 1, burst: 5, settle: { header: "x-cost" } }, 0)
    const taken = LimitBook.take(book, { draws: [draw("tokens", 1, "k")], claim: claimOf("a") }, 0)
    LimitBook.settle(book, taken, costing(3), 0)
    assert.deepStrictEqual(owing, [])
    LimitBook.settle(book, taken, costing(9), 0)
    assert.deepStrictEqual(owing, ["tokens k"])
  })
})

describe("what is as new", () => {
  it("is forgotten, and nothing else", () => {
    const book = bookOf({ tokens: { rate: 1, burst: 5 } })
    for (const key of ["open", "spent", "rested"]) {
      const taken = LimitBook.take(book, { draws: [draw("tokens", 1, key)], claim: claimOf("a") }, 0)
      if (key !== "open") LimitBook.leave(book, taken, key === "spent", 0)
    }
    LimitBook.tidy(book, 500)
    assert.deepStrictEqual(Array.from(book.shares.get("tokens")?.keys() ?? []), ["open", "spent"])
    LimitBook.tidy(book, 5000)
    assert.deepStrictEqual(Array.from(book.shares.get("tokens")?.keys() ?? []), ["open"])
  })
})
