import * as Schema from "effect/Schema"
import { Text } from "./JobRows.ts"
import * as Redacted from "effect/Redacted"
import type { StoredSecrets } from "../store/SecretRecords.ts"

/** The secrets of a customer. */
export const LoadedSecrets = Schema.Struct({ primary_secret: Schema.String, secondary_secret: Text })

/** The secrets of a customer as the port knows them. */
export const toSecrets = (row: typeof LoadedSecrets.Type): StoredSecrets => ({
  primary: Redacted.make(row.primary_secret),
  secondary: row.secondary_secret === null ? undefined : Redacted.make(row.secondary_secret)
})

/** The secrets of a customer as they are written: primary and secondary. */
export const encodeSecrets = ({ primary, secondary }: StoredSecrets) =>
  [Redacted.value(primary), secondary === undefined ? null : Redacted.value(secondary)] as const
