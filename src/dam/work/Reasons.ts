/** What a lane, and what all lanes of its host have together, make somebody wait for, and the words for it. */
import type * as Effect from "effect/Effect"
import type { Reason } from "../../wire/Explained.ts"
import { hostIn } from "../job/LaneName.ts"
import { type Forecast, forecast } from "../lane/Forecast.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"

/** What decides in a lane. */
export type Why = Effect.Success<ReturnType<LaneRouter["why"]>>

/** The lane turned forward, within what its host's lanes have together: others of them may take it, which nobody foretells. */
export const forecastOf = (why: Why, ahead: number): Forecast | undefined => {
  const { gate, host } = why
  if (host === undefined) return forecast(why, ahead, why.now)
  if (isFull(host)) return undefined
  const pace = { ...gate.pace, rps: Math.min(gate.pace.rps, host.pace.rps) }
  const seen = forecast({ ...why, gate: { ...gate, pace, dueAt: Math.max(gate.dueAt, host.dueAt) } }, ahead, why.now)
  return seen && { ...seen, byCalls: true }
}

const isFull = ({ open, pace }: Why["gate"]): boolean => open >= pace.maxConcurrent

/** Why the lane is this one, where its host has several. */
export const laneReasons = (lane: string, { rule }: Why): ReadonlyArray<Reason> =>
  rule === undefined
    ? []
    : [
        reason("lane", `its lane is ${lane}: calls to ${hostIn(lane)} are told apart by ${rule.rule} (${rule.by})`, {
          lane,
          rule: rule.rule,
          rule_by: rule.by
        })
      ]

/** What the ceiling of all lanes of a host makes whoever is next wait for. */
const hostReasons = (lane: string, { host, ...why }: Why): ReadonlyArray<Reason> => {
  if (host === undefined) return []
  const name = hostIn(lane)
  const all = `all lanes of ${name} together`
  if (isFull(host)) {
    const { open, pace } = host
    const details = { lane: name, scope: "host", open, max_concurrent: pace.maxConcurrent }
    return [reason("concurrency", `${open} of ${pace.maxConcurrent} calls are open in ${all}`, details)]
  }
  if (host.dueAt <= Math.max(why.now, why.gate.dueAt)) return []
  const words = `${all} take ${Number(host.pace.rps.toPrecision(3))} calls per second; the next may begin in ${lasting(host.dueAt - why.now)}`
  return [reason("token", words, { lane: name, scope: "host", rps: host.pace.rps }, wall(why, host.dueAt))]
}

/** What the pace of a lane makes whoever is next wait for. */
export const gateReasons = (lane: string, why: Why): ReadonlyArray<Reason> => {
  const reasons: Array<Reason> = []
  const { accountQueues, callMillis, gate, now, openSince } = why
  if (gate.open >= gate.pace.maxConcurrent) {
    const [first] = openSince
    const until = first === undefined || callMillis === undefined ? undefined : Math.max(now, first + callMillis)
    const details = {
      lane,
      scope: accountQueues ? "account" : "lane",
      open: gate.open,
      max_concurrent: gate.pace.maxConcurrent
    }
    const words = `${gate.open} of ${gate.pace.maxConcurrent} calls to ${lane} are open; one must end first`
    reasons.push(reason("concurrency", words, details, wall(why, until)))
  }
  if (gate.dueAt > now) {
    const words = `${lane} takes ${Number(gate.pace.rps.toPrecision(3))} calls per second; the next may begin in ${lasting(gate.dueAt - now)}`
    reasons.push(reason("token", words, { lane, rps: gate.pace.rps }, wall(why, gate.dueAt)))
  }
  return [...reasons, ...hostReasons(lane, why)]
}

export const reason = (kind: Reason["kind"], message: string, details: Reason["details"], until?: number): Reason => ({
  kind,
  message,
  until,
  details
})

export const wall = ({ epoch, now }: Pick<Why, "epoch" | "now">, moment: number | undefined): number | undefined =>
  moment === undefined ? undefined : epoch + Math.ceil(moment - now)

export const lasting = (millis: number): string => {
  const seconds = Math.max(0, millis) / 1000
  if (seconds < 100) return `${Math.round(seconds * 10) / 10} s`
  if (seconds < 6000) return `${Math.round(seconds / 6) / 10} min`
  return `${Math.round(seconds / 360) / 10} h`
}
