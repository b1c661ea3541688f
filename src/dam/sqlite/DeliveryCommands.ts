/**
 * What becomes of deliveries and of the endpoints they go to, as statements. Runs in the thread that writes.
 *
 * An endpoint has a row only while it fails: a delivery that goes well looks into an empty table.
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import type { DeliveryAttemptInsert, DeliveryCommands } from "../rows/Commands.ts"
import type { EndpointRule, NextDelivery } from "../store/DeliveryRecords.ts"
import type { Tally } from "./Tally.ts"

/** Settles the delivery state of a job from the votes of its deliveries, and answers it. */
export type Judge = (seq: SQLInputValue, at: number) => string

interface Place {
  readonly customer: string
  readonly url: string
  readonly lane: string
}

const prepare = (db: DatabaseSync) => ({
  byId: db.prepare("SELECT n, seq, state, customer, url, lane FROM deliveries WHERE id = ?"),
  note: db.prepare(
    `UPDATE deliveries SET attempts = iif(?1 IS NULL, attempts, json_insert(attempts, '$[#]', json(?1))),
       state = ?2, due_at = coalesce(?3, due_at), reason = ?4, dead_at = ?5, spent = spent + ?6 WHERE n = ?7`
  ),
  votes: db.prepare(
    `SELECT quorum, delivery_state, settled_at,
       (SELECT count(*) FROM deliveries WHERE seq = jobs.seq AND votes = 1 AND state = 'delivered') AS yes,
       (SELECT count(*) FROM deliveries WHERE seq = jobs.seq AND votes = 1 AND state = 'pending') AS open,
       (SELECT count(*) FROM deliveries WHERE seq = jobs.seq AND state = 'pending') AS pending
     FROM jobs WHERE seq = ?`
  ),
  settle: db.prepare("UPDATE jobs SET delivery_state = ?, settled_at = ? WHERE seq = ?"),
  endpoint: db.prepare("SELECT * FROM endpoints WHERE customer = ? AND url = ?"),
  endpoints: db.prepare("SELECT * FROM endpoints WHERE customer = ? ORDER BY status, since DESC, url LIMIT 1000"),
  fail: db.prepare(
    `INSERT INTO endpoints (customer, url, lane, since, failures, failing_since, seen_at) VALUES (?1, ?2, ?3, ?4, 1, ?4, ?4)
     ON CONFLICT DO UPDATE SET failures = failures + 1, seen_at = ?4 RETURNING status, failures, failing_since`
  ),
  disable: db.prepare(
    "UPDATE endpoints SET status = 'disabled', reason = ?, since = ?, probe_at = ? WHERE customer = ? AND url = ?"
  ),
  probe: db.prepare(
    "UPDATE endpoints SET probe_at = ? WHERE customer = ? AND url = ? AND reason = 'failing' AND probe_at < ?1"
  ),
  forget: db.prepare("DELETE FROM endpoints WHERE customer = ? AND url = ?"),
  later: db.prepare(
    `UPDATE deliveries SET due_at = ?1
     WHERE state = 'pending' AND lane = ?2 AND due_at < ?1 AND customer = ?3 AND url = ?4`
  ),
  sooner: db.prepare(
    `UPDATE deliveries SET due_at = ?1
     WHERE state = 'pending' AND lane = ?2 AND due_at > ?1 AND customer = ?3 AND url = ?4`
  )
})

/** Prepares the statements once and makes the commands over them. */
export const deliveryCommands = (db: DatabaseSync, tally: Tally) => {
  const self: Outcomes = { on: prepare(db), tally }
  const { on } = self
  const commands = {
    settleDelivery: (id, attempt, next, rule) => settle(self, id, { attempt, next, rule }),
    endpoints: (customer) => on.endpoints.all(customer),
    enableEndpoint: (customer, url, now) => {
      const known = on.endpoint.get(customer, url)
      if (known === undefined) return []
      took(self, { customer, url, lane: String(known["lane"]) }, now)
      return [known]
    },
    holdEndpoint: (customer, url, until) => {
      const known = on.endpoint.get(customer, url)
      if (known === undefined || known["reason"] !== "failing") return
      on.probe.run(until, customer, url)
      on.later.run(until, String(known["lane"]), customer, url)
    }
  } satisfies Pick<DeliveryCommands, "enableEndpoint" | "endpoints" | "holdEndpoint" | "settleDelivery">
  const judged: Judge = (seq, at) => judge(self, seq, at)
  return { commands, judge: judged }
}

