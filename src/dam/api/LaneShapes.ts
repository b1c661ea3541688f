/**
 * Lanes as operators see and steer them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Found as FoundPace, LaneStatus, Learnt } from "../lane/Steering.ts"
import type { LaneLogEntry } from "../store/LaneRecords.ts"
import { Amount, between, Count, Moment, nullable, optional, Status, word } from "./Parts.ts"

/** A moment before which nothing is sent, and what brought it. */
export const Hold = Schema.Struct({
  until: Moment,
  reason: word(["retry_after", "rate_limit", "refused", "shortage", "breaker"]),
  status: Schema.NullOr(Status),
  job_id: Schema.NullOr(Schema.String),
  account: optional(Schema.String),
  /** Whether it holds more than this lane: all of its credential, or of its host. */
  wider: optional(Schema.Boolean)
}).annotate({ identifier: "Hold" })

/** By what the calls to a host find their lanes, and who says so. */
export const LaneRule = Schema.Struct({ parts: Schema.String, by: Schema.String }).annotate({ identifier: "LaneRule" })

/** Who stopped a lane, and why. */
const Paused = Schema.Struct({ by: Schema.String, at: Moment, note: Schema.NullOr(Schema.String) }).annotate({
  identifier: "Paused"
})

/** What a lane has found of its upstream's pace. */
const Found = Schema.Struct({
  rps: Amount,
  max_concurrent: Count,
  asking: Schema.Boolean,
  quotas: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      limit: Schema.NullOr(Amount),
      remaining: Amount,
      resets_at: Schema.NullOr(Moment)
    })
  )
}).annotate({ identifier: "Found" })

/** A breaker that is not closed: since when and why, and when it lets a call ask. */
const Breaker = Schema.Struct({
  state: word(["open", "half_open", "ramping"]),
  since: Moment,
  until: Schema.NullOr(Moment),
  why: Schema.String,
  share: Schema.Finite
}).annotate({ identifier: "Breaker" })

/** A lane: who waits in it, how fast it may go, what holds it. */
export const Lane = Schema.Struct({
  lane: Schema.String,
  rule: optional(LaneRule),
  /** What all lanes of its host together do not exceed, where that is set and its calls are told apart. */
  ceiling: optional(Schema.Struct({ rps: Schema.NullOr(Amount), max_concurrent: Schema.NullOr(Count) })),
  /** The lanes of its host, where it is the host's own and there are others; what is counted is then of all together. */
  lanes: optional(Count),
  scheduled: Count,
  queued: Count,
  parked: Count,
  running: Count,
  rps: Amount,
  max_concurrent: Count,
  /** Whether its pace is found out; `rps` and `max_concurrent` are then the ceiling. */
  finds: Schema.Boolean,
  /** What is found and told below that; null while the lane is at rest and nothing is kept of it. */
  found: Schema.NullOr(Found),
  source: word(["default", "configured", "learnt", "operator"]),
  /** What its upstream has said of its pace, and since when; it holds unless an operator says otherwise. */
  learnt: optional(
    Schema.Struct({
      rps: Schema.NullOr(Amount),
      max_concurrent: Schema.NullOr(Count),
      at: Schema.NullOr(Moment)
    })
  ),
  holds: Schema.Array(Hold),
  paused: Schema.NullOr(Paused),
  /** Its breaker, where it is not closed. */
  breaker: optional(Breaker),
  next_at: Schema.NullOr(Moment),
  accounts: Count,
  waiting: Count,
  calls: Count,
  /** Permits that are held in it, for calls that others make. */
  permits: optional(Count)
}).annotate({ identifier: "Lane" })

/** A lane as the API shows it. */
export const view = (self: LaneStatus): typeof Lane.Encoded => ({
  lane: self.lane,
  rule: { parts: self.rule.rule, by: self.rule.by },
  ...(self.ceiling === undefined
    ? {}
    : { ceiling: { rps: self.ceiling.rps ?? null, max_concurrent: self.ceiling.maxConcurrent ?? null } }),
  ...(self.lanes === undefined ? {} : { lanes: self.lanes }),
  scheduled: self.scheduled,
  queued: self.queued,
  parked: self.parked,
  running: self.running,
  rps: self.rps,
  max_concurrent: self.maxConcurrent,
  finds: self.finds,
  found: self.found === undefined ? null : found(self.found),
  source: self.source,
  ...(self.learnt === undefined ? {} : { learnt: learnt(self.learnt) }),
  holds: self.holds.map(({ account, isWider, jobId, reason, status, until }) => ({
    until: Math.ceil(until),
    reason,
    status: status ?? null,
    job_id: jobId ?? null,
    ...(account === undefined ? {} : { account }),
    ...(isWider === true ? { wider: true } : {})
  })),
  paused: self.paused === undefined ? null : { ...self.paused, note: self.paused.note ?? null },
  ...(self.breaker === undefined ? {} : { breaker: { ...self.breaker, until: self.breaker.until ?? null } }),
  next_at: self.nextAt ?? null,
  accounts: self.accounts,
  waiting: self.waiting,
  calls: self.calls,
  permits: self.permits
})

