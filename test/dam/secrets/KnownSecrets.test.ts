import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import type { StoredSecrets } from "../../../src/dam/store/SecretRecords.ts"
import { StorageFull } from "../../../src/dam/store/StoreError.ts"
import * as KnownSecrets from "../../../src/dam/secrets/KnownSecrets.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"

const secrets = (text: string): StoredSecrets => ({ primary: Redacted.make(text), secondary: undefined })
const revealed = (found: StoredSecrets | undefined) => found && Redacted.value(found.primary)

/** A store that counts how often it is asked for secrets, and may keep whoever asks or writes waiting. */
const setUp = Effect.fnUntraced(function* () {
  const file = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  let reads = 0
  let before: Effect.Effect<void, StorageFull> = Effect.void
  const gate = <A, E>(ask: Effect.Effect<A, E>) => Effect.suspend(() => Effect.andThen(before, ask))
  const store = KnownSecrets.make({
    ...file,
    secrets: (customer) =>
      Effect.suspend(() => {
        reads++
        return Effect.tap(file.secrets(customer), () => Effect.orDie(before))
      }),
    setSecrets: (customer, given) => gate(file.setSecrets(customer, given))
  })
  return { store, reads: () => reads, wait: (until: typeof before) => void (before = until) }
})

describe("KnownSecrets", () => {
  it.effect("reads the secrets of a customer once, and that there are none too", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { reads, store } = yield* setUp()
        yield* store.setSecrets("acme", secrets("first"))
        for (let n = 0; n < 3; n++) assert.strictEqual(revealed(yield* store.secrets("acme")), "first")
        for (let n = 0; n < 3; n++) assert.isUndefined(yield* store.secrets("other"))
        assert.strictEqual(reads(), 2)
      })
    )
  )

  it.effect("reads them anew once they were set, deleted or sealed", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { store } = yield* setUp()
        assert.isUndefined(yield* store.secrets("acme"))
        yield* store.setSecrets("acme", secrets("first"))
        assert.strictEqual(revealed(yield* store.secrets("acme")), "first")
        yield* store.putSecrets([{ customer: "acme", ...secrets("second") }], [])
        assert.strictEqual(revealed(yield* store.secrets("acme")), "second")
        yield* store.setSecrets("acme", undefined)
        assert.isUndefined(yield* store.secrets("acme"))
      })
    )
  )

  it.effect("does not remember what was read while somebody wrote", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { store, wait } = yield* setUp()
        yield* store.setSecrets("acme", secrets("first"))
        const open = yield* Deferred.make<void>()
        wait(Deferred.await(open))
        // has read the old ones and is slow to answer
        const reader = yield* Effect.forkChild(store.secrets("acme"), { startImmediately: true })
        wait(Effect.void)
        yield* store.setSecrets("acme", secrets("second"))
        yield* Deferred.succeed(open, undefined)
        assert.strictEqual(revealed(yield* Fiber.join(reader)), "first")
        assert.strictEqual(revealed(yield* store.secrets("acme")), "second")
      })
    )
  )

  it.effect("reads them anew after a write that failed, since nobody knows how far it came", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { reads, store, wait } = yield* setUp()
        yield* store.secrets("acme")
        wait(Effect.fail(new StorageFull()))
        assert.strictEqual((yield* Effect.flip(store.setSecrets("acme", secrets("x"))))._tag, "StorageFull")
        wait(Effect.void)
        yield* store.secrets("acme")
        assert.strictEqual(reads(), 2)
      })
    )
  )
})
