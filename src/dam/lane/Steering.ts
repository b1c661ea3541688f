/**
 * What operators do with lanes while they run: stop them, let them go on, set their pace, take everything back. It holds
 * over restarts, and who did it stays in the lane's log.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { StoreError } from "../store/StoreError.ts"
import type { Pace } from "../../engine/pace/Gate.ts"
import type { LaneChoice } from "../../presets/Preset.ts"
import type { RuleShown } from "./LaneNames.ts"
import type { HeldBy, LaneLogEntry, Paused } from "../store/LaneRecords.ts"

/**
 * What an operator can do. `Pace` sets what it names and leaves the rest; `Reset` forgets the operator's pace, what the
 * upstream taught, and every hold. A pause ends with `Resume` only, and a rule with another one. `Rule` says by what the
 * calls to a host are told apart; without a choice what is configured or known holds again. `Breaker` opens one, from where it
 * recovers by itself, closes it and ends a pause, or pauses the lane.
 *
 * @category models
 * @since 0.1.0
 */
export type LaneAction =
  | { readonly _tag: "Pause"; readonly note: string | undefined }
  | { readonly _tag: "Resume" }
  | {
      readonly _tag: "Pace"
      readonly rps: number | undefined
      readonly maxConcurrent: number | undefined
      readonly find?: boolean | undefined
    }
  | { readonly _tag: "Reset" }
  | { readonly _tag: "Rule"; readonly choice: LaneChoice | undefined }
  | { readonly _tag: "Breaker"; readonly to: "open" | "closed" | "isolated"; readonly note: string | undefined }

/**
 * A moment before which nothing is sent, and what brought it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hold {
  /** Epoch milliseconds. */
  readonly until: number
  readonly reason: HeldBy["reason"]
  /** The status of the answer it came with; `undefined` when that is no longer known. */
  readonly status: number | undefined
  /** The job whose call was answered so. */
  readonly jobId: string | undefined
  /** The account it holds, where each has a pace of its own. */
  readonly account: string | undefined
  /** Whether it holds more than this lane: all of its credential, or of its host. */
  readonly isWider?: boolean
}

/**
 * A pace that the answers of an upstream have taught.
 *
 * @category models
 * @since 0.1.0
 */
export interface Learnt {
  readonly rps: number | undefined
  readonly maxConcurrent: number | undefined
  /** Epoch milliseconds since when it is this; `undefined` when that is no longer known. */
  readonly at: number | undefined
}

/**
 * What a lane has found of its upstream's pace.
 *
 * @category models
 * @since 0.1.0
 */
export interface Found {
  /** The pace that is kept now, in calls per second. */
  readonly rps: number
  /** Calls in flight at once, now. */
  readonly maxConcurrent: number
  /** Whether a refusal is not over yet, and one call at a time asks. */
  readonly isAsking: boolean
  /** The quotas that its answers tell of. */
  readonly quotas: ReadonlyArray<{
    /** Empty where it has none. */
    readonly name: string
    readonly limit: number | undefined
    readonly remaining: number
    /** Epoch milliseconds by when it is renewed; `undefined` where that is not told. */
    readonly resetsAt: number | undefined
  }>
}

/**
 * A breaker that is not closed.
 *
 * @category models
 * @since 0.1.0
 */
export interface BreakerStatus {
  readonly state: "open" | "half_open" | "ramping"
  /** Epoch milliseconds. */
  readonly since: number
  /** When it lets a call ask, epoch milliseconds; `undefined`: it does. */
  readonly until: number | undefined
  /** Why it opened. */
  readonly why: string
  /** The share of its pace that the lane has. */
  readonly share: number
}

/**
 * How a lane stands.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneStatus {
  /** Canonical `host:port`, with `#key` behind it where its calls are told apart; `webhook@host:port` where results are told. */
  readonly lane: string
  /** By what calls to its host find their lanes, and who says so. */
  readonly rule: RuleShown
  /** What all lanes of its host together do not exceed, where somebody has set that and its calls are told apart. */
  readonly ceiling: Partial<Pace> | undefined
  /** Its host's lanes, where it is the host's own and there are others; counts are then those of all together. */
  readonly lanes: number | undefined
  readonly scheduled: number
  readonly queued: number
  readonly parked: number
  readonly running: number
  /** Calls per second that were set or told; the ceiling where the pace is found out. */
  readonly rps: number
  readonly maxConcurrent: number
  /** Whether its pace is found out. */
  readonly finds: boolean
  /** What was found; `undefined` while the lane is not in memory and nothing is kept of it. */
  readonly found: Found | undefined
  /** Where its pace comes from. */
  readonly source: "default" | "configured" | "learnt" | "operator"
  /** What the upstream itself has said of its pace, whatever holds instead of it. */
  readonly learnt: Learnt | undefined
  readonly holds: ReadonlyArray<Hold>
  readonly paused: Paused | undefined
  /** `undefined`: it is closed. */
  readonly breaker: BreakerStatus | undefined
  /** When it lets the next call through, epoch milliseconds; `undefined` while nobody can tell. */
  readonly nextAt: number | undefined
  /** Accounts that wait in it now. */
  readonly accounts: number
  /** Calls of running jobs, or webhooks, that wait in it now. */
  readonly waiting: number
  /** Calls it has let through since it was first needed; begins anew after a minute in which nobody needed it. */
  readonly calls: number
  /** Permits that are held in it, for calls that others make. */
  readonly permits: number
}

/**
 * Lanes as operators see them. The name of a host means all of its lanes: what is done with it is done with each, and a pace
 * that is set for it is besides one that they do not exceed together.
 *
 * @category models
 * @since 0.1.0
 */
export interface Steering {
  /** Lanes by name; those that have jobs, are in use, or were steered. */
  readonly list: (page: {
    readonly prefix?: string | undefined
    /** The name of the last lane of the page before. */
    readonly after?: string | undefined
    readonly limit: number
  }) => Effect.Effect<{ readonly lanes: ReadonlyArray<LaneStatus>; readonly next: string | undefined }, StoreError>
  /** One lane, whether it has ever been used or not. */
  readonly get: (lane: string) => Effect.Effect<LaneStatus, StoreError>
  /** Does it at once, and for good: durable when it answers. */
  readonly change: (lane: string, by: string, action: LaneAction) => Effect.Effect<LaneStatus, StoreError>
  /** What was done with a lane, newest first; the last thousand are kept. */
  readonly log: (lane: string, limit: number) => Effect.Effect<ReadonlyArray<LaneLogEntry>, StoreError>
}
