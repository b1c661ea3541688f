/** What the store does with jobs, as statements. What many jobs go through is done for many of them at once. */
import * as Effect from "effect/Effect"
import type { JobState } from "../../engine/JobState.ts"
import { keyedRange } from "../job/LaneName.ts"
import type {
  AttemptInsert,
  Cell,
  Fault,
  FinishInsert,
  JobCommands,
  JobInsert,
  LoadedJob,
  ParkingUpdate,
  Row
} from "../rows/Commands.ts"
import type { JoinCommands } from "../rows/JoinCommands.ts"
import { digestOf, valueOf } from "../rows/JobValues.ts"
import { move, moveOver, stateOf, type Tally } from "../rows/Tally.ts"
import { batchEnds } from "./BatchEnds.ts"
import { liveOf } from "./Counts.ts"
import * as Ending from "./Ending.ts"
import * as Filing from "./Filing.ts"
import type { Joins } from "./JoinCommands.ts"
import type { Orders } from "./OrderCommands.ts"
import { bytes, type Over, type Session, texts } from "./Session.ts"

/** What the commands of jobs work with. */
export interface Jobs {
  readonly on: Session
  readonly tally: Tally
  readonly orders: Orders
  readonly joins: Joins
  readonly joined: Pick<Over<JoinCommands>, "debounced">
}

const whole = `SELECT jobs.*, step, result, bodies, (SELECT id FROM batches WHERE n = jobs.batch) AS batch_id
  FROM jobs JOIN payloads USING (seq) LEFT JOIN results USING (seq)`

// with a second state, which none has, Postgres goes by the ids: an index of what is queued it would go through for each
const begin = `UPDATE jobs SET state = 'running', epoch = epoch + 1, started_at = coalesce(started_at, g.at::float8)
  FROM unnest($1::text[], $2::text[]) AS g(job, at) WHERE id = g.job AND state IN ('queued', '') RETURNING id, seq, lane, epoch`

const record = `WITH g AS MATERIALIZED (
    SELECT seq, given.* FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[])
      WITH ORDINALITY AS given(job, of_epoch, path, racer, attempt, response, body, place)
    JOIN jobs ON id = job AND epoch = of_epoch::integer AND state IN ('running', '')
  ), let_go AS (
    UPDATE attempts SET response = NULL, body = NULL FROM g
    WHERE attempts.seq = g.seq AND attempts.path = g.path::integer AND attempts.racer = g.racer::integer
      AND attempts.response IS NOT NULL
  ), tried AS (
    INSERT INTO attempts (seq, path, racer, attempt, response, body)
    SELECT seq, path::integer, racer::integer, attempt, response, body FROM g
  ) SELECT job FROM g`

const park = `UPDATE jobs SET state = 'parked', due_at = $2, held_since = coalesce(held_since, $3), paused_for = $4, held_by = $5,
    lane = $6, account = coalesce($7, account), limits = CASE WHEN $8::boolean THEN $9 ELSE limits END WHERE seq = $1`

const hasten = `UPDATE jobs SET state = 'queued', due_at = $1,
    deadline_at = deadline_at - greatest(0, coalesce(not_before, 0) - $1::float8),
    not_before = CASE WHEN not_before IS NULL THEN NULL ELSE least(not_before, $1) END WHERE seq = $2
  RETURNING lane, account`

const idle = `SELECT seq, lane, customer, state, due_at, epoch FROM jobs
  WHERE id = $1 AND state IN ('scheduled', 'queued', 'parked')`

