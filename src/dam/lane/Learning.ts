/**
 * What an answer teaches about the pace of its upstream: pure, so that a table of answers can test it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Pacing from "../../engine/Pacing.ts"
import * as Refusal from "../../engine/Refusal.ts"
import * as RetryAfter from "../../engine/RetryAfter.ts"
import type { HeldBy } from "../store/LaneRecords.ts"
import { defaultPace } from "./Gate.ts"

/**
 * What a lane takes from one answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lesson {
  readonly rps: number | undefined
  readonly maxConcurrent: number | undefined
  /** Whether each account of the host has a pace of its own from now on; `undefined`: as before. */
  readonly accountQueues: boolean | undefined
  /** Milliseconds from now during which nothing may be sent. */
  readonly hold: number | undefined
  /** Which answer brought the hold. */
  readonly heldBy?: HeldBy | undefined
  /** How many calls are left, those in flight included, and for how many milliseconds that holds. */
  readonly quota?: { readonly left: number; readonly millis: number } | undefined
  /** Headers that said something of pace, and whose values were nonsense. */
  readonly ignored: number
}

/** A lesson that says nothing. */
export const silent: Lesson = {
  rps: undefined,
  maxConcurrent: undefined,
  accountQueues: undefined,
  hold: undefined,
  ignored: 0
}

/**
 * Reads an answer.
 *
 * **Details** — a refusal holds for as long as it says, and never less than our own back-off, which doubles with each
 * refusal in a row: a wait that was kept and was too short grows that way. A 503 may be a hiccup, so one that announces
 * nothing holds from the second in a row. A quota with nothing left holds until its reset; where none is told, for one
 * interval of the pace. Whoever says that its quota is used up is called by others as before: it may be theirs alone.
 *
 * @category decisions
 * @since 0.1.0
 */
export const learn = (
  answer: Refusal.Answer,
  context: {
    readonly nowMillis: number
    readonly bounds: Pacing.Bounds
    readonly refusalsInARow: number
    readonly jobId?: string | undefined
    /** What the answer says, where it was read already. */
    readonly said?: Refusal.Said | undefined
    /** Calls per second as they are made now. Defaults to the pace of an upstream that has said nothing. */
    readonly rps?: number | undefined
  }
): Lesson => {
  const { bounds, nowMillis, refusalsInARow, rps = defaultPace.rps } = context
  const pacing = Pacing.parse(answer.headers, bounds)
  const said = context.said ?? Refusal.read(answer, nowMillis)
  const held = holdOf(said, refusalsInARow, pacing?.rps ?? rps)
  const quota = quotaOf(said)
  return {
    rps: pacing?.rps,
    maxConcurrent: pacing?.maxConcurrent,
    accountQueues: pacing?.accountQueue === undefined ? undefined : pacing.accountQueue === "enabled",
    hold: held?.millis,
    ...(held === undefined ? {} : { heldBy: { reason: held.reason, status: answer.status, jobId: context.jobId } }),
    ...(quota === undefined ? {} : { quota }),
    ignored: (pacing?.ignored.length ?? 0) + Number(RetryAfter.isUnclear(answer.headers, nowMillis))
  }
}

interface Hold {
  readonly millis: number
  readonly reason: HeldBy["reason"]
}

const holdOf = (said: Refusal.Said, inARow: number, rps: number): Hold | undefined => {
  if (said.kind === "UsedUp") return undefined
  const asked = askedFor(said, rps)
  const floor = floorOf(said.kind, inARow)
  if (asked !== undefined && asked.millis > 0 && asked.millis >= floor) return asked
  return floor > 0 ? { millis: floor, reason: "refused" } : undefined
}

const askedFor = ({ by, isExhausted, limit, wait }: Refusal.Said, rps: number): Hold | undefined => {
  if (wait !== undefined && by !== undefined) return { millis: wait, reason: by }
  if (!isExhausted) return undefined
  const { limit: calls, window } = limit ?? {}
  const interval =
    calls !== undefined && calls > 0 && window !== undefined ? Duration.toMillis(window) / calls : 1000 / rps
  return { millis: Math.min(interval, Duration.toMillis(RetryAfter.cap)), reason: "rate_limit" }
}

const floorOf = (kind: Refusal.Said["kind"], inARow: number): number => {
  if (kind === "TooMany") return Refusal.backOff(inARow)
  return kind === "Unavailable" && inARow > 0 ? Refusal.backOff(inARow - 1) : 0
}

const quotaOf = ({ limit }: Refusal.Said): Lesson["quota"] => {
  const { remaining, resetAfter, window } = limit ?? {}
  if (remaining === undefined || remaining === 0) return undefined
  const millis = Duration.toMillis(resetAfter ?? window ?? believedFor)
  return millis > 0 ? { left: remaining, millis } : undefined
}

/** How long an amount is believed that is told without its end. */
const believedFor = Duration.minutes(1)
