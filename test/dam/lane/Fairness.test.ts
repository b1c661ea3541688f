import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Accounts from "../../../src/dam/lane/Accounts.ts"
import * as Gate from "../../../src/engine/pace/Gate.ts"
import * as Meter from "../../../src/engine/pace/Meter.ts"
import { accountOf, customerIn } from "../../../src/dam/job/LaneName.ts"
import * as Step from "../../../src/step/Step.ts"
import { setUp, url, fixed } from "../support.ts"

const call = (n: number, key: string) =>
  Step.get(url + n).pipe(Step.headers({ Authorization: key }), Step.idempotentKey(`${key} ${n}`))

const submitted = (customer: string, key: string) => ({
  customer,
  keyScope: customer,
  account: accountOf(customer, { Authorization: key })
})

describe("turns among customers", () => {
  it.effect("are the same for one with 250 keys and one with a single key", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 20, maxConcurrent: 10 } } })
      for (let n = 0; n < 250; n++) yield* dam.submit(call(n, `key ${n}`), submitted("many", `key ${n}`))
      yield* TestClock.adjust("1 second")
      const from = yield* Clock.currentTimeMillis
      const ids = []
      for (let n = 0; n < 3; n++) ids.push(yield* dam.submit(call(n, "only"), submitted("one", "only")))
      yield* TestClock.adjust("1 second")
      const started = yield* Effect.forEach(ids, (id) => Effect.map(dam.get(id), ({ startedAt }) => startedAt))
      // every other turn is its own
      assert.isAtMost(Number(started[0]) - from, 110)
      assert.isAtMost(Number(started[2]) - from, 310)
    })
  )

  it.effect("are foretold to the millisecond", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 4, maxConcurrent: 10 } } })
      for (let n = 0; n < 30; n++) {
        yield* dam.submit(call(n, `key ${n % 10}`), submitted("many", `key ${n % 10}`))
        yield* dam.submit(call(n, `own ${n % 2}`), submitted("few", `own ${n % 2}`))
      }
      yield* TestClock.adjust("1 second")
      const id = yield* dam.submit(call(99, "own 0"), submitted("few", "own 0"))
      yield* TestClock.adjust(10)
      const { estimatedStart = Number.NaN } = yield* Effect.flatMap(dam.get(id), dam.engine.explain)
      yield* TestClock.adjust("1 minute")
      assert.isAtMost(Math.abs(Number((yield* dam.get(id)).startedAt) - estimatedStart), 1)
    })
  )

  it.effect("are longer for a customer of more weight", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 4, maxConcurrent: 10 }, weights: { many: 3 } } })
      const ids: Array<string> = []
      for (let n = 0; n < 20; n++) {
        ids.push(yield* dam.submit(call(n, "many"), submitted("many", "many")))
        ids.push(yield* dam.submit(call(n, "few"), submitted("few", "few")))
      }
      yield* TestClock.adjust("5 seconds")
      const started = (yield* Effect.forEach(ids, dam.get)).filter((job) => job.startedAt !== undefined)
      const of = (customer: string) => started.filter((job) => job.customer === customer).length
      assert.approximately(of("many") / of("few"), 3, 0.6)
    })
  )

  it("go to every account before any of them has a second one, whoever makes use of them", () => {
    const accounts = Accounts.make(() => Meter.make(fixed(Gate.defaultPace)))
    const names = ["aaaaaaaa1", "aaaaaaaa2", "aaaaaaaa3", "bbbbbbbb1", "cccccccc1", "cccccccc2"]
    for (const name of names) accounts.get(name)
    // one that uses nothing passes it on inside the customer, so that as many passes as there are accounts see all
    const seen = names.map(() => {
      const { name = "" } = accounts.first() ?? {}
      accounts.pass()
      return name
    })
    assert.sameMembers(seen, names)
    accounts.rotate()
    assert.strictEqual(customerIn(accounts.first()?.name ?? ""), "bbbbbbbb")
    const last = accounts.first()
    if (last !== undefined) accounts.drop(last)
    assert.strictEqual(accounts.first()?.name, "cccccccc1")
    assert.strictEqual(accounts.size(), 5)
    assert.lengthOf(accounts.all(), 5)
  })

  it("know a customer whatever its user or key is", () => {
    const one = accountOf("acme", { authorization: "a" })
    assert.strictEqual(customerIn(one), customerIn(accountOf("acme\nuser 7", { authorization: "b" })))
    assert.notStrictEqual(one, accountOf("acme", { authorization: "b" }))
    assert.notStrictEqual(customerIn(one), customerIn(accountOf("acme2", { authorization: "a" })))
    assert.match(one, /^[0-9a-f]{32}$/)
  })
})
