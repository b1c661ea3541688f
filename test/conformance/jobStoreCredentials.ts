/** What a job store promises about credentials, as tests over any layer that provides one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { StoredCredential } from "../../src/dam/store/CredentialRecords.ts"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import type { StoreError } from "../../src/dam/store/StoreError.ts"

type Store = JobStore["Service"]

const credential = (name: string, change: Partial<StoredCredential> = {}): StoredCredential => ({
  customer: "local",
  name,
  hosts: ["https://api.example"],
  secret: Redacted.make(`secret of ${name}`),
  tokens: undefined,
  madeAt: 1,
  rotatedAt: 2,
  ...change
})

const plain = (one: StoredCredential | undefined) => one && { ...one, secret: Redacted.value(one.secret) }

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: Store) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))

  describe(`JobStore (${name}): credentials`, () => {
    promises("are kept as they are, until they are set anew or removed", (jobs) =>
      Effect.gen(function* () {
        assert.isUndefined(yield* jobs.credential("local", "one"))
        yield* jobs.saveCredential(credential("one"))
        assert.deepStrictEqual(plain(yield* jobs.credential("local", "one")), plain(credential("one")))
        const tokens = {
          tokenUrl: "https://id.example/token",
          clientId: "client",
          scope: "read",
          audience: undefined,
          clientAuth: "body"
        } as const
        const next = credential("one", { hosts: ["http://a.example"], tokens, rotatedAt: 9 })
        yield* jobs.saveCredential(next)
        assert.deepStrictEqual(plain(yield* jobs.credential("local", "one")), plain(next))
        assert.isTrue(yield* jobs.removeCredential("local", "one"))
        assert.isFalse(yield* jobs.removeCredential("local", "one"))
        assert.isUndefined(yield* jobs.credential("local", "one"))
      })
    )

    promises("belong to their customer, and are listed by their names", (jobs) =>
      Effect.gen(function* () {
        for (const one of ["b", "a"]) yield* jobs.saveCredential(credential(one))
        yield* jobs.saveCredential(credential("a", { customer: "acme", secret: Redacted.make("another") }))
        assert.deepStrictEqual((yield* jobs.credentials("local")).map(plain), [
          plain(credential("a")),
          plain(credential("b"))
        ])
        assert.isFalse(yield* jobs.removeCredential("acme", "b"))
        assert.strictEqual((yield* jobs.credentials("acme")).length, 1)
      })
    )
  })
}
