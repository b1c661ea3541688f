/** What schedules need of the database, as statements. */
import * as Effect from "effect/Effect"
import type { ScheduleCommands } from "../rows/ScheduleCommands.ts"
import { type Over, put, type Session } from "./Session.ts"

const save = put(
  "schedules",
  ["customer", "name"],
  ["generation", "definition", "step", "progress", "look_at", "created_at", "changed_at"]
)

const remove = "DELETE FROM schedules WHERE customer = $1 AND name = $2"

/** The commands. */
export const scheduleCommands = (on: Session): Over<ScheduleCommands> => ({
  schedules: (customer) =>
    customer === null
      ? on.all("SELECT * FROM schedules ORDER BY customer, name")
      : on.all("SELECT * FROM schedules WHERE customer = $1 ORDER BY name", customer),
  schedule: (customer, name) => on.one("SELECT * FROM schedules WHERE customer = $1 AND name = $2", customer, name),
  saveSchedule: (...row) => Effect.asVoid(on.run(save, ...row)),
  applySchedules: Effect.fnUntraced(function* (customer, saved, removed) {
    for (const row of saved) yield* on.run(save, ...row)
    for (const name of removed) yield* on.run(remove, customer, name)
  }),
  putOffSchedule: (customer, name, lookAt) =>
    Effect.asVoid(
      on.run("UPDATE schedules SET look_at = $1 WHERE customer = $2 AND name = $3", lookAt, customer, name)
    ),
  removeSchedule: (customer, name) => Effect.map(on.run(remove, customer, name), (removed) => removed === 1),
  countSchedules: (customer) =>
    Effect.map(on.one("SELECT count(*) AS n FROM schedules WHERE customer = $1", customer), (row) =>
      Number(row?.["n"])
    ),
  dueSchedules: Effect.fnUntraced(function* (now, limit) {
    const next = yield* on.one("SELECT min(look_at) AS at FROM schedules WHERE look_at > $1", now)
    const at = next?.["at"]
    return {
      due: yield* on.all(
        "SELECT customer, name FROM schedules WHERE look_at <= $1 ORDER BY look_at LIMIT $2",
        now,
        limit
      ),
      nextAt: typeof at === "number" ? at : undefined
    }
  })
})
