/** What a database must do for the trust of L8, in plain data: a part of `Commands`. */

/** What is known of an origin, as it travels: origin, key, when it was proved, another key, when it was revoked. */
export type TrustRow = readonly [
  origin: string,
  publicKey: string | null,
  provedAt: number | null,
  changedKey: string | null,
  revokedAt: number | null
]

/** What L8 remembers. */
export interface TrustCommands {
  readonly takeL8Nonce: (nonce: string, now: number, keepMillis: number, most: number) => "Taken" | "Seen" | "Full"
  readonly l8Trust: (origin: string) => unknown
  readonly l8Trusts: (limit: number) => ReadonlyArray<unknown>
  readonly saveL8Trust: (...row: TrustRow) => void
  readonly forgetL8Trust: (origin: string) => boolean
}
