/** What operators were told, as statements. */
import * as Effect from "effect/Effect"
import type { JobCommands, NoticeCommands } from "../rows/Commands.ts"
import type { Over, Session } from "./Session.ts"

const save = `INSERT INTO notices (subject, phase, since) VALUES ($1, $2, $3)
  ON CONFLICT (md5(subject)) DO UPDATE SET phase = excluded.phase, since = excluded.since`

const troubled = `SELECT * FROM (
    SELECT customer, url, status, reason, failures, failing_since, (EXISTS (
      SELECT 1 FROM notices WHERE md5(subject) = md5('endpoint ' || customer || ' ' || url)
    ))::integer AS known FROM endpoints WHERE customer <> $2
  ) AS endpoint WHERE status = 'disabled' OR failures >= $1 OR known = 1
  ORDER BY known DESC, failing_since LIMIT 1000`

/** The commands, over those of jobs. */
export const noticeCommands = (
  on: Session,
  jobs: Pick<Over<JobCommands>, "enqueue" | "finishIdle">
): Over<NoticeCommands> => ({
  told: () => on.all("SELECT * FROM notices"),
  tell: Effect.fnUntraced(function* ({ begun, notices, over }) {
    for (const row of begun) yield* on.run(save, ...row)
    for (const subject of over) yield* on.run("DELETE FROM notices WHERE md5(subject) = md5($1)", subject)
    for (const { finish, id, job } of notices) {
      yield* jobs.enqueue(job)
      yield* jobs.finishIdle(id, finish)
    }
  }),
  troubled: (failures, but) => on.all(troubled, failures, but),
  deadOf: (customer) =>
    Effect.map(
      on.one("SELECT count(*) AS dead FROM deliveries WHERE state = 'dead' AND customer = $1", customer),
      (row) => Number(row?.["dead"])
    )
})
