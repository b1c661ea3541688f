/** What is wrong with the times of a schedule, by the field of the protocol that says it. */
import * as Result from "effect/Result"
import type { Refusal } from "./CronFields.ts"
import * as Timing from "./Timing.ts"

/** A field that cannot be, and what to write instead. */
export interface TimingFault {
  readonly field: string
  readonly problem: string
  /** What is wrong with an expression or a zone, in the words that programs know. */
  readonly reason: Refusal["reason"] | undefined
}

/** Finds the first fault; `undefined`: its moments can be reckoned. */
export const faultIn = (options: Timing.TimingOptions): TimingFault | undefined =>
  betweenFields(options) ??
  Result.match(Timing.make("", options, 0), {
    onSuccess: () => undefined,
    onFailure: ({ field, reason, remedy }) => {
      const path = field === "zone" ? "zone" : "cron"
      const part = field === path || field === "expression" ? "" : `${field}: `
      return { field: path, problem: `${part}${reason}; ${remedy}`, reason }
    }
  })

const betweenFields = ({
  cron,
  end = lastMoment,
  every,
  start = 0,
  zone
}: Timing.TimingOptions): TimingFault | undefined => {
  if (cron === undefined && every === undefined) return fault("cron", "Expected cron or every_ms")
  if (cron !== undefined && every !== undefined) return fault("every_ms", "is left out where there is a cron")
  if (every !== undefined && zone !== undefined) return fault("zone", "belongs to cron, and is left out here")
  if (start > lastMoment) return fault("start", "lies beyond the year 9999")
  if (end > lastMoment) return fault("end", "lies beyond the year 9999")
  return end < start ? fault("end", "lies before start") : undefined
}

const fault = (field: string, problem: string): TimingFault => ({ field, problem, reason: undefined })

const lastMoment = 253_402_300_799_999
