/**
 * Secrets of customers and settings of the dam itself, as statements.
 *
 * Nothing overwrites what a row held before: it stands in the database until that clears old rows away, and in its log and
 * backups for as long as these are kept. Who must not have it there sets a master key.
 */
import * as Effect from "effect/Effect"
import type { SecretCommands } from "../rows/Commands.ts"
import { type Over, put, type Session } from "./Session.ts"

const putSecret = put("secrets", ["customer"], ["primary_secret", "secondary_secret"])

const setSetting = put("settings", ["name"], ["value"])

/** The commands. */
export const secretCommands = (on: Session): Over<SecretCommands> => ({
  secrets: (customer) => on.one("SELECT primary_secret, secondary_secret FROM secrets WHERE customer = $1", customer),
  setSecrets: (customer, primary, secondary) =>
    Effect.asVoid(
      primary === null
        ? on.run("DELETE FROM secrets WHERE customer = $1", customer)
        : on.run(putSecret, customer, primary, secondary)
    ),
  replaceSecrets: (customer, known, primary, secondary) =>
    Effect.map(
      known === null
        ? on.run("INSERT INTO secrets VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", customer, primary, secondary)
        : on.run(
            `UPDATE secrets SET primary_secret = $1, secondary_secret = $2
             WHERE customer = $3 AND primary_secret = $4 AND secondary_secret IS NOT DISTINCT FROM $5`,
            primary,
            secondary,
            customer,
            ...known
          ),
      (changed) => changed === 1
    ),
  everySecret: () => on.all("SELECT * FROM secrets"),
  setting: (name) => on.one("SELECT value FROM settings WHERE name = $1", name),
  putSecrets: Effect.fnUntraced(function* (rows, settings) {
    for (const row of rows) yield* on.run(putSecret, ...row)
    for (const row of settings) yield* on.run(setSetting, ...row)
  }),
  foldLog: () => Effect.void
})
