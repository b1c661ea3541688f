/**
 * Ends jobs, as statements: many in one, with their results, their last attempts and the first delivery of each.
 *
 * What else an end brings (more deliveries, children, the next of an order) is done by `JobCommands` for those that have it.
 */
import * as Effect from "effect/Effect"
import type { Cell, Fault, FinishInsert, Row } from "../rows/Commands.ts"
import { endOf } from "../rows/JobValues.ts"
import { move, stateOf, type Tally } from "../rows/Tally.ts"
import { bytes, type Session, texts } from "./Session.ts"

/** A job to end, if it is as it is known. */
export interface Ending {
  readonly id: string
  readonly epoch: number
  readonly from: string
  readonly finish: FinishInsert
}

const deliveryColumns = "id, job_id, customer, place, url, regions, votes, lane, terms"

const end = `WITH g AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
      $9::text[], $10::text[], $11::text[], $12::bytea[], $13::text[], $14::text[], $15::text[], $16::text[], $17::bytea[],
      $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[], $26::text[],
      $27::bytea[])
    AS g(job, of_epoch, was, becomes, told, ended_at, told_at, votes_needed, status, why, result, bodies,
      path, racer, attempt, response, body, d_id, d_job_id, d_customer, d_place, d_url, d_regions, d_votes, d_lane, d_terms,
      d_body)
  ), ended AS (
    UPDATE jobs SET state = g.becomes, delivery_state = g.told, due_at = NULL, finished_at = g.ended_at::float8,
      settled_at = g.told_at::float8, quorum = coalesce(g.votes_needed::integer, quorum),
      failed_status = g.status::integer, failed_reason = g.why
    FROM g WHERE id = g.job AND epoch = g.of_epoch::integer AND state = g.was
    RETURNING jobs.seq, id, lane, customer, batch, epoch, order_key, order_stops, coalesce_key, g.*,
      CASE WHEN g.d_id IS NOT NULL THEN nextval('deliveries_n') END AS d_n
  ), let_go AS (
    UPDATE attempts SET response = NULL, body = NULL FROM ended
    WHERE ended.attempt IS NOT NULL AND attempts.seq = ended.seq AND attempts.path = ended.path::integer
      AND attempts.racer = ended.racer::integer AND attempts.response IS NOT NULL
  ), tried AS (
    INSERT INTO attempts (seq, path, racer, attempt, response, body)
    SELECT seq, path::integer, racer::integer, attempt, response, body FROM ended WHERE attempt IS NOT NULL
  ), kept AS (
    INSERT INTO results (seq, result, bodies) SELECT seq, result, bodies FROM ended
  ), told AS (
    INSERT INTO deliveries (n, seq, due_at, begun_at, ${deliveryColumns})
    SELECT d_n, seq, ended_at::float8, ended_at::float8, d_id, d_job_id, d_customer, d_place::integer, d_url, d_regions,
      d_votes::integer, d_lane, d_terms FROM ended WHERE d_n IS NOT NULL
  ), packed AS (
    INSERT INTO delivery_bodies (n, body) SELECT d_n, d_body FROM ended WHERE d_n IS NOT NULL
  ) SELECT seq, id, lane, customer, batch, epoch, order_key, order_stops, coalesce_key FROM ended`

const further = `WITH told AS (
    INSERT INTO deliveries (seq, due_at, begun_at, ${deliveryColumns})
    VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING n
  ) INSERT INTO delivery_bodies (n, body) SELECT n, $12::bytea FROM told`

/** Ends those that are as they are known; answers their rows by their ids. */
export const all = Effect.fnUntraced(function* (
  on: Session,
  tally: Tally,
  endings: ReadonlyArray<Ending>
): Effect.fn.Return<ReadonlyMap<string, Row>, Fault> {
  const column = (of: (ending: Ending) => Cell | undefined) => texts(endings.map(of))
  const binary = (of: (ending: Ending) => Uint8Array | null | undefined) =>
    bytes(endings.map((ending) => of(ending) ?? null))
  const ends = endings.map(({ finish }) => endOf(finish))
  const found = yield* on.all(
    end,
    column(({ id }) => id),
    column(({ epoch }) => epoch),
    column(({ from }) => from),
    ...([0, 1, 2, 3, 4, 5, 6] as const).map((place) => texts(ends.map((one) => one[place]))),
    column(({ finish }) => finish.result),
    binary(({ finish }) => finish.bodies),
    column(({ finish }) => finish.attempt?.path),
    column(({ finish }) => finish.attempt?.racer),
    column(({ finish }) => finish.attempt?.attempt),
    column(({ finish }) => finish.attempt?.response),
    binary(({ finish }) => finish.attempt?.body),
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((place) => column(({ finish }) => finish.deliveries[0]?.columns[place])),
    binary(({ finish }) => finish.deliveries[0]?.body)
  )
  const rows = new Map(found.map((row) => [String(row["id"]), row]))
  for (const { finish, from, id } of endings) {
    const row = rows.get(id)
    if (row === undefined) continue
    const whose = { lane: String(row["lane"]), customer: String(row["customer"]) }
    move(tally, { ...whose, from: stateOf(from), to: finish.state, jobs: 1 })
    tally.pending += finish.deliveries.length
    for (const { body, columns } of finish.deliveries.slice(1)) {
      yield* on.run(further, row["seq"] ?? null, finish.at, ...columns, body)
    }
  }
  return rows
})