/** The commands, and those that others build on. */
export const jobCommands = (self: Jobs) => {
  const { joined, on, tally } = self
  const commands = {
    enqueue: (job) => enqueue(self, job),
    enqueueBelow: Effect.fnUntraced(function* (job, most) {
      const jobs = yield* liveOf(on, tally, String(valueOf(job, "customer")))
      return jobs < most ? yield* enqueue(self, job) : ((yield* known(self, digestOf(job))) ?? jobs)
    }),
    enqueueOver: Effect.fnUntraced(function* (job, over, most) {
      const customer = String(valueOf(job, "customer"))
      const first = yield* known(self, digestOf(job))
      if (first !== undefined) return first
      const waiting = job.debounce && (yield* joined.debounced(customer, job.debounce.key))
      if (waiting?.id !== over?.id) return "moved" as const
      if (over !== null) yield* finishIdle(self, over.id, over.finish)
      else if (most !== null) {
        const jobs = yield* liveOf(on, tally, customer)
        if (jobs >= most) return jobs
      }
      return yield* enqueue(self, job)
    }),
    get: Effect.fnUntraced(function* (id) {
      const found = yield* on.one("SELECT seq FROM jobs WHERE id = $1", id)
      return found && (yield* load(self, found["seq"]))
    }),
    start: Effect.fnUntraced(function* (id, at) {
      const started = (yield* beginAll(self, [[id, at]])).get(id)
      return started && (yield* load(self, started["seq"]))
    }),
    begin: (id, at) => Effect.map(beginAll(self, [[id, at]]), (begun) => epochOf(begun.get(id))),
    record: (id, epoch, attempt) => Effect.map(recordAll(self, [[id, epoch, attempt]]), (noted) => noted.has(id)),
    park: (id, epoch, parking) => parkAt(self, id, epoch, parking),
    hasten: Effect.fnUntraced(function* (id, now) {
      const waits = yield* on.one(idle, id)
      // without a moment it waits for others, which nobody can hasten
      if (waits === undefined || waits["state"] === "queued" || waits["due_at"] === null) return undefined
      const job = yield* on.one(hasten, now, waits["seq"] ?? null)
      if (job === undefined) return undefined
      moveOne(tally, job, stateOf(waits["state"]), "queued")
      return { lane: String(job["lane"]), queue: String(job["account"]) }
    }),
    lift: (lane, now) =>
      // the name of a host means all its lanes
      on.run(
        `UPDATE jobs SET due_at = $1 WHERE state = 'parked' AND due_at > $1 AND held_by IS NOT NULL
           AND (held_by = $2 OR (held_by > $3 AND held_by < $4))`,
        now,
        lane,
        ...keyedRange(lane)
      ),
    finish: Effect.fnUntraced(function* (id, epoch, finish) {
      const ended = yield* finishAll(self, [{ id, epoch, from: "running", finish }])
      return ended.has(id) ? yield* areOpen(self, finish) : undefined
    }),
    finishIdle: (id, finish) => finishIdle(self, id, finish)
  } satisfies Omit<Over<JobCommands>, "change" | "list" | "count" | "erase">
  return {
    commands,
    load: (seq: Cell) => load(self, seq),
    known: (job: JobInsert) => known(self, digestOf(job)),
    loadAll: (seqs: ReadonlyArray<Cell>) => loadAll(self, seqs),
    knownAll: (digests: ReadonlyArray<Uint8Array>) => knownAll(self, digests),
    beginAll: (starts: ReadonlyArray<readonly [id: string, at: number]>) => beginAll(self, starts),
    recordAll: (tries: ReadonlyArray<Try>) => recordAll(self, tries),
    finishAll: (endings: ReadonlyArray<Ending.Ending>) => finishAll(self, endings),
    areOpen: (finish: FinishInsert) => areOpen(self, finish)
  }
}

/** An attempt at a job, under an epoch. */
export type Try = readonly [id: string, epoch: number, attempt: AttemptInsert]

const load = Effect.fnUntraced(function* (self: Jobs, seq: Cell = null): Effect.fn.Return<LoadedJob, Fault> {
  const [job] = yield* attemptsOf(self, yield* self.on.all(`${whole} WHERE jobs.seq = $1`, seq))
  return job ?? (yield* Effect.fail(wrong("a job has lost its payload")))
})

