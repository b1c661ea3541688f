/** What `ezthrottle jobs` does. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Globals from "../output/Globals.ts"
import * as JobText from "./JobText.ts"
import * as Output from "../output/Output.ts"
import * as Pages from "./Pages.ts"
import { type Problem, problem } from "../output/Problem.ts"
import type { Query } from "../service/Query.ts"
import { Service } from "../service/Service.ts"
import { JobPage, JobView } from "../../dam/api/JobShapes.ts"
import { Receipt } from "../service/Cloud.ts"

export const list = Effect.fnUntraced(function* (query: Query, limit: number) {
  yield* Pages.list({
    path: "/api/v1/jobs",
    query,
    schema: JobPage,
    name: "jobs",
    entries: ({ jobs }) => jobs,
    next: ({ cursor }) => cursor,
    limit,
    text: JobText.list
  })
})

/** A lane as the service names it, from a URL, a host, or a host with a port, with a `#key` or not; `webhook@` names that of a receiver. */
export const laneOf = (host: string): Effect.Effect<string, Problem> =>
  host.startsWith(receiverSign)
    ? Effect.map(hostLane(host.slice(receiverSign.length)), (lane) => `${receiverSign}${lane}`)
    : Effect.map(hostLane(host.replace(KEY, "")), (lane) => `${lane}${KEY.exec(host)?.[0] ?? ""}`)

/** What stands behind the name of a host where its calls are told apart. */
const KEY = /#[\w.~-]+$/

const receiverSign = "webhook@"

const hostLane = (host: string) => {
  const url = /^https?:\/\//i.test(host) ? host : `https://${host}`
  if (!URL.canParse(url)) {
    return Effect.fail(
      problem("usage", `"${Output.plain(host)}" names no host`, {
        next: "write it like api.example.com or 10.0.0.7:8080"
      })
    )
  }
  // a scheme that has no default port, so that one that was written stays
  const { host: written } = new URL(url.replace(/^https?:/i, "x:"))
  const { hostname, port, protocol } = new URL(url)
  const name = hostname.replace(/\.$/, "")
  const given = /:(\d+)$/.exec(written)?.[1]
  return Effect.succeed(`${name}:${given ?? (port === "" ? (protocol === "http:" ? "80" : "443") : port)}`)
}

const pathOf = (id: string, below = ""): string => `/api/v1/jobs/${encodeURIComponent(id)}${below}`

export const show = Effect.fnUntraced(function* (id: string) {
  const { json, value } = yield* Service.use((service) => service.call({ path: pathOf(id), schema: JobView }))
  const now = yield* Clock.currentTimeMillis
  yield* Output.print(json, (paint) => JobText.show(paint, value, now))
})

/** Waits by long polls, so that it works through every proxy. */
export const awaitEnd = Effect.fnUntraced(function* (id: string, timeout: number) {
  const service = yield* Service
  const until = (yield* Clock.currentTimeMillis) + timeout
  while (true) {
    const left = until - (yield* Clock.currentTimeMillis)
    const answer = yield* service.call({
      path: pathOf(id, "/wait"),
      query: { timeout_ms: Math.max(0, Math.min(longestPoll, Math.ceil(left))) },
      schema: JobView,
      timeout: longestPoll + 15_000
    })
    if (JobText.isEnded(answer.value.status)) return answer
    if (left <= 0) {
      return yield* Effect.fail(
        problem("timedOut", `job ${id} is still ${answer.value.status} after ${Output.span(timeout)}`, {
          next: "it goes on; wait longer with --timeout, or ask `ezthrottle explain`"
        })
      )
    }
    // a service that does not wait must not be asked without a pause
    yield* Effect.sleep(shortestPause)
  }
})

export const wait = Effect.fnUntraced(function* (id: string, timeout: number) {
  const { json, value } = yield* awaitEnd(id, timeout)
  const now = yield* Clock.currentTimeMillis
  yield* Output.print(json, (paint) => JobText.show(paint, value, now))
  yield* endedWell(value)
})

/** A job that ended badly ends the command so. */
const endedWell = (job: typeof JobView.Type) =>
  job.status === "succeeded"
    ? Effect.void
    : Effect.fail(
        problem(
          "endedBadly",
          `job ${job.job_id} ${job.status === "cancelled" ? "was cancelled" : "failed"}${job.error ? `: ${Output.plain(job.error, 300)}` : ""}`,
          {
            next: `run it again with \`ezthrottle jobs rerun ${job.job_id}\``,
            code: `job_${job.status}`
          }
        )
      )

export const cancel = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
  const service = yield* Service
  yield* each(ids, (id) =>
    Effect.map(service.call({ method: "POST", path: pathOf(id, "/cancel"), schema: JobView }), ({ json, value }) => ({
      json,
      text: `${id} ${value.status}`
    }))
  )
})

