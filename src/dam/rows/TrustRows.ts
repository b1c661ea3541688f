import * as Schema from "effect/Schema"
import { Text, Moment } from "./JobRows.ts"
import type { StoredTrust } from "../store/TrustRecords.ts"
import type { TrustRow } from "./Commands.ts"

/** A row of what is known of an origin. */
export const LoadedTrust = Schema.Struct({
  origin: Schema.String,
  public_key: Text,
  proved_at: Moment,
  changed_key: Text,
  revoked_at: Moment
})

/** What is known of an origin, as the port has it. */
export const toTrust = (row: typeof LoadedTrust.Type): StoredTrust => ({
  origin: row.origin,
  publicKey: row.public_key ?? undefined,
  provedAt: row.proved_at ?? undefined,
  changedKey: row.changed_key ?? undefined,
  revokedAt: row.revoked_at ?? undefined
})

/** What is known of an origin, as it is written. */
export const encodeTrust = (self: StoredTrust): TrustRow => [
  self.origin,
  self.publicKey ?? null,
  self.provedAt ?? null,
  self.changedKey ?? null,
  self.revokedAt ?? null
]
