/** What schedules need of the database, as statements. Runs in the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import type { ScheduleCommands } from "../rows/ScheduleCommands.ts"

/** Prepares the statements once and makes the commands over them. */
export const scheduleCommands = (db: DatabaseSync): ScheduleCommands => {
  const all = db.prepare("SELECT * FROM schedules ORDER BY customer, name")
  const own = db.prepare("SELECT * FROM schedules WHERE customer = ? ORDER BY name")
  const one = db.prepare("SELECT * FROM schedules WHERE customer = ? AND name = ?")
  const save = db.prepare("INSERT OR REPLACE INTO schedules VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
  const putOff = db.prepare("UPDATE schedules SET look_at = ? WHERE customer = ? AND name = ?")
  const remove = db.prepare("DELETE FROM schedules WHERE customer = ? AND name = ?")
  const count = db.prepare("SELECT count(*) AS n FROM schedules WHERE customer = ?")
  const due = db.prepare("SELECT customer, name FROM schedules WHERE look_at <= ? ORDER BY look_at LIMIT ?")
  const next = db.prepare("SELECT min(look_at) AS at FROM schedules WHERE look_at > ?")

  return {
    schedules: (customer) => (customer === null ? all.all() : own.all(customer)),
    schedule: (customer, name) => one.get(customer, name),
    saveSchedule: (...row) => {
      save.run(...row)
    },
    applySchedules: (customer, saved, removed) => {
      for (const row of saved) save.run(...row)
      for (const name of removed) remove.run(customer, name)
    },
    putOffSchedule: (customer, name, lookAt) => {
      putOff.run(lookAt, customer, name)
    },
    removeSchedule: (customer, name) => remove.run(customer, name).changes === 1,
    countSchedules: (customer) => Number(count.get(customer)?.["n"]),
    dueSchedules: (now, limit) => {
      const at = next.get(now)?.["at"]
      return { due: due.all(now, limit), nextAt: typeof at === "number" ? at : undefined }
    }
  }
}
