/**
 * A store in SQL: shared by all processes that receive, and there after a restart.
 *
 * Two tables, made when they are missing. Every claim is decided by single statements, so no transaction is held, and
 * what holds for two fibers holds for two machines.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Claim, EventStore } from "./EventStore.ts"
import { EventStoreFailed } from "./EventStore.ts"

/**
 * Makes the store over the client of the surroundings: SQLite or Postgres.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<EventStore, EventStoreFailed, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* failing(sql`CREATE TABLE IF NOT EXISTS ezthrottle_events (
    id TEXT PRIMARY KEY, body TEXT NOT NULL, token TEXT NOT NULL, claimed_until BIGINT NOT NULL,
    keep_until BIGINT NOT NULL, handled INTEGER NOT NULL)`)
  yield* failing(sql`CREATE INDEX IF NOT EXISTS ezthrottle_events_keep ON ezthrottle_events (keep_until)`)
  yield* failing(sql`CREATE TABLE IF NOT EXISTS ezthrottle_kept (
    name TEXT PRIMARY KEY, body TEXT NOT NULL, keep_until BIGINT NOT NULL)`)
  return {
    isDurable: true,
    claim: ({ body, claimedUntil, id, keepUntil, now, token }) =>
      failing(
        Effect.gen(function* () {
          yield* sql`DELETE FROM ezthrottle_events WHERE keep_until <= ${now}`
          yield* sql`DELETE FROM ezthrottle_kept WHERE keep_until <= ${now}`
          yield* sql`INSERT INTO ezthrottle_events (id, body, token, claimed_until, keep_until, handled)
            VALUES (${id}, ${body}, ${token}, ${claimedUntil}, ${keepUntil}, 0) ON CONFLICT (id) DO NOTHING`
          // taken over where the last claim has ended; the row just written is already this caller's
          yield* sql`UPDATE ezthrottle_events SET token = ${token}, claimed_until = ${claimedUntil}
            WHERE id = ${id} AND handled = 0 AND (claimed_until <= ${now} OR token = ${token})`
          const rows = yield* sql<{
            readonly handled: number
            readonly token: string
          }>`SELECT handled, token FROM ezthrottle_events WHERE id = ${id}`
          const row = rows[0]
          const claim: Claim = Number(row?.handled) === 1 ? "Handled" : row?.token === token ? "Claimed" : "Busy"
          return claim
        })
      ),
    settle: (id, token, isHandled) =>
      failing(sql`UPDATE ezthrottle_events SET handled = ${isHandled ? 1 : 0}, claimed_until = 0
        WHERE id = ${id} AND token = ${token} AND handled = 0`),
    find: (id) => text(sql<Text>`SELECT body FROM ezthrottle_events WHERE id = ${id}`),
    keep: (name, body, keepUntil) =>
      failing(
        Effect.andThen(
          sql`INSERT INTO ezthrottle_kept (name, body, keep_until) VALUES (${name}, ${body}, ${keepUntil})
            ON CONFLICT (name) DO NOTHING`,
          sql`UPDATE ezthrottle_kept SET body = ${body}, keep_until = ${keepUntil}
            WHERE name = ${name} AND keep_until < ${keepUntil}`
        )
      ),
    kept: (name) => text(sql<Text>`SELECT body FROM ezthrottle_kept WHERE name = ${name}`)
  } satisfies EventStore
})

interface Text {
  readonly body: string
}

const text = (
  rows: Effect.Effect<ReadonlyArray<Text>, SqlError>
): Effect.Effect<string | undefined, EventStoreFailed> =>
  Effect.mapError(
    Effect.map(rows, ([row]) => row?.body),
    failed
  )

const failing = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, EventStoreFailed> =>
  Effect.mapError(effect, failed)

const failed = (error: SqlError) => new EventStoreFailed({ problem: error.message })
