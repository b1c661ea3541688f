/** How a path ends, and what a history tells of it. */
import type { Attempt, EndedAttempt, History } from "../step/HistoryModel.ts"
import type { RegionResponse, StepReason } from "../step/Outcome.ts"
import { PathTimedOut } from "../step/Outcome.ts"
import type { Response } from "../step/ReplyModel.ts"
import { isGoodAttempt, responseOf } from "./GoodAttempt.ts"
import { rejection } from "./Reading.ts"

export type PathEnd =
  | {
      readonly _tag: "Good"
      readonly response: Response
      readonly region: string | undefined
      readonly responses: ReadonlyArray<RegionResponse>
    }
  | { readonly _tag: "Bad"; readonly reason: StepReason }

export const single = (attempt: EndedAttempt): PathEnd => (isGoodAttempt(attempt) ? good(attempt, []) : bad(attempt))

export const good = (attempt: EndedAttempt, responses: ReadonlyArray<RegionResponse>): PathEnd => ({
  _tag: "Good",
  response: responseOf(attempt),
  region: attempt.region,
  responses
})

export const bad = (attempt: EndedAttempt): PathEnd => ({ _tag: "Bad", reason: reasonOf(attempt) })

/** Tells the attempts that count for a path: an interrupted one is made again. */
export const isOf = (attempt: Attempt, path: number): attempt is EndedAttempt =>
  attempt.path === path && attempt.kind !== "forward" && attempt.ending._tag !== "Interrupted"

/** Milliseconds from the first sending of a path to its last ending. */
export const span = (history: History, index: number): number => {
  const attempts = history.filter((attempt) => attempt.path === index && attempt.kind !== "forward")
  return Math.max(...attempts.map(({ at, latency }) => at + latency)) - Math.min(...attempts.map(({ at }) => at))
}

/** Milliseconds a path has spent on attempts and pauses, its slowest racer's; waits for turns are left out. */
export const active = (history: History, index: number): number => {
  const racers = new Map<number, number>()
  for (const { kind, latency, path, pause, racer } of history) {
    if (path !== index || kind === "forward") continue
    racers.set(racer, (racers.get(racer) ?? 0) + latency + (kind === "repeat" ? 0 : pause))
  }
  return Math.max(0, ...racers.values())
}

/** Why a path of a resumed run ended, as far as its history tells. */
export const endedBy = (history: History, index: number): StepReason => {
  const last = history.findLast((attempt) => isOf(attempt, index))
  return last === undefined ? new PathTimedOut({ afterMillis: 0 }) : reasonOf(last)
}

const reasonOf = (attempt: EndedAttempt): StepReason => {
  const { ending, region } = attempt
  return ending._tag === "Failed" ? ending.failure : rejection(ending, region, responseOf(attempt))
}
