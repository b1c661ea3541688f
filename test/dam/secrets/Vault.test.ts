import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Signing from "../../../src/dam/deliver/Signing.ts"
import * as SqliteEngine from "../../../src/dam/sqlite/Groups.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as KnownSecrets from "../../../src/dam/secrets/KnownSecrets.ts"
import * as Secrets from "../../../src/dam/secrets/Secrets.ts"
import * as SecretRoutes from "../../../src/dam/http/routes/SecretRoutes.ts"
import * as Limits from "../../../src/dam/intake/Limits.ts"
import * as Vault from "../../../src/dam/secrets/Vault.ts"
import { revealed, secretsOf } from "../../conformance/jobStore/Fixtures.ts"

const base64 = Redacted.make(Buffer.alloc(32, 1).toString("base64"))
const hex = Redacted.make(Buffer.alloc(32, 1).toString("hex"))
const wrong = Redacted.make(Buffer.alloc(32, 2).toString("base64"))
const texts = { primary: "canary-primary-0123456789", secondary: "canary-secondary-0123456789" }
const canary = secretsOf(texts.primary, texts.secondary)

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "vault-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const open = (path: string, key: Redacted.Redacted | undefined) =>
  Effect.flatMap(SqliteJobStore.make({ path, executor: "sameThread" }), (store) => Vault.make(store, key))

/** Everything the folder holds, log included. */
const bytesIn = (path: string) =>
  readdirSync(path)
    .map((name) => readFileSync(join(path, name), "latin1"))
    .join("")

const inFolder = (sentence: string, test: (folder: string, db: string) => Effect.Effect<void, unknown, Scope.Scope>) =>
  it.effect(sentence, () => Effect.flatMap(folder, (path) => test(path, join(path, "jobs.db"))))

describe("a vault", () => {
  for (const key of [undefined, base64]) {
    inFolder(
      `loses none of two secrets that are rotated to at once (${key === undefined ? "plain" : "sealed"})`,
      (_, db) =>
        Effect.gen(function* () {
          const opened = yield* SqliteJobStore.make({ path: db })
          const store = KnownSecrets.make(yield* Vault.make(opened, key))
          const service = Secrets.make(store, "acme")
          const http = SecretRoutes.make(store, Limits.make({}))
          const next = (n: number) => `the secret number ${n} of many`
          yield* service.create(Redacted.make(next(0)), undefined)
          const body = (n: number) => Buffer.from(JSON.stringify({ primary_secret: next(n), rotate: true }))
          // every one sees what another has made: each was the first one for a moment, and then the second
          for (let n = 1; n < 20; n += 2) {
            const before = revealed(yield* store.secrets("acme"))?.primary
            yield* Effect.all([service.rotate(Redacted.make(next(n)), undefined), http.set("acme", body(n + 1))], {
              concurrency: 2
            })
            const after = revealed(yield* store.secrets("acme"))
            assert.notStrictEqual(after?.secondary, before)
            assert.sameMembers([after?.primary, after?.secondary], [next(n), next(n + 1)])
          }
        })
    )
  }

  inFolder("keeps secrets that only the key opens, also after a restart", (path, db) =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* open(db, base64)
          yield* store.setSecrets("acme", canary)
          assert.deepStrictEqual(revealed(yield* store.secrets("acme")), texts)
          assert.notInclude(bytesIn(path), "canary")
        })
      )
      assert.notInclude(bytesIn(path), "canary")
      const again = yield* open(db, hex)
      assert.deepStrictEqual(revealed(yield* again.secrets("acme")), texts)
      const [first, ...others] = yield* again.everySecret
      assert.deepStrictEqual({ customer: first?.customer, ...revealed(first) }, { customer: "acme", ...texts })
      assert.deepStrictEqual(others, [])
      assert.isUndefined(yield* again.secrets("nobody"))
    })
  )

  inFolder("seals at the first start with a key what was plain, and leaves no trace of it on disk", (path, db) =>
    Effect.gen(function* () {
      const key = yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* open(db, undefined)
          for (let n = 0; n < 50; n++) yield* store.setSecrets(`customer ${n}`, canary)
          return (yield* Signing.make(store)).publicKey
        })
      )
      assert.include(bytesIn(path), "canary")
      assert.include(bytesIn(path), "whsk_")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* open(db, base64)
          assert.deepStrictEqual(revealed(yield* store.secrets("customer 7")), texts)
          assert.strictEqual((yield* Signing.make(store)).publicKey, key)
          assert.notInclude(bytesIn(path), "canary")
          assert.notInclude(bytesIn(path), "whsk_")
        })
      )
      assert.notInclude(bytesIn(path), "canary")
    })
  )

  inFolder("clears up at the next start what a crash after sealing has left in the log", (path, db) =>
    Effect.gen(function* () {
      const crashed = join(path, "crashed")
      mkdirSync(crashed)
      const engine = Result.getOrThrow(SqliteEngine.make({ path: db, busyTimeout: 0, maxBytes: undefined }))
      engine.run([["setSecrets", "acme", texts.primary, texts.secondary]])
      const plain = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
      yield* plain.setSecrets("acme", canary)
      const sealing: typeof plain.putSecrets = (secrets, settings) =>
        Effect.sync(() => {
          const rows = secrets.map(
            ({ customer, primary, secondary }) =>
              [customer, Redacted.value(primary), secondary === undefined ? null : Redacted.value(secondary)] as const
          )
          engine.run([["putSecrets", rows, settings]])
        })
      yield* Vault.make({ ...plain, putSecrets: sealing }, base64)
      for (const name of ["jobs.db", "jobs.db-wal"]) copyFileSync(join(path, name), join(crashed, name))
      engine.close()
      assert.include(bytesIn(crashed), "canary")
      const again = yield* open(join(crashed, "jobs.db"), base64)
      assert.deepStrictEqual(revealed(yield* again.secrets("acme")), texts)
      assert.notInclude(bytesIn(crashed), "canary")
    })
  )

  inFolder("does not open with another key, nor without one, and says what to do", (_, db) =>
    Effect.gen(function* () {
      yield* Effect.scoped(Effect.asVoid(open(db, base64)))
      const refusal = (key: Redacted.Redacted | undefined) =>
        Effect.map(Effect.flip(Effect.scoped(open(db, key))), ({ message }) => message)
      assert.include(yield* refusal(wrong), "sealed with another master key")
      assert.include(yield* refusal(undefined), "give it its master key")
      assert.include(yield* refusal(Redacted.make("short")), "openssl rand -base64 32")
      assert.notInclude(yield* refusal(wrong), Redacted.value(wrong))
    })
  )

  inFolder("does not take the sealed secret of one customer for another's", (_, db) =>
    Effect.gen(function* () {
      const plain = yield* SqliteJobStore.make({ path: db, executor: "sameThread" })
      const store = yield* Vault.make(plain, base64)
      yield* store.setSecrets("acme", canary)
      yield* plain.setSecrets("zeta", yield* plain.secrets("acme"))
      const error = yield* Effect.flip(store.secrets("zeta"))
      assert.include(error.message, "was changed")
    })
  )
})
