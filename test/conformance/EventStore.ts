/** What every store of received webhooks must do. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Claiming, EventStore } from "../../src/receive/EventStore.ts"

export const suite = (name: string, make: Effect.Effect<EventStore, unknown, Scope.Scope>): void => {
  const claiming = (changes: Partial<Claiming> = {}): Claiming => ({
    id: "job_1",
    body: "first",
    token: "a",
    now: 1000,
    claimedUntil: 2000,
    keepUntil: 100_000,
    ...changes
  })
  const test = (sentence: string, body: (store: EventStore) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.scoped(Effect.flatMap(make, body)))

  describe(`an event store (${name})`, () => {
    test("gives an event to one claimer, until it is settled", (store) =>
      Effect.gen(function* () {
        const claims = yield* Effect.all(
          [store.claim(claiming()), store.claim(claiming({ token: "b" })), store.claim(claiming({ id: "job_2" }))],
          { concurrency: 3 }
        )
        assert.deepStrictEqual(claims, ["Claimed", "Busy", "Claimed"])
        yield* store.settle("job_1", "a", true)
        assert.strictEqual(yield* store.claim(claiming({ token: "b", now: 50_000 })), "Handled")
      }))

    test("gives it to the next one after a failure", (store) =>
      Effect.gen(function* () {
        yield* store.claim(claiming())
        yield* store.settle("job_1", "a", false)
        assert.strictEqual(yield* store.claim(claiming({ token: "b" })), "Claimed")
      }))

    test("ends a claim that nobody renews, and hears no more of who had it", (store) =>
      Effect.gen(function* () {
        yield* store.claim(claiming())
        assert.strictEqual(yield* store.claim(claiming({ now: 1900, claimedUntil: 2900 })), "Claimed")
        assert.strictEqual(yield* store.claim(claiming({ token: "b", now: 2899 })), "Busy")
        assert.strictEqual(yield* store.claim(claiming({ token: "b", now: 2900, claimedUntil: 4000 })), "Claimed")
        yield* store.settle("job_1", "a", true)
        assert.strictEqual(yield* store.claim(claiming({ token: "c", now: 3000 })), "Busy")
      }))

    test("does not take back that an event was handled", (store) =>
      Effect.gen(function* () {
        yield* store.claim(claiming())
        yield* store.settle("job_1", "a", true)
        yield* store.settle("job_1", "a", false)
        assert.strictEqual(yield* store.claim(claiming()), "Handled")
      }))

    test("finds what an event said, as it came first", (store) =>
      Effect.gen(function* () {
        assert.isUndefined(yield* store.find("job_1"))
        yield* store.claim(claiming())
        yield* store.claim(claiming({ body: "second" }))
        assert.strictEqual(yield* store.find("job_1"), "first")
      }))

    test("forgets an event after its time, and no sooner", (store) =>
      Effect.gen(function* () {
        yield* store.claim(claiming())
        yield* store.settle("job_1", "a", true)
        assert.strictEqual(yield* store.claim(claiming({ now: 99_999 })), "Handled")
        assert.strictEqual(yield* store.claim(claiming({ now: 100_000, keepUntil: 200_000 })), "Claimed")
      }))

    test("keeps texts under names, until the later of two times", (store) =>
      Effect.gen(function* () {
        assert.isUndefined(yield* store.kept("x"))
        yield* store.keep("x", "text", 5000)
        yield* store.keep("x", "text", 3000)
        yield* store.claim(claiming({ now: 4000 }))
        assert.strictEqual(yield* store.kept("x"), "text")
        yield* store.claim(claiming({ id: "job_2", now: 5000 }))
        assert.isUndefined(yield* store.kept("x"))
      }))
  })
}
