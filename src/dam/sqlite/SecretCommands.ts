/** Secrets of customers and settings of the dam itself, as statements. Runs in the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import type { SecretCommands } from "../rows/Commands.ts"

/** Makes a change after which what it replaces is overwritten with zeros. */
export const withoutTrace = <A>(db: DatabaseSync, change: () => A): A => {
  db.exec("PRAGMA secure_delete = ON")
  const done = change()
  db.exec("PRAGMA secure_delete = OFF")
  return done
}

/** Prepares the statements once and makes the commands over them. */
export const secretCommands = (db: DatabaseSync): SecretCommands => {
  const secrets = db.prepare("SELECT primary_secret, secondary_secret FROM secrets WHERE customer = ?")
  const everySecret = db.prepare("SELECT * FROM secrets")
  const put = db.prepare("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?)")
  const add = db.prepare("INSERT INTO secrets VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
  const replace = db.prepare(
    `UPDATE secrets SET primary_secret = ?, secondary_secret = ?
     WHERE customer = ? AND primary_secret = ? AND secondary_secret IS ?`
  )
  const remove = db.prepare("DELETE FROM secrets WHERE customer = ?")
  const setting = db.prepare("SELECT value FROM settings WHERE name = ?")
  const set = db.prepare("INSERT OR REPLACE INTO settings VALUES (?, ?)")

  return {
    secrets: (customer) => secrets.get(customer),
    setSecrets: (customer, primary, secondary) =>
      withoutTrace(db, () => {
        if (primary === null) remove.run(customer)
        else put.run(customer, primary, secondary)
      }),
    replaceSecrets: (customer, known, primary, secondary) =>
      withoutTrace(
        db,
        () =>
          (known === null ? add.run(customer, primary, secondary) : replace.run(primary, secondary, customer, ...known))
            .changes === 1
      ),
    everySecret: () => everySecret.all(),
    setting: (name) => setting.get(name),
    putSecrets: (rows, settings) =>
      withoutTrace(db, () => {
        for (const row of rows) put.run(...row)
        for (const row of settings) set.run(...row)
      }),
    /** Folds the log into the file and empties it: it holds older versions of pages. */
    foldLog: () => {
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)")
    }
  }
}
