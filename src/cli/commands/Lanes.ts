/** What `ezthrottle lanes` and `ezthrottle explain` do. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Jobs from "./Jobs.ts"
import * as Output from "../output/Output.ts"
import * as Pages from "./Pages.ts"
import { problem } from "../output/Problem.ts"
import { Service } from "../service/Service.ts"
import { Explanation } from "../../dam/api/JobShapes.ts"
import * as Shapes from "../../dam/api/LaneShapes.ts"
import { History } from "../../dam/api/OverviewShapes.ts"

export const list = (prefix: string | undefined, limit: number) =>
  Pages.list({
    path: "/api/v1/lanes",
    query: { prefix },
    schema: Shapes.LanePage,
    name: "lanes",
    entries: ({ lanes }) => lanes,
    next: ({ next_cursor: cursor }) => cursor,
    limit,
    pageSize: 1000,
    text: table
  })

type Lane = typeof Shapes.Lane.Type

const table = (paint: Output.Paint, lanes: ReadonlyArray<Lane>, now: number): string =>
  lanes.length === 0
    ? "no lanes"
    : Output.table(
        paint,
        ["LANE", "QUEUED", "RUNNING", "PARKED", "PACE", "FROM", ...(lanes.some(isRuled) ? ["BY"] : []), "NOW"],
        lanes.map((lane) => [
          Output.plain(lane.lane),
          String(lane.queued),
          String(lane.running),
          String(lane.parked),
          paceOf(lane),
          lane.source,
          ...(lanes.some(isRuled) ? [Output.plain(lane.rule?.parts ?? "host", 40)] : []),
          waits(standing(paint, lane, now), lane)
        ])
      )

/** Whether the calls to its host are told apart. */
const isRuled = ({ rule }: Lane): boolean => rule !== undefined && rule.parts !== "host"

/** The pace that was set or told, and what was found below it. */
const paceOf = ({ finds, found, max_concurrent: most, rps }: Lane): string => {
  const set = `${rps}/s, ${most} at once`
  if (found === null || (found.rps >= rps && found.max_concurrent >= most)) return finds ? `up to ${set}` : set
  return `${Number(found.rps.toPrecision(3))}/s, ${found.max_concurrent} at once (up to ${set})`
}

/** Webhooks wait in memory, and stand in no other column. */
const waits = (said: string, { waiting }: Lane): string => (waiting === 0 ? said : `${said}, ${waiting} wait`)

const standing = (paint: Output.Paint, { holds, next_at, paused }: Lane, now: number): string => {
  if (paused !== null) {
    const why = paused.note === null ? "" : `: ${Output.plain(paused.note, 60)}`
    return paint("red", `paused by ${Output.plain(paused.by, 40)} ${Output.span(now - paused.at)} ago${why}`)
  }
  const [hold] = holds
  if (hold !== undefined) {
    const whose = hold.account === undefined ? (hold.wider === true ? " with others" : "") : " for one account"
    return paint("yellow", `held for ${Output.span(hold.until - now)}${whose} (${hold.reason})`)
  }
  return next_at !== null && next_at > now ? `next in ${Output.span(next_at - now)}` : "open"
}

type Act = "pause" | "resume" | "pace" | "reset" | "rule" | "breaker"

/** Changes one lane, and shows how it stands then. */
export const steer = Effect.fnUntraced(function* (host: string, act: Act, body: Schema.JsonObject) {
  const service = yield* Service
  const lane = yield* Jobs.laneOf(host)
  const { json, value } = yield* service.call({
    method: "POST",
    path: `/api/v1/lanes/${encodeURIComponent(lane)}/${act}`,
    body,
    schema: Shapes.Lane
  })
  const now = yield* Clock.currentTimeMillis
  yield* Output.print(json, (paint) => table(paint, [value], now))
})

/** What is set of a lane; what is left out stays as it is. */
interface Choice {
  readonly rps: number | undefined
  readonly maxConcurrent: number | undefined
  readonly find: boolean | undefined
}

