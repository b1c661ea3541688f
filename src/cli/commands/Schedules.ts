/** What `ezthrottle schedules` does. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ScheduleGone } from "../../dam/api/ScheduleShapes.ts"
import * as Views from "../../dam/api/ScheduleViews.ts"
import * as Output from "../output/Output.ts"
import { problem } from "../output/Problem.ts"
import { type Call, Service } from "../service/Service.ts"
import * as StepFile from "./StepFile.ts"

type Schedule = typeof Views.Schedule.Type

export const list = Effect.gen(function* () {
  const service = yield* Service
  const { json, value } = yield* service.call({ path: "/api/v1/schedules", schema: Views.ScheduleList })
  yield* Output.print(json, (paint) => table(paint, value.schedules))
})

const table = (paint: Output.Paint, schedules: ReadonlyArray<Schedule>): string =>
  schedules.length === 0
    ? "no schedules"
    : Output.table(
        paint,
        ["SCHEDULE", "WHEN", "STATE", "NEXT", "FIRED", "MISSED", "SKIPPED", "LAST JOB"],
        schedules.map(({ fired, last, missed, name, next, skipped, state, ...times }) => [
          Output.plain(name, 60),
          whenOf(times),
          state,
          next[0] === undefined ? "" : Output.time(next[0]),
          String(fired),
          String(missed),
          String(skipped),
          last?.job_id ?? ""
        ])
      )

const whenOf = ({ cron, every_ms: every, zone }: Pick<Schedule, "cron" | "every_ms" | "zone">): string =>
  cron === null ? `every ${(every ?? 0) / 1000}s` : Output.plain(`${cron} ${zone ?? ""}`.trim(), 60)

export const show = (name: string) => one({ path: pathOf(name), schema: Views.Schedule })

export const pause = (name: string) => change(name, "pause")
export const resume = (name: string) => change(name, "resume")
export const run = (name: string) => change(name, "run")

const change = (name: string, verb: "pause" | "resume" | "run") =>
  one({ method: "POST", path: `${pathOf(name)}/${verb}`, schema: Views.Schedule })

const one = Effect.fnUntraced(function* (call: Call<Schedule>) {
  const service = yield* Service
  const { json, value } = yield* service.call(call)
  yield* Output.print(json, (paint) => whole(paint, value))
})

/** A schedule with what it calls, how it fires, and its next moments. */
const whole = (paint: Output.Paint, schedule: Schedule): string => {
  const { catch_up: catchUp, jitter_ms: jitter, next, overlap, request, waiting } = schedule
  return [
    table(paint, [schedule]),
    `calls ${Output.plain(`${request.method} ${request.url}`, 200)}`,
    `overlap ${overlap}, catch-up ${catchUp}${jitter === 0 ? "" : `, jitter of up to ${jitter / 1000}s`}`,
    ...(waiting === 0 ? [] : [`${waiting} wait for the job before them`]),
    ...next.map((moment, index) => `${index === 0 ? "next " : "then "}${Output.time(moment)}`)
  ].join("\n")
}

/** Sends a definition as it stands in its file: the dam says what is wrong with it. */
export const put = Effect.fnUntraced(function* (name: string, path: string) {
  const file = yield* StepFile.readDocument(path)
  const body = Schema.decodeUnknownResult(Schema.JsonObject)(file.document)
  if (Result.isFailure(body))
    return yield* problem("usage", `${file.name}: expected an object with cron or every_ms, and job`)
  yield* one({ method: "PUT", path: pathOf(name), schema: Views.Schedule, body: body.success })
})

export const remove = Effect.fnUntraced(function* (name: string) {
  const service = yield* Service
  const { json } = yield* service.call({ method: "DELETE", path: pathOf(name), schema: ScheduleGone })
  yield* Output.print(json, () => `${Output.plain(name, 128)} is deleted; jobs that it has submitted go on`)
})

const pathOf = (name: string): string => `/api/v1/schedules/${encodeURIComponent(name)}`
