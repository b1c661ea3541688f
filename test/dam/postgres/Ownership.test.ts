import { assert, it } from "@effect/vitest"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { JobStore } from "../../../src/dam/store/JobStore.ts"
import * as PostgresJobStore from "../../../src/dam/postgres/PostgresJobStore.ts"
import { job } from "../../conformance/jobStore/Fixtures.ts"
import { postgres } from "../../support/Postgres.ts"
import { withPostgres } from "../../support/WithPostgres.ts"

withPostgres(await postgres(), "the owner of a Postgres database", (server) => {
  const url = Redacted.make(server.url())

  /** A store in a schema of its own, and what happens to the database behind its back. */
  const world = Effect.fnUntraced(function* (schema: string) {
    const connection = yield* PgConnection.make({ url, startupParameters: { search_path: schema } })
    yield* connection.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
    const store = PostgresJobStore.make({ url, schema })
    return { store, sql: (sql: string) => connection.query(sql) }
  })

  const refusal = (store: Effect.Effect<JobStore["Service"], { readonly message: string }, any>) =>
    Effect.map(Effect.flip(Effect.scoped(store)), ({ message }) => message)

  it.live("is the only one, and the next one is told who it is", () =>
    Effect.gen(function* () {
      const { store } = yield* world("owner_only")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* store
          assert.match(
            yield* refusal(store),
            /^the database failed: another dam is using it \(this very process, since 20.*Z\); only one dam may own a database$/
          )
        })
      )
      const jobs = yield* store
      assert.strictEqual((yield* jobs.enqueue(job("one")))._tag, "Stored")
    })
  )

  it.live("goes on by itself when its connection breaks, and loses nothing", () =>
    Effect.gen(function* () {
      const { sql, store } = yield* world("owner_cut")
      const jobs = yield* store
      yield* jobs.enqueue(job("before"))
      yield* sql("SELECT pg_terminate_backend(backend) FROM dam")
      yield* jobs.enqueue(job("after"))
      assert.deepInclude((yield* jobs.stats).jobs, { queued: 2 })
      assert.strictEqual((yield* jobs.start("before", 1))?.epoch, 1)
    })
  )

  it.live("writes nothing more once another one has taken the database over", () =>
    Effect.gen(function* () {
      const { sql, store } = yield* world("owner_old")
      const jobs = yield* store
      yield* jobs.enqueue(job("before"))
      yield* sql("UPDATE dam SET epoch = epoch + 1, mark = 'another'")
      const late = yield* Effect.flip(jobs.enqueue(job("late")))
      assert.strictEqual(late._tag, "StorageLost")
      assert.include(late.message, "another dam has taken its database over")
      // and not either when it has to connect anew
      yield* sql("SELECT pg_terminate_backend(backend) FROM dam")
      assert.strictEqual((yield* Effect.flip(jobs.enqueue(job("later"))))._tag, "StorageLost")
      const found = yield* sql("SELECT id FROM jobs")
      assert.deepStrictEqual(found.rows, [{ id: "before" }])
    })
  )

  it.live("refuses a database of a newer version, and leaves it as it is", () =>
    Effect.gen(function* () {
      const { sql, store } = yield* world("owner_newer")
      yield* Effect.scoped(store)
      yield* sql("UPDATE dam SET version = 99")
      assert.match(yield* refusal(store), /it was written by a newer version \(99, this one knows \d+\)/)
    })
  )

  it.live("says what keeps it from writing, and nothing of the password", () =>
    Effect.gen(function* () {
      const { store } = yield* world("owner_reads")
      yield* Effect.scoped(store)
      const reading = new URL(server.url())
      reading.searchParams.set("options", "-c default_transaction_read_only=on")
      const only = PostgresJobStore.make({ url: Redacted.make(reading.href), schema: "owner_reads" })
      assert.include(yield* refusal(only), "Postgres can only be read from")
      const nowhere = PostgresJobStore.make({ url: Redacted.make("postgres://dam:s3cret@127.0.0.1:1/dam") })
      const words = yield* refusal(nowhere)
      assert.include(words, "Postgres cannot be reached")
      assert.notInclude(words, "s3cret")
    })
  )
})
