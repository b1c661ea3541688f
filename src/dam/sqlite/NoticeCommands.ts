/** What operators were told, as statements. Runs in the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import type { JobCommands, NoticeCommands } from "../rows/Commands.ts"

/** Prepares the statements once and makes the commands over them and those of jobs. */
export const noticeCommands = (db: DatabaseSync, jobs: Pick<JobCommands, "enqueue" | "finishIdle">): NoticeCommands => {
  const told = db.prepare("SELECT * FROM notices")
  const save = db.prepare("INSERT OR REPLACE INTO notices VALUES (?, ?, ?)")
  const remove = db.prepare("DELETE FROM notices WHERE subject = ?")
  const troubled = db.prepare(
    `SELECT customer, url, status, reason, failures, failing_since,
       EXISTS (SELECT 1 FROM notices WHERE subject = 'endpoint ' || customer || ' ' || url) AS known
     FROM endpoints WHERE customer <> ?2 AND (status = 'disabled' OR failures >= ?1 OR known)
     ORDER BY known DESC, failing_since LIMIT 1000`
  )
  const dead = db.prepare(
    "SELECT count(*) AS dead FROM deliveries INDEXED BY deliveries_dead_of WHERE state = 'dead' AND customer = ?"
  )
  return {
    told: () => told.all(),
    tell: ({ begun, notices, over }) => {
      for (const row of begun) save.run(...row)
      for (const subject of over) remove.run(subject)
      for (const { finish, id, job } of notices) {
        jobs.enqueue(job)
        jobs.finishIdle(id, finish)
      }
    },
    troubled: (failures, but) => troubled.all(failures, but),
    deadOf: (customer) => Number(dead.get(customer)?.["dead"])
  }
}
