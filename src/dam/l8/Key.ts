/**
 * The key a dam speaks L8 with: given, or made at the first start and kept in a file beside the database.
 *
 * @since 0.1.0
 */
import type { Signature } from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs"
import * as Ed25519 from "../../wire/Ed25519.ts"
import * as L8 from "../../wire/L8.ts"
import { StorageFailed } from "../store/StoreError.ts"

/**
 * Finds the key.
 *
 * **Details** — the file is `{database}.l8-key`, for its owner alone; one that others may read is refused. A database in
 * memory has a key that lasts as long.
 *
 * @category constructors
 * @since 0.1.0
 */
export const find = (
  database: string,
  given: Redacted.Redacted | undefined
): Effect.Effect<Ed25519.SigningKey, StorageFailed, Signature> => {
  if (given !== undefined) return read("the L8 key that was given", given)
  if (database === ":memory:") return Effect.flatMap(fresh, (text) => read("its L8 key", text))
  const path = `${database}.l8-key`
  return Effect.gen(function* () {
    const kept = yield* load(path)
    const text = kept ?? (yield* fresh)
    if (kept === undefined) yield* keep(path, text)
    return yield* read(`its L8 key in ${path}`, text)
  })
}

const read = (whose: string, text: Redacted.Redacted) =>
  Effect.mapError(L8.signingKey(text), ({ problem }) => new StorageFailed({ detail: `${whose} ${problem}` }))

/** A seed and its public key, as `L8_PRIVATE_KEY` has them. */
const fresh = Effect.gen(function* () {
  const seed = new Uint8Array(randomBytes(32))
  const { publicKey } = yield* Effect.mapError(
    Ed25519.signingKey(seed),
    (problem) => new StorageFailed({ detail: `its L8 key ${problem}` })
  )
  return Redacted.make(Buffer.concat([seed, publicKey]).toString("base64"))
})

const load = (path: string): Effect.Effect<Redacted.Redacted | undefined, StorageFailed> =>
  Effect.flatMap(
    withFile(path, () => {
      const found = statSync(path, { throwIfNoEntry: false })
      return found && { isShared: (found.mode & 0o077) !== 0, text: readFileSync(path, "utf8").trim() }
    }),
    (found) =>
      found?.isShared === true
        ? Effect.fail(
            new StorageFailed({ detail: `its L8 key in ${path} can be read by others; chmod 600 it, or make another` })
          )
        : Effect.succeed(found && Redacted.make(found.text))
  )

/** Under another name at first, so that a crash leaves no half of a key. */
const keep = (path: string, text: Redacted.Redacted): Effect.Effect<void, StorageFailed> =>
  withFile(path, () => {
    const draft = `${path}.new`
    rmSync(draft, { force: true })
    const file = openSync(draft, "wx", 0o600)
    writeSync(file, `${Redacted.value(text)}\n`)
    fsyncSync(file)
    closeSync(file)
    renameSync(draft, path)
  })

const withFile = <A>(path: string, use: () => A): Effect.Effect<A, StorageFailed> =>
  Effect.try({
    try: use,
    catch: (error) => {
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error)
      return new StorageFailed({ detail: `its L8 key in ${path} cannot be read or written (${code})` })
    }
  })
