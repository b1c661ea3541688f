/**
 * What an answer teaches about the pace of its upstream: pure, so that a table of answers can test it.
 *
 * @since 0.1.0
 */
import type { Kept } from "../../engine/pace/Kept.ts"
import * as Pacing from "../../engine/Pacing.ts"
import * as Refusal from "../../engine/Refusal.ts"
import * as RetryAfter from "../../engine/RetryAfter.ts"
import type { HeldBy } from "../store/LaneRecords.ts"

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
  /** What was found of the pace and is worth keeping; absent where that is not asked for. */
  readonly kept?: Kept | undefined
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
 * **Details** — how long a refusal or a quota that is used up holds is the lane's to say: it hears them first. A 503 may be
 * a hiccup and is no refusal; it holds for as long as it says and, from the second in a row on, never less than our own
 * back-off, which doubles with each of them. Whoever says that its quota is used up for good is called by others as
 * before: it may be theirs alone.
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
    /** Milliseconds for which the lane holds back by what it has heard; `undefined` where that is no news. */
    readonly hold?: number | undefined
  }
): Lesson => {
  const { bounds, hold, nowMillis, refusalsInARow } = context
  const pacing = Pacing.parse(answer.headers, bounds)
  const said = context.said ?? Refusal.read(answer, nowMillis)
  const held: Hold | undefined =
    hold === undefined ? unavailable(said, refusalsInARow) : { millis: hold, reason: reasonOf(said, hold) }
  return {
    rps: pacing?.rps,
    maxConcurrent: pacing?.maxConcurrent,
    accountQueues: pacing?.accountQueue === undefined ? undefined : pacing.accountQueue === "enabled",
    hold: held?.millis,
    ...(held === undefined ? {} : { heldBy: { reason: held.reason, status: answer.status, jobId: context.jobId } }),
    ignored: (pacing?.ignored.length ?? 0) + Number(RetryAfter.isUnclear(answer.headers, nowMillis))
  }
}

interface Hold {
  readonly millis: number
  readonly reason: HeldBy["reason"]
}

/** What was told is kept for a little longer than that where it was too short before. */
const reasonOf = ({ by, isExhausted, kind, wait = 0 }: Refusal.Said, hold: number): Hold["reason"] => {
  const isTold = wait > 0 && hold <= wait + (by === "rate_limit" ? 4000 : 1000)
  if (isTold && by !== undefined) return by
  return kind === "Taken" && isExhausted ? "rate_limit" : "refused"
}

const unavailable = ({ by, kind, wait = 0 }: Refusal.Said, inARow: number): Hold | undefined => {
  if (kind !== "Unavailable") return undefined
  const floor = inARow > 0 ? Refusal.backOff(inARow - 1) : 0
  if (wait > 0 && wait >= floor) return { millis: wait, reason: by ?? "refused" }
  return floor > 0 ? { millis: floor, reason: "refused" } : undefined
}
