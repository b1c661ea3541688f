/**
 * What becomes of deliveries and of the endpoints they go to, as statements. Runs in the thread that writes.
 *
 * An endpoint has a row only while it fails: a delivery that goes well looks into an empty table.
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import type { JobStore } from "../store/JobStore.ts"
import type { EndpointRule } from "../store/DeliveryRecords.ts"
import type { Row } from "../rows/Commands.ts"
import type { Tally } from "./Tally.ts"

/** An attempt as it travels: as JSON, and what matters of it here. */
export interface AttemptMade {
  readonly json: string
  readonly at: number
  readonly isGone: boolean
}

type Next = Parameters<JobStore["Service"]["settleDelivery"]>[2]

/** Settles the delivery state of a job from the votes of its deliveries, and answers it. */
export type Judge = (seq: SQLInputValue, at: number) => string

/** Prepares the statements once and makes the commands over them. */
export const deliveryCommands = (db: DatabaseSync, tally: Tally) => {
  const byId = db.prepare("SELECT n, seq, state, customer, url, lane FROM deliveries WHERE id = ?")
  const note = db.prepare(
    `UPDATE deliveries SET attempts = iif(?1 IS NULL, attempts, json_insert(attempts, '$[#]', json(?1))),
       state = ?2, due_at = coalesce(?3, due_at), reason = ?4, dead_at = ?5, spent = spent + ?6 WHERE n = ?7`
  )
  const votes = db.prepare(
    `SELECT quorum, delivery_state, settled_at,
       (SELECT count(*) FROM deliveries WHERE seq = jobs.seq AND votes = 1 AND state = 'delivered') AS yes,
       (SELECT count(*) FROM deliveries WHERE seq = jobs.seq AND votes = 1 AND state = 'pending') AS open,
       (SELECT count(*) FROM deliveries WHERE seq = jobs.seq AND state = 'pending') AS pending
     FROM jobs WHERE seq = ?`
  )
  const settle = db.prepare("UPDATE jobs SET delivery_state = ?, settled_at = ? WHERE seq = ?")
  const endpoint = db.prepare("SELECT * FROM endpoints WHERE customer = ? AND url = ?")
  const endpoints = db.prepare("SELECT * FROM endpoints WHERE customer = ? ORDER BY status, since DESC, url LIMIT 1000")
  const fail = db.prepare(
    `INSERT INTO endpoints (customer, url, lane, since, failures, failing_since, seen_at) VALUES (?1, ?2, ?3, ?4, 1, ?4, ?4)
     ON CONFLICT DO UPDATE SET failures = failures + 1, seen_at = ?4 RETURNING status, failures, failing_since`
  )
  const disable = db.prepare(
    "UPDATE endpoints SET status = 'disabled', reason = ?, since = ?, probe_at = ? WHERE customer = ? AND url = ?"
  )
  const probe = db.prepare(
    "UPDATE endpoints SET probe_at = ? WHERE customer = ? AND url = ? AND reason = 'failing' AND probe_at < ?1"
  )
  const forget = db.prepare("DELETE FROM endpoints WHERE customer = ? AND url = ?")
  const later = db.prepare(
    `UPDATE deliveries SET due_at = ?1
     WHERE state = 'pending' AND lane = ?2 AND due_at < ?1 AND customer = ?3 AND url = ?4`
  )
  const sooner = db.prepare(
    `UPDATE deliveries SET due_at = ?1
     WHERE state = 'pending' AND lane = ?2 AND due_at > ?1 AND customer = ?3 AND url = ?4`
  )

  const judge: Judge = (seq, at) => {
    const { delivery_state, open, pending, quorum, settled_at = null, yes } = votes.get(seq) ?? {}
    const reached = delivery_state === "delivered" || Number(yes) >= Number(quorum)
    const lost = Number(yes) + Number(open) < Number(quorum)
    const verdict = reached ? "delivered" : lost ? "undelivered" : "pending"
    settle.run(verdict, Number(pending) > 0 ? null : (settled_at ?? at), seq)
    return verdict
  }

  const stateOf = (seq: SQLInputValue): string => String(votes.get(seq)?.["delivery_state"])

  interface Place {
    readonly customer: string
    readonly url: string
    readonly lane: string
  }

  const took = ({ customer, lane, url }: Place, at: number): "enabled" | undefined => {
    const known = endpoint.get(customer, url)
    if (known === undefined) return undefined
    forget.run(customer, url)
    if (known["status"] !== "disabled") return undefined
    sooner.run(at, lane, customer, url)
    return "enabled"
  }

  const failed = ({ customer, lane, url }: Place, at: number, isGone: boolean, rule: EndpointRule) => {
    const { failing_since, failures, status } = fail.get(customer, url, lane, at) ?? {}
    const isDisabled = status === "disabled"
    if (isGone) {
      disable.run("gone", at, null, customer, url)
      sooner.run(at, lane, customer, url)
      return isDisabled ? undefined : "disabled"
    }
    const isTooLong = Number(failures) >= rule.failures && at - Number(failing_since) >= rule.failingMillis
    if (!isDisabled && !isTooLong) return undefined
    const probeAt = at + rule.probeMillis
    if (isDisabled && probe.run(probeAt, customer, url).changes === 0) return undefined
    if (!isDisabled) disable.run("failing", at, probeAt, customer, url)
    later.run(probeAt, lane, customer, url)
    return isDisabled ? undefined : "disabled"
  }

  const commands = {
    settleDelivery: (id: string, attempt: AttemptMade | undefined, next: Next, rule: EndpointRule) => {
      const found = byId.get(id)
      if (found === undefined) throw new Error(`there is no delivery ${id}`)
      const { n = null, seq = null } = found
      if (found["state"] !== "pending") return { deliveryState: stateOf(seq), endpoint: undefined }
      const place = { customer: String(found["customer"]), url: String(found["url"]), lane: String(found["lane"]) }
      const json = attempt?.json ?? null
      switch (next._tag) {
        case "Again":
          note.run(json, "pending", next.dueAt, null, null, Number(!next.spends), n)
          break
        case "Delivered":
          note.run(json, "delivered", null, null, null, 0, n)
          break
        case "Dead":
          note.run(json, "dead", null, next.reason, next.at, 0, n)
          tally.dead++
          break
      }
      if (next._tag !== "Again") tally.pending--
      const at = next._tag === "Dead" ? next.at : (attempt?.at ?? 0)
      const deliveryState = next._tag === "Again" ? stateOf(seq) : judge(seq, at)
      if (attempt === undefined) return { deliveryState, endpoint: undefined }
      const changed =
        next._tag === "Delivered" ? took(place, attempt.at) : failed(place, attempt.at, attempt.isGone, rule)
      return { deliveryState, endpoint: changed } as const
    },
    endpoints: (customer: string): ReadonlyArray<Row> => endpoints.all(customer),
    enableEndpoint: (customer: string, url: string, now: number): ReadonlyArray<Row> => {
      const known = endpoint.get(customer, url)
      if (known === undefined) return []
      took({ customer, url, lane: String(known["lane"]) }, now)
      return [known]
    },
    holdEndpoint: (customer: string, url: string, until: number): void => {
      const known = endpoint.get(customer, url)
      if (known === undefined || known["reason"] !== "failing") return
      probe.run(until, customer, url)
      later.run(until, String(known["lane"]), customer, url)
    }
  }
  return { commands, judge }
}
