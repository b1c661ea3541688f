/**
 * What speaks with Postgres, loaded by a name that no bundler sees: it is an optional peer, and a program whose dam keeps its
 * jobs in a file is bundled without it.
 */
import type * as PgConnection from "@effect/sql-pg/PgConnection"
import type * as PgTypes from "@effect/sql-pg/PgTypes"

/** Its parts. */
export interface Driver {
  readonly connection: typeof PgConnection
  readonly types: typeof PgTypes
}

/** Where it comes from. */
export const from = "@effect/sql-pg"

let loaded: Driver | undefined

/** Loads it; rejects where it is not installed. */
export const load = (): Promise<Driver> =>
  loaded === undefined
    ? Promise.all([import(`${from}/PgConnection`), import(`${from}/PgTypes`)]).then(
        ([connection, types]: readonly [typeof PgConnection, typeof PgTypes]) => (loaded = { connection, types })
      )
    : Promise.resolve(loaded)

/** The types of values; they are loaded before there is a connection. */
export const types = (): typeof PgTypes => {
  if (loaded === undefined) throw new Error("nothing is given to Postgres before what speaks with it is loaded")
  return loaded.types
}
