/**
 * Links to the answers of jobs: signed with a key of the dam, for one job and until a moment. Who has one needs no API key.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import type { SecretPort } from "../store/SecretRecords.ts"
import type { StoreError } from "../store/StoreError.ts"

/**
 * Makes links, and tells those that it made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Links {
  /** A link from now on; `undefined`: nobody has said where this dam is reached. */
  readonly to: (jobId: string, now: number) => string | undefined
  /** Whether a link is one of this dam's to that job, and still holds. */
  readonly isGood: (link: Link, now: number) => boolean
}

/**
 * What stands in a link.
 *
 * @category models
 * @since 0.1.0
 */
export interface Link {
  readonly jobId: string
  /** Epoch milliseconds. */
  readonly expires: number
  readonly signature: string
}

/** Where the store keeps the key. */
const setting = "link_key"

/**
 * Makes them; their key is made at the first start and kept in the store.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  store: SecretPort,
  { lifetime, publicUrl }: { readonly publicUrl: string | undefined; readonly lifetime: number }
): Effect.fn.Return<Links, StoreError> {
  const kept = yield* store.setting(setting)
  const key = kept ?? randomBytes(32).toString("base64")
  if (kept === undefined) yield* store.putSecrets([], [[setting, key]])
  const sign = (jobId: string, expires: number) =>
    createHmac("sha256", Buffer.from(key, "base64")).update(`${jobId}\n${expires}`).digest()
  return {
    to: (jobId, now) => {
      if (publicUrl === undefined) return undefined
      const expires = Math.ceil(now + lifetime)
      const query = new URLSearchParams({
        expires: String(expires),
        signature: sign(jobId, expires).toString("base64url")
      })
      return `${publicUrl.replace(/\/+$/, "")}/api/v1/results/${encodeURIComponent(jobId)}?${query}`
    },
    isGood: ({ expires, jobId, signature }, now) => {
      const given = Buffer.from(signature, "base64url")
      const own = sign(jobId, expires)
      // compared whatever the time, so that neither tells the other
      const isOurs = given.length === own.length && timingSafeEqual(given, own)
      return isOurs && now <= expires
    }
  }
})
