import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import * as L8Key from "../../../src/dam/l8/Key.ts"
import * as Ed25519 from "../../../src/wire/Ed25519.ts"
import { publicKeyText } from "../../../src/wire/L8.ts"
import { peer } from "./L8Peer.ts"

const inFolder = (sentence: string, test: (db: string) => Effect.Effect<void, unknown>) =>
  it.effect(sentence, () =>
    Effect.acquireUseRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "l8-"))),
      (folder) => test(join(folder, "dam.db")),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
  )

const find = (db: string, given?: string) =>
  Effect.map(L8Key.find(db, given === undefined ? undefined : Redacted.make(given)), ({ publicKey }) =>
    publicKeyText(publicKey)
  ).pipe(Effect.provide(Ed25519.layer))

inFolder("the first start makes a key for the owner alone, and later ones find it", (db) =>
  Effect.gen(function* () {
    const first = yield* find(db)
    assert.strictEqual(statSync(`${db}.l8-key`).mode & 0o777, 0o600)
    assert.strictEqual(Buffer.from(readFileSync(`${db}.l8-key`, "utf8").trim(), "base64").length, 64)
    assert.strictEqual(yield* find(db), first)
    assert.deepStrictEqual(readdirSync(join(db, "..")), ["dam.db.l8-key"])
  })
)

inFolder("a key that is given comes first, and makes no file", (db) =>
  Effect.gen(function* () {
    const given = peer()
    assert.strictEqual(yield* find(db, given.secret), given.publicKey)
    assert.deepStrictEqual(readdirSync(join(db, "..")), [])
  })
)

inFolder("a key that others may read is refused", (db) =>
  Effect.gen(function* () {
    yield* find(db)
    chmodSync(`${db}.l8-key`, 0o640)
    assert.include((yield* Effect.flip(find(db))).message, "chmod 600")
  })
)

inFolder("what is no key is refused, and never shown", (db) =>
  Effect.gen(function* () {
    const canary = Buffer.alloc(64, "canary").toString("base64")
    const half = Buffer.from("canary").toString("base64")
    for (const text of [canary, half]) {
      writeFileSync(`${db}.l8-key`, text, { mode: 0o600 })
      for (const error of [yield* Effect.flip(find(db)), yield* Effect.flip(find(db, text))]) {
        assert.include(error.message, "L8 key")
        assert.notInclude(inspect(error, { depth: 9 }), text)
      }
    }
  })
)

it.effect("a database in memory has a key of its own each time", () =>
  Effect.gen(function* () {
    assert.notStrictEqual(yield* find(":memory:"), yield* find(":memory:"))
  })
)
