/**
 * What becomes of deliveries and of the endpoints they go to, as statements.
 *
 * An endpoint has a row only while it fails: where none does, a delivery that goes well looks for none, and many of them
 * are settled at once.
 */
import * as Effect from "effect/Effect"
import type { DeliveryAttemptInsert, DeliveryCommands, Fault, Row } from "../rows/Commands.ts"
import type { Tally } from "../rows/Tally.ts"
import type { EndpointRule, NextDelivery } from "../store/DeliveryRecords.ts"
import { broken, type Over, type Session, texts } from "./Session.ts"

/** Settles the delivery states of jobs from the votes of their deliveries, and answers them by `seq`. */
export type Judge = (jobs: ReadonlyMap<number, number>) => Effect.Effect<ReadonlyMap<number, string>, Fault>

interface Place {
  readonly customer: string
  readonly url: string
  readonly lane: string
}

// no JSON is read for what is added to its end
const noted = (json: string) =>
  `CASE WHEN ${json} IS NULL THEN attempts WHEN attempts = '[]' THEN '[' || ${json} || ']'
     ELSE left(attempts, -1) || ',' || ${json} || ']' END`

const note = `UPDATE deliveries SET attempts = ${noted("$1::text")}, state = $2, due_at = coalesce($3, due_at), reason = $4,
    dead_at = $5, spent = spent + $6 WHERE id = $7 AND state = 'pending' RETURNING seq, customer, url, lane`

const deliver = `UPDATE deliveries SET attempts = ${noted("g.json")}, state = 'delivered', reason = NULL, dead_at = NULL
  FROM unnest($1::text[], $2::text[]) AS g(delivery, json) WHERE id = g.delivery AND state = 'pending' RETURNING id, seq`

const judge = `UPDATE jobs SET (delivery_state, settled_at) = (
    SELECT CASE
        WHEN jobs.delivery_state = 'delivered'
          OR count(*) FILTER (WHERE votes = 1 AND state = 'delivered') >= jobs.quorum THEN 'delivered'
        WHEN count(*) FILTER (WHERE votes = 1 AND state IN ('delivered', 'pending')) < jobs.quorum THEN 'undelivered'
        ELSE 'pending'
      END,
      CASE WHEN count(*) FILTER (WHERE state = 'pending') > 0 THEN NULL ELSE coalesce(jobs.settled_at, g.at::float8) END
    FROM deliveries WHERE deliveries.seq = jobs.seq
  ) FROM unnest($1::text[], $2::text[]) AS g(job, at) WHERE jobs.seq = g.job::bigint RETURNING seq, delivery_state`

const known = "SELECT * FROM endpoints WHERE customer = $1 AND md5(url) = md5($2)"

const disable = `UPDATE endpoints SET status = 'disabled', reason = $1, since = $2, probe_at = $3
  WHERE customer = $4 AND md5(url) = md5($5)`

const probe = `UPDATE endpoints SET probe_at = $1
  WHERE customer = $2 AND md5(url) = md5($3) AND reason = 'failing' AND probe_at < $1`

const later = `UPDATE deliveries SET due_at = $1
  WHERE state = 'pending' AND lane = $2 AND due_at < $1 AND customer = $3 AND url = $4`

const sooner = `UPDATE deliveries SET due_at = $1
  WHERE state = 'pending' AND lane = $2 AND due_at > $1 AND customer = $3 AND url = $4`

/** What went well, and nothing was wrong before. */
export interface Taken {
  readonly id: string
  readonly attempt: DeliveryAttemptInsert
}

/** The commands, and what others build on. */
export const deliveryCommands = (on: Session, tally: Tally) => {
  const judged: Judge = Effect.fnUntraced(function* (jobs) {
    if (jobs.size === 0) return new Map()
    const rows = yield* on.all(judge, texts([...jobs.keys()]), texts([...jobs.values()]))
    return new Map(rows.map((row) => [Number(row["seq"]), String(row["delivery_state"])]))
  })
  const self: Outcomes = { on, tally, judge: judged }
  const commands = {
    settleDelivery: (id, attempt, next, rule) => settle(self, id, { attempt, next, rule }),
    endpoints: (customer) =>
      on.all("SELECT * FROM endpoints WHERE customer = $1 ORDER BY status, since DESC, url LIMIT 1000", customer),
    enableEndpoint: Effect.fnUntraced(function* (customer, url, now) {
      const found = yield* on.one(known, customer, url)
      if (found === undefined) return []
      yield* took(self, { customer, url, lane: String(found["lane"]) }, now)
      return [found]
    }),
    holdEndpoint: Effect.fnUntraced(function* (customer, url, until) {
      const found = yield* on.one(known, customer, url)
      if (found?.["reason"] !== "failing") return
      yield* on.run(probe, until, customer, url)
      yield* on.run(later, until, found["lane"] ?? null, customer, url)
    })
  } satisfies Pick<Over<DeliveryCommands>, "enableEndpoint" | "endpoints" | "holdEndpoint" | "settleDelivery">
  return {
    commands,
    judge: judged,
    deliverAll: (taken: ReadonlyArray<Taken>) => deliverAll(self, taken),
    settledAs: (id: string) => settledAs(on, id)
  }
}

interface Outcomes {
  readonly on: Session
  readonly tally: Tally
  readonly judge: Judge
}

/** What an attempt was, what follows, and when its endpoint is disabled. */
interface Outcome {
  readonly attempt: DeliveryAttemptInsert | undefined
  readonly next: NextDelivery
  readonly rule: EndpointRule
}