const found = ({ isAsking, maxConcurrent, quotas, rps }: FoundPace): typeof Found.Encoded => ({
  rps,
  max_concurrent: maxConcurrent,
  asking: isAsking,
  quotas: quotas.map(({ limit, name, remaining, resetsAt }) => ({
    name,
    limit: limit ?? null,
    remaining,
    resets_at: resetsAt ?? null
  }))
})

const learnt = ({ at, maxConcurrent, rps }: Learnt) => ({
  rps: rps ?? null,
  max_concurrent: maxConcurrent ?? null,
  at: at ?? null
})

/** A page of lanes. */
export const LanePage = Schema.Struct({
  lanes: Schema.Array(Lane),
  next_cursor: Schema.NullOr(Schema.String)
}).annotate({ identifier: "LanePage" })

/** Shows a page of lanes. */
export const page = ({
  lanes,
  next
}: {
  readonly lanes: ReadonlyArray<LaneStatus>
  readonly next: string | undefined
}): typeof LanePage.Encoded => ({ lanes: lanes.map(view), next_cursor: next ?? null })

/** What was done with a lane, the newest first. */
export const LaneLog = Schema.Struct({
  entries: Schema.Array(
    Schema.Struct({
      at: Moment,
      by: Schema.String,
      action: word(["pause", "resume", "pace", "reset", "rule", "breaker"]),
      detail: Schema.String
    })
  )
}).annotate({ identifier: "LaneLog" })

/** Shows what was done with a lane. */
export const log = (entries: ReadonlyArray<LaneLogEntry>): typeof LaneLog.Encoded => ({
  entries: entries.map(({ action, at, by, detail }) => ({ at, by, action, detail }))
})

const note = nullable(
  Schema.String.check(
    Schema.makeFilter((note: string) => note.length <= 500 && !note.includes("\0"), {
      expected: "text of at most 500 characters",
      toJsonSchema: () => ({ maxLength: 500 })
    })
  )
)

/** What becomes of the breaker of a lane, and why. */
export const BreakerChoice = Schema.Struct({
  state: Schema.Literals(["open", "closed", "isolated"]),
  note
}).annotate({ identifier: "BreakerChoice" })

/** Why a lane is paused. */
export const PauseChoice = Schema.Struct({ note }).annotate({ identifier: "PauseChoice" })

/** How fast a lane may go; what is left out or null stays as it is, and one of both is given. */
export const PaceChoice = Schema.Struct({
  rps: nullable(
    Schema.Finite.check(
      Schema.makeFilter((rps: number) => rps >= 0.001 && rps <= 100_000, {
        expected: "a number from 0.001 to 100000; to stop a lane, pause it",
        toJsonSchema: () => ({ minimum: 0.001, maximum: 100_000 })
      })
    )
  ),
  max_concurrent: nullable(
    Schema.Int.check(
      Schema.makeFilter((count: number) => count >= 1 && count <= 10_000, {
        expected: "a whole number from 1 to 10000",
        toJsonSchema: () => ({ minimum: 1, maximum: 10_000 })
      })
    )
  ),
  find: nullable(Schema.Boolean)
})
  .check(
    Schema.makeFilter(({ find = null, max_concurrent = null, rps = null }) =>
      (rps ?? max_concurrent ?? find) === null
        ? { path: ["rps"], issue: "Expected rps, max_concurrent, find or several of them" }
        : undefined
    )
  )
  .annotate({ identifier: "PaceChoice" })

/** A change that needs no more than its name. */
export const NoChoice = Schema.Struct({})

/** Which lanes are listed. */
export const LaneQuery = {
  limit: optional(between(1, 1000)),
  /** `next_cursor` of the page before. */
  cursor: optional(Schema.String),
  prefix: optional(Schema.String)
}