interface Outcomes {
  readonly on: ReturnType<typeof prepare>
  readonly tally: Tally
}

/** What an attempt was, what follows, and when its endpoint is disabled. */
interface Outcome {
  readonly attempt: DeliveryAttemptInsert | undefined
  readonly next: NextDelivery
  readonly rule: EndpointRule
}

const settle = (self: Outcomes, id: string, { attempt, next, rule }: Outcome) => {
  const { on, tally } = self
  const found = on.byId.get(id)
  if (found === undefined) throw new Error(`there is no delivery ${id}`)
  const { n = null, seq = null } = found
  if (found["state"] !== "pending") return { deliveryState: stateOf(self, seq), endpoint: undefined }
  const place = { customer: String(found["customer"]), url: String(found["url"]), lane: String(found["lane"]) }
  const json = attempt?.json ?? null
  switch (next._tag) {
    case "Again":
      on.note.run(json, "pending", next.dueAt, null, null, Number(!next.spends), n)
      break
    case "Delivered":
      on.note.run(json, "delivered", null, null, null, 0, n)
      break
    case "Dead":
      on.note.run(json, "dead", null, next.reason, next.at, 0, n)
      tally.dead++
      break
  }
  if (next._tag !== "Again") tally.pending--
  const at = next._tag === "Dead" ? next.at : (attempt?.at ?? 0)
  const deliveryState = next._tag === "Again" ? stateOf(self, seq) : judge(self, seq, at)
  if (attempt === undefined) return { deliveryState, endpoint: undefined }
  return next._tag === "Delivered"
    ? { deliveryState, ...took(self, place, attempt.at) }
    : { deliveryState, endpoint: failed(self, place, attempt, rule) }
}

const judge = ({ on }: Outcomes, seq: SQLInputValue, at: number): string => {
  const { delivery_state, open, pending, quorum, settled_at = null, yes } = on.votes.get(seq) ?? {}
  const reached = delivery_state === "delivered" || Number(yes) >= Number(quorum)
  const lost = Number(yes) + Number(open) < Number(quorum)
  const verdict = reached ? "delivered" : lost ? "undelivered" : "pending"
  on.settle.run(verdict, Number(pending) > 0 ? null : (settled_at ?? at), seq)
  return verdict
}

const stateOf = ({ on }: Outcomes, seq: SQLInputValue): string => String(on.votes.get(seq)?.["delivery_state"])

const took = ({ on }: Outcomes, { customer, lane, url }: Place, at: number) => {
  const known = on.endpoint.get(customer, url)
  if (known === undefined) return { endpoint: undefined }
  on.forget.run(customer, url)
  const recoveredFrom = Number(known["failing_since"])
  if (known["status"] !== "disabled") return { endpoint: undefined, recoveredFrom }
  on.sooner.run(at, lane, customer, url)
  return { endpoint: "enabled", recoveredFrom } as const
}

const failed = (
  { on }: Outcomes,
  { customer, lane, url }: Place,
  { at, isGone }: DeliveryAttemptInsert,
  rule: EndpointRule
): "disabled" | undefined => {
  const { failing_since, failures, status } = on.fail.get(customer, url, lane, at) ?? {}
  const isDisabled = status === "disabled"
  if (isGone) {
    on.disable.run("gone", at, null, customer, url)
    on.sooner.run(at, lane, customer, url)
    return isDisabled ? undefined : "disabled"
  }
  const isTooLong = Number(failures) >= rule.failures && at - Number(failing_since) >= rule.failingMillis
  if (!isDisabled && !isTooLong) return undefined
  const probeAt = at + rule.probeMillis
  if (isDisabled && on.probe.run(probeAt, customer, url).changes === 0) return undefined
  if (!isDisabled) on.disable.run("failing", at, probeAt, customer, url)
  on.later.run(probeAt, lane, customer, url)
  return isDisabled ? undefined : "disabled"
}
