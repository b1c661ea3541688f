/**
 * What L8 has learnt of origins, and the port to it.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { StoreError } from "./StoreError.ts"

/**
 * What a receiver's origin has proved in a handshake of L8.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredTrust {
  readonly origin: string
  /** Base64 of the key that was proved first, and again ever since. */
  readonly publicKey: string | undefined
  /** Epoch milliseconds of the last proof. */
  readonly provedAt: number | undefined
  /** Another key that was published and proved since then, and is not adopted. */
  readonly changedKey: string | undefined
  /** Epoch milliseconds since when an operator does not want it trusted. */
  readonly revokedAt: number | undefined
}

/**
 * What L8 remembers: nonces that were seen, and what is known of origins.
 *
 * @category ports
 * @since 0.1.0
 */
export interface TrustPort {
  /**
   * Remembers a nonce of L8 for `keepMillis`. `Seen`: it is remembered already; `Full`: so many others are, `most` of
   * them, and this one is not.
   */
  readonly takeL8Nonce: (
    nonce: string,
    now: number,
    keepMillis: number,
    most: number
  ) => Effect.Effect<"Taken" | "Seen" | "Full", StoreError>
  readonly l8Trust: (origin: string) => Effect.Effect<StoredTrust | undefined, StoreError>
  /** What is known of origins, by their names. */
  readonly l8Trusts: (limit: number) => Effect.Effect<ReadonlyArray<StoredTrust>, StoreError>
  readonly saveL8Trust: (trust: StoredTrust) => Effect.Effect<void, StoreError>
  /** Answers whether anything was known. */
  readonly forgetL8Trust: (origin: string) => Effect.Effect<boolean, StoreError>
}
