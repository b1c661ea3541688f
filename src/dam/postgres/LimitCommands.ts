/** What limits need of the database, as statements. */
import * as Effect from "effect/Effect"
import type { LimitCommands } from "../rows/Commands.ts"
import { othersIn } from "../rows/Levels.ts"
import { type Over, put, type Session } from "./Session.ts"

const save = put("limits", ["name"], ["definition", "at", "actor"])

const setMark = put("settings", ["name"], ["value"])

const putLevel = `INSERT INTO limit_levels (name, key, level, at) VALUES ($1, $2, $3, $4)
  ON CONFLICT (name, md5(key)) DO UPDATE SET level = excluded.level, at = excluded.at`

/** The commands. */
export const limitCommands = (on: Session): Over<LimitCommands> => ({
  limits: () => on.all("SELECT * FROM limits ORDER BY name"),
  saveLimit: (...row) => Effect.asVoid(on.run(save, ...row)),
  removeLimit: (name) => Effect.asVoid(on.run("DELETE FROM limits WHERE name = $1", name)),
  drawing: (name) =>
    Effect.map(
      // each draw is a list that begins with the name
      on.one(
        `SELECT count(*) AS jobs FROM jobs
         WHERE limits IS NOT NULL AND state IN ('scheduled', 'queued', 'parked', 'running')
         AND EXISTS (SELECT 1 FROM json_array_elements(limits::json) AS draw WHERE draw ->> 0 = $1)`,
        name
      ),
      (row) => Number(row?.["jobs"])
    ),
  levels: Effect.fnUntraced(function* () {
    const mark = yield* on.one("SELECT value FROM settings WHERE name = 'levels'")
    return { others: othersIn(mark?.["value"]), levels: yield* on.all("SELECT * FROM limit_levels") }
  }),
  saveLevels: Effect.fnUntraced(function* (rows, { isAll, others }) {
    if (isAll) yield* on.run("DELETE FROM limit_levels")
    for (const row of rows) yield* on.run(putLevel, ...row)
    yield* on.run(setMark, "levels", String(others))
  })
})
