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