/** Jobs by their ids. */
const loadAll = Effect.fnUntraced(function* (
  self: Jobs,
  seqs: ReadonlyArray<Cell>
): Effect.fn.Return<ReadonlyMap<string, LoadedJob>, Fault> {
  if (seqs.length === 0) return new Map()
  const rows = yield* self.on.all(`${whole} WHERE jobs.seq = ANY($1::text[]::bigint[])`, texts(seqs))
  return new Map((yield* attemptsOf(self, rows)).map((one) => [String(one.job["id"]), one] as const))
})

/** Jobs with their attempts, in the order of their rows. */
const attemptsOf = Effect.fnUntraced(function* (
  { on }: Jobs,
  rows: ReadonlyArray<Row>
): Effect.fn.Return<ReadonlyArray<LoadedJob>, Fault> {
  const tried = rows.filter(({ epoch }) => epoch !== 0).map(({ seq }) => seq)
  const attempts =
    tried.length === 0
      ? []
      : yield* on.all(
          "SELECT seq, attempt, response, body FROM attempts WHERE seq = ANY($1::text[]::bigint[]) ORDER BY n",
          texts(tried)
        )
  const bySeq = Map.groupBy(attempts, ({ seq }) => seq)
  return rows.map((job) => ({ job, attempts: bySeq.get(job["seq"] ?? null) ?? [] }))
})

/** Only the command is wrong. */
const wrong = (detail: string): Fault => ({ kind: "failed", detail, local: true })

const enqueue = Effect.fnUntraced(function* (
  self: Jobs,
  job: JobInsert
): Effect.fn.Return<LoadedJob | "behind" | undefined, Fault> {
  const { joins, on, orders, tally } = self
  const { coalesce, order } = job
  const leader = coalesce !== undefined && job.state === "queued" ? yield* joins.leaderOf(coalesce) : undefined
  const isBehind = order !== undefined && (yield* orders.isTaken(String(valueOf(job, "customer")), order.key))
  const digest = digestOf(job)
  const filed = yield* Filing.all(on, tally, [{ job, digest, isBehind, leader }])
  if (filed.size === 1) return isBehind || leader !== undefined ? "behind" : undefined
  const first = yield* known(self, digest)
  return first ?? (yield* Effect.fail(wrong("the job's id is taken")))
})

/** The job that has a key already. */
const known = (self: Jobs, digest: Uint8Array | null): Effect.Effect<LoadedJob | undefined, Fault> =>
  digest === null
    ? Effect.succeed(undefined)
    : Effect.map(knownAll(self, [digest]), (found) => found.get(hexOf(digest)))

/** The jobs that have some keys, by the names of their digests. */
const knownAll = Effect.fnUntraced(function* (
  self: Jobs,
  digests: ReadonlyArray<Uint8Array>
): Effect.fn.Return<ReadonlyMap<string, LoadedJob>, Fault> {
  const rows = yield* self.on.all(`${whole} WHERE key_digest = ANY($1::bytea[])`, bytes(digests))
  const loaded = yield* attemptsOf(self, rows)
  return new Map(
    loaded.flatMap((one) => {
      const digest = one.job["key_digest"]
      return digest instanceof Uint8Array ? [[hexOf(digest), one] as const] : []
    })
  )
})

/** A digest as the name of a key. */
export const hexOf = (digest: Uint8Array): string => Buffer.from(digest).toString("hex")

const beginAll = Effect.fnUntraced(function* (
  { on, tally }: Jobs,
  starts: ReadonlyArray<readonly [id: string, at: number]>
): Effect.fn.Return<ReadonlyMap<string, Row>, Fault> {
  const rows = yield* on.all(begin, texts(starts.map(([id]) => id)), texts(starts.map(([, at]) => at)))
  for (const row of rows) moveOne(tally, row, "queued", "running")
  return new Map(rows.map((row) => [String(row["id"]), row]))
})

/** The epoch of a row that was answered, if any. */
export const epochOf = (row: Row | undefined): number | undefined => row && Number(row["epoch"])

