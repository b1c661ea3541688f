/** What a job store remembers for L8, as tests over any layer that provides one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import { type StoredTrust } from "../../src/dam/store/TrustRecords.ts"
import { type StoreError } from "../../src/dam/store/StoreError.ts"

type Store = JobStore["Service"]

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: Store) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))

  describe(`JobStore (${name}): L8`, () => {
    promises("takes a nonce once, until it is old enough to be forgotten", (jobs) =>
      Effect.gen(function* () {
        const take = (nonce: string, now: number) => jobs.takeL8Nonce(nonce, now, 100, 10)
        assert.strictEqual(yield* take("a", 1000), "Taken")
        assert.strictEqual(yield* take("a", 1000), "Seen")
        assert.strictEqual(yield* take("b", 1050), "Taken")
        assert.strictEqual(yield* take("a", 1100), "Seen")
        assert.strictEqual(yield* take("a", 1101), "Taken")
        assert.strictEqual(yield* take("b", 1101), "Seen")
      })
    )

    promises("takes no more nonces than it is told to keep", (jobs) =>
      Effect.gen(function* () {
        const take = (nonce: string, now: number) => jobs.takeL8Nonce(nonce, now, 100, 2)
        assert.strictEqual(yield* take("a", 0), "Taken")
        assert.strictEqual(yield* take("b", 50), "Taken")
        assert.strictEqual(yield* take("c", 100), "Full")
        assert.strictEqual(yield* take("b", 100), "Seen")
        assert.strictEqual(yield* take("c", 101), "Taken")
      })
    )

    promises("keeps what is known of an origin until it is forgotten", (jobs) =>
      Effect.gen(function* () {
        const b: StoredTrust = {
          origin: "https://b.example",
          publicKey: "one",
          provedAt: 5,
          changedKey: undefined,
          revokedAt: undefined
        }
        const a: StoredTrust = {
          origin: "https://a.example",
          publicKey: undefined,
          provedAt: undefined,
          changedKey: "two",
          revokedAt: 7
        }
        assert.isUndefined(yield* jobs.l8Trust(b.origin))
        yield* jobs.saveL8Trust(b)
        yield* jobs.saveL8Trust(a)
        assert.deepStrictEqual(yield* jobs.l8Trust(b.origin), b)
        assert.deepStrictEqual(yield* jobs.l8Trusts(10), [a, b])
        assert.deepStrictEqual(yield* jobs.l8Trusts(1), [a])
        yield* jobs.saveL8Trust({ ...b, provedAt: 9 })
        assert.strictEqual((yield* jobs.l8Trust(b.origin))?.provedAt, 9)
        assert.isTrue(yield* jobs.forgetL8Trust(b.origin))
        assert.isFalse(yield* jobs.forgetL8Trust(b.origin))
        assert.deepStrictEqual(yield* jobs.l8Trusts(10), [a])
      })
    )
  })
}