export const set = (host: string, { find, maxConcurrent, rps }: Choice) =>
  rps === undefined && maxConcurrent === undefined && find === undefined
    ? Effect.fail(
        problem("usage", "nothing is set", { next: "say --rps, --max-concurrent or --find, or several of them" })
      )
    : steer(host, "pace", {
        ...(rps === undefined ? {} : { rps }),
        ...(maxConcurrent === undefined ? {} : { max_concurrent: maxConcurrent }),
        ...(find === undefined ? {} : { find })
      })

/** Sets by what the calls to a host are told apart, or takes it back. */
export const rule = (host: string, parts: ReadonlyArray<string>, takesBack: boolean) =>
  takesBack === parts.length > 0
    ? Effect.fail(problem("usage", "say parts, or --reset", { next: "such as: credential, method, path, body:model" }))
    : steer(host, "rule", { parts: takesBack ? null : parts })

export const log = Effect.fnUntraced(function* (host: string) {
  const service = yield* Service
  const lane = yield* Jobs.laneOf(host)
  const { json, value } = yield* service.call({
    path: `/api/v1/lanes/${encodeURIComponent(lane)}/log`,
    schema: Shapes.LaneLog
  })
  yield* Output.print(json, (paint) =>
    value.entries.length === 0
      ? "nobody has changed this lane"
      : Output.table(
          paint,
          ["WHEN", "WHO", "WHAT", "DETAIL"],
          value.entries.map(({ action, at, by, detail }) => [
            Output.time(at),
            Output.plain(by, 40),
            action,
            Output.plain(detail, 100)
          ])
        )
  )
})

/** What went through a lane, or through all of them, hour by hour. */
export const history = Effect.fnUntraced(function* (host: string | undefined, hours: number) {
  const service = yield* Service
  const lane = host === undefined ? undefined : yield* Jobs.laneOf(host)
  const { json, value } = yield* service.call({ path: "/api/v1/history", query: { lane, hours }, schema: History })
  yield* Output.print(json, (paint) =>
    value.spans.length === 0
      ? "nothing went through"
      : Output.table(
          paint,
          ["FROM", "ACCEPTED", "SUCCEEDED", "FAILED", "CALLS", "REFUSED", "HELD", "P50", "P95"],
          value.spans.map(({ accepted, at, calls, failed, held_ms: held, latency, refused, succeeded }) => [
            Output.time(at),
            String(accepted),
            String(succeeded),
            String(failed),
            String(calls),
            String(refused),
            held === 0 ? "" : Output.span(held),
            latency.p50 === null ? "" : Output.span(latency.p50),
            latency.p95 === null ? "" : Output.span(latency.p95)
          ])
        )
  )
})

/** Why a job waits, and until when. */
export const explain = Effect.fnUntraced(function* (id: string) {
  const service = yield* Service
  const { json, value } = yield* service.call({
    path: `/api/v1/jobs/${encodeURIComponent(id)}/explain`,
    schema: Explanation
  })
  const now = yield* Clock.currentTimeMillis
  const sure = SURENESS[value.confidence] ?? "perhaps"
  yield* Output.print(json, (paint) =>
    [
      `${paint("bold", value.job_id)}  ${paint(Output.statusStyle(value.status), value.status)}`,
      ...value.reasons.map(({ kind, message, until }) => {
        const moment = Output.moment(until, now)
        return `  ${paint("cyan", kind.padEnd(12))}  ${Output.plain(message, 300)}${moment === undefined ? "" : paint("dim", `, until ${moment}`)}`
      }),
      ...(value.estimated_start === null ? [] : [`  starts ${sure} ${Output.moment(value.estimated_start, now)}`])
    ].join("\n")
  )
})

const SURENESS: Readonly<Record<string, string>> = { exact: "surely", likely: "likely", rough: "roughly" }