/** As in `History.append`: only the last answer of a racer is kept. One job must not be here twice. */
const recordAll = Effect.fnUntraced(function* (
  { on }: Jobs,
  tries: ReadonlyArray<Try>
): Effect.fn.Return<ReadonlySet<string>, Fault> {
  const rows = yield* on.all(
    record,
    texts(tries.map(([id]) => id)),
    texts(tries.map(([, epoch]) => epoch)),
    texts(tries.map(([, , { path }]) => path)),
    texts(tries.map(([, , { racer }]) => racer)),
    texts(tries.map(([, , { attempt }]) => attempt)),
    texts(tries.map(([, , { response }]) => response)),
    bytes(tries.map(([, , { body }]) => body))
  )
  return new Set(rows.map(({ job }) => String(job)))
})

const finishIdle = Effect.fnUntraced(function* (
  self: Jobs,
  id: string,
  finish: FinishInsert
): Effect.fn.Return<boolean, Fault> {
  const job = yield* self.on.one(idle, id)
  if (job === undefined) return false
  yield* finishAll(self, [{ id, epoch: Number(job["epoch"]), from: String(job["state"]), finish }])
  return true
})

/** Ends jobs, and does what else the end of each brings. */
const finishAll = Effect.fnUntraced(function* (
  self: Jobs,
  endings: ReadonlyArray<Ending.Ending>
): Effect.fn.Return<ReadonlyMap<string, Row>, Fault> {
  const { joins, on, orders, tally } = self
  const ended = yield* Ending.all(on, tally, endings)
  for (const { finish, id } of endings) {
    const row = ended.get(id)
    if (row === undefined) continue
    // before its children, which go to the end of the line
    if (row["order_key"] !== null) yield* orders.ended(row, finish)
    // whoever else was called has an answer for those that wait for it
    if (row["coalesce_key"] !== null && (finish.state === "cancelled" || row["epoch"] === 0)) yield* joins.orphan(id)
    for (const child of finish.children) yield* enqueue(self, child)
    if (row["batch"] !== null) yield* batchEnds(on).jobEnded(Number(row["batch"]), finish.state, finish.at)
  }
  return ended
})

/** Whether none of the endpoints is disabled that are told of an end: where none fails, none is looked for. */
const areOpen = Effect.fnUntraced(function* (
  { on, tally }: Jobs,
  { deliveries }: FinishInsert
): Effect.fn.Return<boolean, Fault> {
  if (tally.endpoints === 0) return true
  for (const { columns } of deliveries) {
    const [, , customer = null, , url = null] = columns
    const disabled = yield* on.one(
      "SELECT 1 FROM endpoints WHERE customer = $1 AND md5(url) = md5($2) AND reason IS NOT NULL",
      customer,
      url
    )
    if (disabled !== undefined) return false
  }
  return true
})

const parkAt = Effect.fnUntraced(function* (
  { on, tally }: Jobs,
  id: string,
  epoch: number,
  { dueAt, heldBy, heldSince, next, pausedFor }: ParkingUpdate
): Effect.fn.Return<boolean, Fault> {
  const job = yield* on.one("SELECT seq, lane FROM jobs WHERE id = $1 AND epoch = $2 AND state = 'running'", id, epoch)
  if (job === undefined) return false
  const from = String(job["lane"])
  const [to, queue, limits] = next ?? [from, null, null]
  const held = [heldSince ?? null, pausedFor ?? null, heldBy ?? null]
  yield* on.run(park, job["seq"] ?? null, dueAt, ...held, to, queue, next !== undefined, limits)
  if (from === to) moveOne(tally, job, "running", "parked")
  else moveOver(tally, { lane: from, state: "running" }, { lane: to, state: "parked" })
  return true
})

const moveOne = (tally: Tally, job: Row, from: JobState, to: JobState): void =>
  move(tally, { lane: String(job["lane"]), from, to, jobs: 1 })