export const runNow = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
  const service = yield* Service
  yield* each(ids, (id) =>
    Effect.map(service.call({ method: "POST", path: pathOf(id, "/run-now"), schema: JobView }), ({ json, value }) => ({
      json,
      text: `${id} ${value.status}`
    }))
  )
})

/** Changes a job that waits; without a revision whichever it is. */
export const change = Effect.fnUntraced(function* (id: string, to: Schema.JsonObject, revision: number | undefined) {
  const service = yield* Service
  const { json, value } = yield* service.call({
    method: "PATCH",
    path: pathOf(id, ""),
    headers: { "if-match": revision === undefined ? "*" : `"${revision}"` },
    body: to,
    schema: JobView
  })
  yield* Output.print(json, () => `${id} ${value.status}, changed to revision ${value.revision ?? 0}`)
})

export const erase = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
  const service = yield* Service
  yield* each(ids, (id) =>
    Effect.map(service.call({ method: "DELETE", path: pathOf(id, ""), schema: JobView }), ({ json }) => ({
      json,
      text: `${id} is erased; its id, key, state and times are kept`
    }))
  )
})

export const rerun = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
  const service = yield* Service
  yield* each(ids, (id) =>
    Effect.map(service.call({ method: "POST", path: pathOf(id, "/rerun"), schema: Receipt }), ({ json, value }) => ({
      json,
      text: `${id} runs again as ${value.job_id}`
    }))
  )
})

/** Does all of them, and tells at the end what could not be done. One alone fails as it is. */
export const each = Effect.fnUntraced(function* <E extends { readonly message: string }, R>(
  ids: ReadonlyArray<string>,
  act: (id: string) => Effect.Effect<{ readonly json: Schema.Json; readonly text: string }, E, R>
) {
  const failures: Array<E> = []
  for (const id of ids) {
    yield* Effect.matchEffect(act(id), {
      onSuccess: ({ json, text }) => Output.print(json, () => text),
      onFailure: (failure) =>
        Effect.gen(function* () {
          failures.push(failure)
          if (ids.length > 1) yield* Console.error(`${id}: ${failure.message}`)
        })
    })
  }
  const [first] = failures
  if (first === undefined) return
  if (ids.length === 1) return yield* Effect.fail(first)
  return yield* Effect.fail(problem("partly", `${failures.length} of ${ids.length} could not be done`))
})

/** Every change of a job while it happens, to its end. */
export const watch = Effect.fnUntraced(function* (id: string) {
  const service = yield* Service
  const isJson = yield* Globals.Json
  const first = yield* service.call({ path: pathOf(id), schema: JobView })
  let attempts = 0
  const tell = (job: typeof JobView.Type, lines: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const paint = yield* Output.paint
      const made = job.attempts
        .slice(attempts)
        .map((attempt) => JobText.attemptRow(paint, attempt).filter(Boolean).join("  "))
      attempts = job.attempts.length
      for (const line of [...lines, ...made]) yield* Console.log(line)
    })
  if (!isJson) {
    if (JobText.isEnded(first.value.status)) {
      const paint = yield* Output.paint
      yield* tell(first.value, [paint(Output.statusStyle(first.value.status), first.value.status)])
      return yield* endedWell(first.value)
    }
    yield* tell(first.value, [`${id}  ${first.value.method} ${Output.target(first.value.url)}`])
  }
  let lastEventId: string | undefined
  let said = ""
  while (true) {
    yield* Effect.scoped(
      Effect.gen(function* () {
        const next = yield* service.events(pathOf(id, "/stream"), lastEventId)
        while (true) {
          const events = yield* next
          if (events === undefined) return
          for (const event of events) {
            if (event._tag === "Retry") continue
            lastEventId = event.id ?? lastEventId
            if (isJson) {
              yield* Console.log(`{"event":${JSON.stringify(event.event)},"data":${event.data}}`)
            } else if (event.event !== "completed" && event.event !== "failed") {
              const text = event.event === "position" ? `position ${positionIn(event.data)}` : event.event
              if (text !== said) yield* tell((yield* service.call({ path: pathOf(id), schema: JobView })).value, [text])
              said = text
            }
          }
        }
      })
    )
    const { value } = yield* service.call({ path: pathOf(id), schema: JobView })
    if (JobText.isEnded(value.status)) {
      const paint = yield* Output.paint
      if (!isJson) yield* tell(value, [])
      if (!isJson) yield* Console.log(paint(Output.statusStyle(value.status), value.status))
      return yield* endedWell(value)
    }
    // the stream broke off: attach again where it was
    yield* Effect.sleep(shortestPause)
  }
})

const positionIn = (data: string): string => /"position":(\d+)/.exec(data)?.[1] ?? "?"

const longestPoll = 20_000
const shortestPause = 250
