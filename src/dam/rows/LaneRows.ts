/** What stands in lanes, and what they have learnt, as rows and back. Rows are read through schemas, as in `JobRows`. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Kept as KeptPace } from "../../engine/pace/Kept.ts"
import type { Ticket } from "../store/JobRecords.ts"
import type { LanePort, StoredPace, HeldBy as Held } from "../store/LaneRecords.ts"
import type { Executor } from "./Running.ts"
import { Bit, Moment } from "./JobRows.ts"
import { LoadedDraws, toDraws } from "./LimitRows.ts"
import { reader } from "./Reader.ts"
import * as SteeringRows from "./SteeringRows.ts"

/** A place in a lane. */
export const LoadedTicket = Schema.Struct({
  id: Schema.String,
  queue: Schema.String,
  seq: Schema.Number,
  limits: LoadedDraws
})

export const HeldBy = Schema.Struct({
  reason: Schema.Literals(["retry_after", "rate_limit", "refused", "shortage", "breaker"]),
  status: Schema.UndefinedOr(Schema.Number),
  jobId: Schema.UndefinedOr(Schema.String),
  times: Schema.optionalKey(Schema.Finite),
  why: Schema.optionalKey(Schema.String)
})

/** The answer that brought a hold, as JSON. */
export const encodeHeldBy: (heldBy: Held) => string = Schema.encodeSync(
  Schema.fromJsonString(Schema.toCodecJson(HeldBy))
)

const Positive = Schema.Finite.check(Schema.isGreaterThan(0))

const Kept = Schema.Struct({
  ceiling: Schema.Struct({ rps: Positive, maxConcurrent: Positive }),
  known: Schema.Boolean,
  rate: Positive,
  peak: Schema.Finite,
  climbed: Schema.Finite,
  climb: Positive,
  starting: Schema.Boolean,
  penalty: Schema.Boolean,
  longRefused: Schema.Finite,
  waitMargin: Schema.Finite,
  cap: Positive,
  top: Positive,
  tryAfter: Positive
})

const decodeKept = Schema.decodeUnknownOption(Schema.fromJsonString(Kept))

/** What was found of a pace, as JSON. */
const encodeKept: (kept: KeptPace) => string = Schema.encodeSync(Schema.fromJsonString(Kept))

/** A learnt pace. */
export const LoadedPace = Schema.Struct({
  lane: Schema.String,
  account: Schema.String,
  rps: Moment,
  max_concurrent: Moment,
  account_queues: Schema.NullOr(Bit),
  held_until: Moment,
  seen_at: Schema.Number,
  held_by: Schema.NullOr(Schema.fromJsonString(Schema.toCodecJson(HeldBy))),
  taught_at: Moment,
  kept: Schema.NullOr(Schema.String)
})

/** A learnt pace as the port knows it. */
export const toPace = (row: typeof LoadedPace.Type): StoredPace => ({
  lane: row.lane,
  account: row.account,
  rps: row.rps ?? undefined,
  maxConcurrent: row.max_concurrent ?? undefined,
  accountQueues: row.account_queues === null ? undefined : row.account_queues === 1,
  heldUntil: row.held_until ?? undefined,
  heldBy: row.held_by ?? undefined,
  taughtAt: row.taught_at ?? undefined,
  // what another version has kept is found again
  kept: row.kept === null ? undefined : Option.getOrUndefined(decodeKept(row.kept)),
  seenAt: row.seen_at
})

/** What stands in lanes, over any database. */
export const lanePort = (run: Executor): LanePort => ({
  lanes: Effect.flatMap(run("lanes"), readLanes),
  queues: (lane) => Effect.flatMap(run("queues", lane), readQueues),
  page: (lane, queue, after, limit) => Effect.flatMap(run("page", lane, queue, after, limit), readTickets),
  depth: (lane) => run("depth", lane),
  position: (id) => run("position", id),
  ahead: (id) => run("ahead", id),
  queueLengths: (lane, most) => run("queueLengths", lane, most),
  laneCounts: run("laneCounts"),
  paces: Effect.flatMap(run("paces"), readPaces),
  savePace: (pace) =>
    run("savePace", {
      lane: pace.lane,
      account: pace.account,
      rps: pace.rps ?? null,
      maxConcurrent: pace.maxConcurrent ?? null,
      accountQueues: pace.accountQueues === undefined ? null : Number(pace.accountQueues),
      heldUntil: pace.heldUntil ?? null,
      seenAt: pace.seenAt,
      heldBy: pace.heldBy === undefined ? null : encodeHeldBy(pace.heldBy),
      taughtAt: pace.taughtAt ?? null,
      kept: pace.kept === undefined ? null : encodeKept(pace.kept)
    }),
  steering: Effect.flatMap(run("steering"), readSteering),
  steer: (entry, steering, forgets) => run("steer", entry, steering, forgets),
  laneLog: (lane, limit) => Effect.flatMap(run("laneLog", lane, limit), readLog)
})

/** Names of lanes. */
export const readLanes = reader(Schema.Array(Schema.Struct({ lane: Schema.String })), (rows) =>
  rows.map(({ lane }) => lane)
)

const readQueues = reader(Schema.Array(Schema.Struct({ queue: Schema.String })), (rows) =>
  rows.map(({ queue }) => queue)
)

const readTickets = reader(Schema.Array(LoadedTicket), (rows): ReadonlyArray<Ticket> =>
  rows.map(({ limits, ...ticket }) => ({ ...ticket, draws: toDraws(limits) }))
)

const readPaces = reader(Schema.Array(LoadedPace), (rows) => rows.map(toPace))

const readSteering = reader(Schema.Array(SteeringRows.LoadedSteering), (rows) => rows.map(SteeringRows.toSteering))

const readLog = reader(Schema.Array(SteeringRows.LoadedEntry), (rows) => rows.map(SteeringRows.toEntry))