/** Settles deliveries that went well; answers the delivery states of their jobs, of those that were pending. */
const deliverAll = Effect.fnUntraced(function* (
  { judge: judged, on, tally }: Outcomes,
  taken: ReadonlyArray<Taken>
): Effect.fn.Return<ReadonlyMap<string, string>, Fault> {
  const rows = yield* on.all(deliver, texts(taken.map(({ id }) => id)), texts(taken.map(({ attempt }) => attempt.json)))
  tally.pending -= rows.length
  const moments = new Map(taken.map(({ attempt, id }) => [id, attempt.at]))
  const states = yield* judged(new Map(rows.map(({ id, seq }) => [Number(seq), moments.get(String(id)) ?? 0])))
  return new Map(rows.map(({ id, seq }) => [String(id), states.get(Number(seq)) ?? ""]))
})

const settle = Effect.fnUntraced(function* (
  self: Outcomes,
  id: string,
  { attempt, next, rule }: Outcome
): Effect.fn.Return<ReturnType<DeliveryCommands["settleDelivery"]>, Fault> {
  const { on, tally } = self
  const row = yield* noteOne(on, id, attempt?.json ?? null, next)
  if (row === undefined) return { deliveryState: yield* settledAs(on, id), endpoint: undefined }
  if (next._tag === "Dead") tally.dead++
  if (next._tag !== "Again") tally.pending--
  const at = next._tag === "Dead" ? next.at : (attempt?.at ?? 0)
  const seq = Number(row["seq"])
  const deliveryState =
    next._tag === "Again" ? yield* stateOf(on, row) : ((yield* self.judge(new Map([[seq, at]]))).get(seq) ?? "")
  if (attempt === undefined) return { deliveryState, endpoint: undefined }
  const place = { customer: String(row["customer"]), url: String(row["url"]), lane: String(row["lane"]) }
  return next._tag === "Delivered"
    ? { deliveryState, ...(yield* took(self, place, attempt.at)) }
    : { deliveryState, endpoint: yield* failed(self, place, attempt, rule) }
})

/** Notes an attempt at a delivery that is still pending. */
const noteOne = (on: Session, id: string, json: string | null, next: NextDelivery) => {
  switch (next._tag) {
    case "Again":
      return on.one(note, json, "pending", next.dueAt, null, null, Number(!next.spends), id)
    case "Delivered":
      return on.one(note, json, "delivered", null, null, null, 0, id)
    case "Dead":
      return on.one(note, json, "dead", null, next.reason, next.at, 0, id)
  }
}

/** The delivery state of the job of a delivery that was settled before. */
const settledAs = Effect.fnUntraced(function* (on: Session, id: string): Effect.fn.Return<string, Fault> {
  const found = yield* on.one("SELECT seq FROM deliveries WHERE id = $1", id)
  if (found === undefined) return yield* Effect.fail({ ...broken(`there is no delivery ${id}`), local: true })
  return yield* stateOf(on, found)
})

const stateOf = (on: Session, { seq = null }: Row) =>
  Effect.map(on.one("SELECT delivery_state FROM jobs WHERE seq = $1", seq), (row) => String(row?.["delivery_state"]))

const took = Effect.fnUntraced(function* (
  { on, tally }: Outcomes,
  { customer, lane, url }: Place,
  at: number
): Effect.fn.Return<{ readonly endpoint: "enabled" | undefined; readonly recoveredFrom?: number }, Fault> {
  const found = tally.endpoints === 0 ? undefined : yield* on.one(known, customer, url)
  if (found === undefined) return { endpoint: undefined }
  yield* on.run("DELETE FROM endpoints WHERE customer = $1 AND md5(url) = md5($2)", customer, url)
  tally.endpoints--
  const recoveredFrom = Number(found["failing_since"])
  if (found["status"] !== "disabled") return { endpoint: undefined, recoveredFrom }
  yield* on.run(sooner, at, lane, customer, url)
  return { endpoint: "enabled", recoveredFrom }
})

const failed = Effect.fnUntraced(function* (
  { on, tally }: Outcomes,
  { customer, lane, url }: Place,
  { at, isGone }: DeliveryAttemptInsert,
  rule: EndpointRule
): Effect.fn.Return<"disabled" | undefined, Fault> {
  const row = yield* on.one(
    `INSERT INTO endpoints (customer, url, lane, since, failures, failing_since, seen_at) VALUES ($1, $2, $3, $4, 1, $4, $4)
     ON CONFLICT (customer, md5(url)) DO UPDATE SET failures = endpoints.failures + 1, seen_at = excluded.seen_at
     RETURNING status, failures, failing_since`,
    customer,
    url,
    lane,
    at
  )
  if (row?.["failures"] === 1) tally.endpoints++
  const isDisabled = row?.["status"] === "disabled"
  if (isGone) {
    yield* on.run(disable, "gone", at, null, customer, url)
    yield* on.run(sooner, at, lane, customer, url)
    return isDisabled ? undefined : "disabled"
  }
  const isTooLong =
    Number(row?.["failures"]) >= rule.failures && at - Number(row?.["failing_since"]) >= rule.failingMillis
  if (!isDisabled && !isTooLong) return undefined
  const probeAt = at + rule.probeMillis
  if (isDisabled && (yield* on.run(probe, probeAt, customer, url)) === 0) return undefined
  if (!isDisabled) yield* on.run(disable, "failing", at, probeAt, customer, url)
  yield* on.run(later, probeAt, lane, customer, url)
  return isDisabled ? undefined : "disabled"
})
