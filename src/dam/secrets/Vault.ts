/**
 * Secrets at rest: a store whose secrets are sealed with a master key before they reach the file.
 *
 * AES-256-GCM with a nonce of its own for each text; what a text is for is authenticated with it, so that no sealed text
 * can stand in another's place. The file knows whether it is sealed, and a dam without the right key does not start.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import type { SecretPort, StoredSecrets } from "../store/SecretRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import { StorageFailed } from "../store/StoreError.ts"

/** The setting that tells a sealed file, and with which key. */
const check = "master_key_check"

/** Settings that hold keys of the dam's own. */
const keys = ["webhook_key", "lane_key", "link_key"] as const

/**
 * Opens the secrets of a store. With a key, plain ones are sealed at the first start; without one, a sealed file is
 * refused.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  store: SecretPort,
  masterKey: Redacted.Redacted | undefined
): Effect.fn.Return<SecretPort, StoreError> {
  const checked = yield* store.setting(check)
  if (masterKey === undefined) {
    return checked === undefined ? store : yield* refuse("its secrets are sealed; give it its master key")
  }
  const key = yield* keyOf(masterKey)
  if (checked === undefined) yield* sealAll(store, key)
  else if (open(key, check, checked) === undefined) yield* refuse("its secrets are sealed with another master key")
  // a crash just after the sealing has left the log as it was
  else yield* store.putSecrets([], [])
  return sealed(store, key)
})

/** Seals texts for a purpose each, and opens what was sealed for the same; `undefined` for anything else. */
export interface Sealer {
  readonly seal: (purpose: string, plain: string) => string
  readonly open: (purpose: string, text: string) => string | undefined
}

/**
 * Makes what seals with a master key.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sealer = (masterKey: Redacted.Redacted): Effect.Effect<Sealer, StorageFailed> =>
  Effect.map(keyOf(masterKey), (key) => ({
    seal: (purpose, plain) => seal(key, purpose, plain),
    open: (purpose, text) => open(key, purpose, text)
  }))

const sealAll = Effect.fnUntraced(function* (store: SecretPort, key: Uint8Array) {
  const secrets = (yield* store.everySecret).map(({ customer, ...plain }) => ({
    customer,
    ...sealSecrets(key, customer, plain)
  }))
  const settings: Array<readonly [string, string]> = [[check, seal(key, check, check)]]
  for (const name of keys) {
    const plain = yield* store.setting(name)
    if (plain !== undefined) settings.push([name, seal(key, name, plain)])
  }
  yield* store.putSecrets(secrets, settings)
})

const sealed = (store: SecretPort, key: Uint8Array): SecretPort => ({
  secrets: (customer) =>
    Effect.flatMap(store.secrets(customer), (found) =>
      found === undefined ? Effect.succeed(undefined) : openSecrets(key, customer, found)
    ),
  setSecrets: (customer, plain) => store.setSecrets(customer, plain && sealSecrets(key, customer, plain)),
  changeSecrets: (customer, change) =>
    store.changeSecrets(customer, (found) =>
      (found === undefined ? Effect.undefined : openSecrets(key, customer, found)).pipe(
        Effect.flatMap(change),
        Effect.map((plain) => sealSecrets(key, customer, plain))
      )
    ),
  everySecret: Effect.flatMap(
    store.everySecret,
    Effect.forEach(({ customer, ...found }) =>
      Effect.map(openSecrets(key, customer, found), (plain) => ({ customer, ...plain }))
    )
  ),
  setting: (name) =>
    Effect.flatMap(store.setting(name), (found) =>
      found === undefined || !isKey(name) ? Effect.succeed(found) : opened(key, name, found)
    ),
  putSecrets: (secrets, settings) =>
    store.putSecrets(
      secrets.map(({ customer, ...plain }) => ({ customer, ...sealSecrets(key, customer, plain) })),
      settings.map(([name, value]) => [name, isKey(name) ? seal(key, name, value) : value])
    )
})

const isKey = (name: string): boolean => keys.some((known) => known === name)

const sealSecrets = (key: Uint8Array, customer: string, { primary, secondary }: StoredSecrets): StoredSecrets => ({
  primary: sealSecret(key, `primary ${customer}`, primary),
  secondary: secondary && sealSecret(key, `secondary ${customer}`, secondary)
})

const openSecrets = Effect.fnUntraced(function* (
  key: Uint8Array,
  customer: string,
  { primary, secondary }: StoredSecrets
): Effect.fn.Return<StoredSecrets, StorageFailed> {
  return {
    primary: yield* openSecret(key, `primary ${customer}`, primary),
    secondary: secondary && (yield* openSecret(key, `secondary ${customer}`, secondary))
  }
})

const sealSecret = (key: Uint8Array, purpose: string, plain: Redacted.Redacted): Redacted.Redacted =>
  Redacted.make(seal(key, purpose, Redacted.value(plain)))

const openSecret = (key: Uint8Array, purpose: string, text: Redacted.Redacted) =>
  Effect.map(opened(key, purpose, Redacted.value(text)), (plain) => Redacted.make(plain))

const opened = (key: Uint8Array, purpose: string, text: string): Effect.Effect<string, StorageFailed> =>
  Effect.suspend(() => {
    const plain = open(key, purpose, text)
    return plain === undefined ? refuse("a sealed secret of it was changed") : Effect.succeed(plain)
  })

const seal = (key: Uint8Array, purpose: string, plain: string): string => {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(purpose))
  return Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64")
}

const open = (key: Uint8Array, purpose: string, text: string): string | undefined => {
  const bytes = Buffer.from(text, "base64")
  if (bytes.length < nonceBytes + tagBytes) return undefined
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes))
    .setAAD(Buffer.from(purpose))
    .setAuthTag(bytes.subarray(-tagBytes))
  return Result.getOrUndefined(
    Result.try(() =>
      Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString("utf8")
    )
  )
}

/** 32 bytes as base64 or as hexadecimal digits. */
const keyOf = (masterKey: Redacted.Redacted): Effect.Effect<Uint8Array, StorageFailed> => {
  const text = Redacted.value(masterKey).trim()
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? "hex" : "base64")
  return bytes.length === keyBytes && (text.length === 64 || bytes.toString("base64") === text)
    ? Effect.succeed(bytes)
    : refuse("its master key must be 32 bytes as base64 or hexadecimal digits; make one with: openssl rand -base64 32")
}

const refuse = (detail: string) => Effect.fail(new StorageFailed({ detail }))

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
