/** What credentials need of the database, as statements. */
import * as Effect from "effect/Effect"
import type { CredentialCommands } from "../rows/CredentialCommands.ts"
import { type Over, put, type Session } from "./Session.ts"

const save = put("credentials", ["customer", "name"], ["definition", "secret", "made_at", "rotated_at"])

/** The commands. */
export const credentialCommands = (on: Session): Over<CredentialCommands> => ({
  credentials: (customer) => on.all("SELECT * FROM credentials WHERE customer = $1 ORDER BY name", customer),
  credential: (customer, name) => on.one("SELECT * FROM credentials WHERE customer = $1 AND name = $2", customer, name),
  saveCredential: (...row) => Effect.asVoid(on.run(save, ...row)),
  removeCredential: (customer, name) =>
    Effect.map(
      on.run("DELETE FROM credentials WHERE customer = $1 AND name = $2", customer, name),
      (removed) => removed === 1
    )
})
