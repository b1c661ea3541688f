import { assert, it } from "@effect/vitest"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Postgres } from "../support/Postgres.ts"
import { withPostgres } from "../support/WithPostgres.ts"
import * as KillRun from "../system/support/KillRun.ts"
import { check } from "../system/support/Ledgers.ts"
import { overPostgres } from "../system/support/OverPostgres.ts"

const kills = Number(process.env["KILLS"] ?? 20)
const jobs = Number(process.env["JOBS"] ?? 2000)

const { built, server } = await overPostgres()

withPostgres(server, "a dam over Postgres", (postgres) => {
  it(`loses, repeats and hides nothing while it is killed ${kills} times under ${jobs} jobs`, async () => {
    const store = async () => ({ integrity: "ok", sequence: await numbersIn(postgres) })
    const database = { url: postgres.url(), store }
    const ledgers = await KillRun.run({ bin: built().bin, folder: built().folder, kills, jobs, database })
    assert.deepStrictEqual(check(ledgers), [])
    assert.strictEqual(ledgers.kills.length, kills)
    const acknowledged = new Set(ledgers.submissions.flatMap(({ answer }) => (answer ? [answer.jobId] : []))).size
    assert.isAtLeast(acknowledged, 0.7 * jobs)
  })
})

const numbersIn = (postgres: Postgres): Promise<ReadonlyArray<number>> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const connection = yield* PgConnection.make({ url: Redacted.make(postgres.url()) })
        const { rows } = yield* connection.query(
          "SELECT row_number() OVER (ORDER BY seq)::integer AS n FROM ezthrottle.jobs"
        )
        return rows.map(({ n }) => Number(n))
      })
    )
  )
