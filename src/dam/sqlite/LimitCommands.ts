/** What limits need of the database, as statements. Runs in the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import type { LimitCommands } from "../rows/Commands.ts"
import { othersIn } from "../rows/Levels.ts"

/** Prepares the statements once and makes the commands over them. */
export const limitCommands = (db: DatabaseSync): LimitCommands => {
  const all = db.prepare("SELECT * FROM limits ORDER BY name")
  const save = db.prepare("INSERT OR REPLACE INTO limits VALUES (?, ?, ?, ?)")
  const remove = db.prepare("DELETE FROM limits WHERE name = ?")
  // each draw is a list that begins with the name
  const drawing = db.prepare(
    `SELECT count(*) AS jobs FROM jobs INDEXED BY jobs_drawing
     WHERE limits IS NOT NULL AND state IN ('scheduled', 'queued', 'parked', 'running')
     AND EXISTS (SELECT 1 FROM json_each(limits) WHERE json_extract(value, '$[0]') = ?)`
  )
  const levels = db.prepare("SELECT * FROM limit_levels")
  const clear = db.prepare("DELETE FROM limit_levels")
  const put = db.prepare("INSERT OR REPLACE INTO limit_levels VALUES (?, ?, ?, ?)")
  const mark = db.prepare("SELECT value FROM settings WHERE name = 'levels'")
  const setMark = db.prepare("INSERT OR REPLACE INTO settings VALUES ('levels', ?)")

  return {
    limits: () => all.all(),
    saveLimit: (...row) => {
      save.run(...row)
    },
    removeLimit: (name) => {
      remove.run(name)
    },
    drawing: (name) => Number(drawing.get(name)?.["jobs"]),
    levels: () => ({ others: othersIn(mark.get()?.["value"]), levels: levels.all() }),
    saveLevels: (rows, { isAll, others }) => {
      if (isAll) clear.run()
      for (const row of rows) put.run(...row)
      setMark.run(String(others))
    }
  }
}
