/**
 * What becomes of deliveries and of the endpoints they go to, as statements. Runs in the thread that writes.
 *
 * An endpoint has a row only while it fails: where none does, a delivery that goes well looks for none.
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import type { DeliveryAttemptInsert, DeliveryCommands } from "../rows/Commands.ts"
import type { EndpointRule, NextDelivery } from "../store/DeliveryRecords.ts"
import type { Tally } from "../rows/Tally.ts"

/** Settles the delivery state of a job from the votes of its deliveries, and answers it. */
export type Judge = (seq: SQLInputValue, at: number) => string

interface Place {
  readonly customer: string
  readonly url: string
  readonly lane: string
}

const prepare = (db: DatabaseSync) => ({
  byId: db.prepare("SELECT seq FROM deliveries WHERE id = ?"),
  note: db.prepare(
    `UPDATE deliveries SET attempts = iif(?1 IS NULL, attempts, json_insert(attempts, '$[#]', json(?1))),
       state = ?2, due_at = coalesce(?3, due_at), reason = ?4, dead_at = ?5, spent = spent + ?6
     WHERE id = ?7 AND state = 'pending' RETURNING seq, customer, url, lane`
  ),
  judge: db.prepare(
    `UPDATE jobs SET (delivery_state, settled_at) = (
       SELECT CASE
           WHEN jobs.delivery_state = 'delivered'
             OR count(*) FILTER (WHERE votes = 1 AND state = 'delivered') >= jobs.quorum THEN 'delivered'
           WHEN count(*) FILTER (WHERE votes = 1 AND state IN ('delivered', 'pending')) < jobs.quorum THEN 'undelivered'
           ELSE 'pending'
         END,
         iif(count(*) FILTER (WHERE state = 'pending') > 0, NULL, coalesce(jobs.settled_at, ?1))
       FROM deliveries WHERE seq = ?2
     ) WHERE seq = ?2 RETURNING delivery_state`
  ),
  stateOf: db.prepare("SELECT delivery_state FROM jobs WHERE seq = ?"),
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
  const { tally } = self
  const noted = note(self, id, attempt?.json ?? null, next)
  if (noted === undefined) {
    const known = self.on.byId.get(id)
    if (known === undefined) throw new Error(`there is no delivery ${id}`)
    return { deliveryState: stateOf(self, known["seq"]), endpoint: undefined }
  }
  const { seq } = noted
  if (next._tag === "Dead") tally.dead++
  if (next._tag !== "Again") tally.pending--
  const at = next._tag === "Dead" ? next.at : (attempt?.at ?? 0)
  const deliveryState = next._tag === "Again" ? stateOf(self, seq) : judge(self, seq, at)
  if (attempt === undefined) return { deliveryState, endpoint: undefined }
  const place = { customer: String(noted["customer"]), url: String(noted["url"]), lane: String(noted["lane"]) }
  return next._tag === "Delivered"
    ? { deliveryState, ...took(self, place, attempt.at) }
    : { deliveryState, endpoint: failed(self, place, attempt, rule) }
}

/** Notes an attempt at a delivery that is still pending. */
const note = ({ on }: Outcomes, id: string, json: string | null, next: NextDelivery) => {
  switch (next._tag) {
    case "Again":
      return on.note.get(json, "pending", next.dueAt, null, null, Number(!next.spends), id)
    case "Delivered":
      return on.note.get(json, "delivered", null, null, null, 0, id)
    case "Dead":
      return on.note.get(json, "dead", null, next.reason, next.at, 0, id)
  }
}

const judge = ({ on }: Outcomes, seq: SQLInputValue = null, at: number): string =>
  String(on.judge.get(at, seq)?.["delivery_state"])

const stateOf = ({ on }: Outcomes, seq: SQLInputValue = null): string => String(on.stateOf.get(seq)?.["delivery_state"])

const took = ({ on, tally }: Outcomes, { customer, lane, url }: Place, at: number) => {
  const known = tally.endpoints === 0 ? undefined : on.endpoint.get(customer, url)
  if (known === undefined) return { endpoint: undefined }
  on.forget.run(customer, url)
  tally.endpoints--
  const recoveredFrom = Number(known["failing_since"])
  if (known["status"] !== "disabled") return { endpoint: undefined, recoveredFrom }
  on.sooner.run(at, lane, customer, url)
  return { endpoint: "enabled", recoveredFrom } as const
}

const failed = (
  { on, tally }: Outcomes,
  { customer, lane, url }: Place,
  { at, isGone }: DeliveryAttemptInsert,
  rule: EndpointRule
): "disabled" | undefined => {
  const { failing_since, failures, status } = on.fail.get(customer, url, lane, at) ?? {}
  if (failures === 1) tally.endpoints++
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
