/** What operators were told as rows, and back. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { NoticePort } from "../store/NoticeRecords.ts"
import type { Executor } from "./Running.ts"
import { encodeFinish, encodeJob } from "./JobRows.ts"
import { reader } from "./Reader.ts"

/** Something that was told and is not over. */
const LoadedTold = Schema.Struct({ subject: Schema.String, phase: Schema.String, since: Schema.Number })

/** An endpoint in trouble. */
const LoadedTroubled = Schema.Struct({
  customer: Schema.String,
  url: Schema.String,
  status: Schema.Literals(["enabled", "disabled"]),
  reason: Schema.NullOr(Schema.Literals(["gone", "failing"])),
  failures: Schema.Number,
  failing_since: Schema.Number
})

/** What operators are told, over any database. */
export const noticePort = (run: Executor): NoticePort => ({
  told: Effect.flatMap(run("told"), readTold),
  tell: ({ begun, notices, over }) =>
    Effect.suspend(() =>
      run("tell", {
        begun: begun.map(({ phase, since, subject }) => [subject, phase, since] as const),
        over,
        notices: notices.map(({ finish, job }) => ({ job: encodeJob(job), id: job.id, finish: encodeFinish(finish) }))
      })
    ),
  troubled: (failures, but) => Effect.flatMap(run("troubled", failures, but), readTroubled),
  deadOf: (customer) => run("deadOf", customer)
})

const readTold = reader(Schema.Array(LoadedTold), (rows) => rows)

const readTroubled = reader(Schema.Array(LoadedTroubled), (rows) =>
  rows.map(({ failing_since: failingSince, reason, ...row }) => ({ ...row, reason: reason ?? undefined, failingSince }))
)
