/** What credentials need of the database, as statements. Runs in the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import type { CredentialCommands } from "../rows/CredentialCommands.ts"
import { withoutTrace } from "./SecretCommands.ts"

/** Prepares the statements once and makes the commands over them. */
export const credentialCommands = (db: DatabaseSync): CredentialCommands => {
  const own = db.prepare("SELECT * FROM credentials WHERE customer = ? ORDER BY name")
  const one = db.prepare("SELECT * FROM credentials WHERE customer = ? AND name = ?")
  const save = db.prepare("INSERT OR REPLACE INTO credentials VALUES (?, ?, ?, ?, ?, ?)")
  const remove = db.prepare("DELETE FROM credentials WHERE customer = ? AND name = ?")

  return {
    credentials: (customer) => own.all(customer),
    credential: (customer, name) => one.get(customer, name),
    saveCredential: (...row) =>
      withoutTrace(db, () => {
        save.run(...row)
      }),
    removeCredential: (customer, name) => withoutTrace(db, () => remove.run(customer, name).changes === 1)
  }
}
