/** What L8 knows of origins as rows, and back. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { TrustPort, StoredTrust } from "../store/TrustRecords.ts"
import type { Executor } from "./Running.ts"
import type { TrustRow } from "./TrustCommands.ts"
import { Text, Moment } from "./JobRows.ts"
import { reader } from "./Reader.ts"

/** A row of what is known of an origin. */
const LoadedTrust = Schema.Struct({
  origin: Schema.String,
  public_key: Text,
  proved_at: Moment,
  changed_key: Text,
  revoked_at: Moment
})

/** What is known of an origin, as the port has it. */
const toTrust = (row: typeof LoadedTrust.Type): StoredTrust => ({
  origin: row.origin,
  publicKey: row.public_key ?? undefined,
  provedAt: row.proved_at ?? undefined,
  changedKey: row.changed_key ?? undefined,
  revokedAt: row.revoked_at ?? undefined
})

/** What is known of an origin, as it is written. */
const encodeTrust = (self: StoredTrust): TrustRow => [
  self.origin,
  self.publicKey ?? null,
  self.provedAt ?? null,
  self.changedKey ?? null,
  self.revokedAt ?? null
]

/** What L8 remembers, over any database. */
export const trustPort = (run: Executor): TrustPort => ({
  takeL8Nonce: (nonce, now, keepMillis, most) => run("takeL8Nonce", nonce, now, keepMillis, most),
  l8Trust: (origin) => Effect.flatMap(run("l8Trust", origin), readTrust),
  l8Trusts: (limit) => Effect.flatMap(run("l8Trusts", limit), readTrusts),
  saveL8Trust: (trust) => run("saveL8Trust", ...encodeTrust(trust)),
  forgetL8Trust: (origin) => run("forgetL8Trust", origin)
})

const readTrust = reader(Schema.UndefinedOr(LoadedTrust), (row) => row && toTrust(row))

const readTrusts = reader(Schema.Array(LoadedTrust), (rows) => rows.map(toTrust))
