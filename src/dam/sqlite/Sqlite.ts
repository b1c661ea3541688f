/**
 * Node's SQLite, asked for instead of imported: a runtime that lacks it still loads what else the package has, and says in
 * words what it lacks once a dam shall start (`store/Runtime`).
 */
import type * as Sqlite from "node:sqlite"

const found: typeof Sqlite | undefined = process.getBuiltinModule("node:sqlite")

const missing = (): never => {
  throw new Error("this runtime has no node:sqlite; it takes Node 22.19 or later")
}

/** A database that is open. */
export type DatabaseSync = Sqlite.DatabaseSync

/** Opens a database. */
export const DatabaseSync: typeof Sqlite.DatabaseSync = found?.DatabaseSync ?? absent()

/** Copies a database a little at a time. */
export const backup: typeof Sqlite.backup = found?.backup ?? missing

// a class that cannot be made; its type is the one of what is not there
function absent(): typeof Sqlite.DatabaseSync {
  return class {
    constructor() {
      missing()
    }
  } as unknown as typeof Sqlite.DatabaseSync
}
