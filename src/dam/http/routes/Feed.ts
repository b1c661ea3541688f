/**
 * The live feed of the whole dam: a `snapshot` first, then an `update` at most twice a second, and only when something
 * changed. An update holds the lanes that changed, where jobs of the customer have got to, and the counters.
 *
 * Every reader looks for itself at what all share, so a slow one holds up nobody and costs no memory.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { Engine } from "../../work/Engine.ts"
import { Api } from "../../api/Api.ts"
import { json, orRefused } from "../door/Answer.ts"
import { type Asked, type Desk, told as telling } from "../door/Asked.ts"
import type { Callers } from "../door/Callers.ts"
import { frame, stillHere } from "../door/EventText.ts"
import { type Lane, view } from "../../api/LaneShapes.ts"
import { history, stats, type Stats, type Update } from "../../api/OverviewShapes.ts"
import { badField, type Refused } from "../../intake/Refusal.ts"
import type { Slots } from "./JobStream.ts"
import { named } from "./LaneRoutes.ts"
import * as Prometheus from "./Prometheus.ts"

/** The feed, for any number of readers. */
export interface Feed {
  readonly text: (customer: string, after: number | undefined) => Stream.Stream<string, Refused>
  readonly stats: Effect.Effect<typeof Stats.Encoded>
}

/** Reads a `Last-Event-ID`. */
export const seenBy = (lastEventId: string | undefined): number | undefined | Refused => {
  if (lastEventId === undefined || lastEventId === "") return undefined
  return /^\d{1,16}$/.test(lastEventId)
    ? Number(lastEventId)
    : badField("Last-Event-ID", "is no event of this stream", "invalid_header")
}

/** Makes the feed. */
export const make = Effect.fnUntraced(function* (
  engine: Pick<Engine["Service"], "admission" | "recent" | "stats" | "steering">,
  leaving: Deferred.Deferred<void>
): Effect.fn.Return<Feed> {
  // read once for all who look at the same time
  const shared = yield* Effect.cachedWithTTL(
    Effect.map(
      Effect.all([engine.steering.list({ limit: lanesAtMost }), engine.admission]),
      ([{ lanes }, counters]) => ({
        lanes: lanes.map(view),
        counters
      })
    ),
    every - 50
  )

  const left = Effect.as(Deferred.await(leaving), true)

  return {
    stats: Effect.map(engine.stats, stats),
    text: (customer, after) =>
      Stream.unfold<State, string, Refused, never>(
        { seen: after ?? engine.recent.last(), lanes: new Map(), numbers: "", saidAt: undefined },
        (state) =>
          Effect.gen(function* () {
            const pause = Effect.as(Effect.sleep(state.saidAt === undefined ? 0 : every), false)
            if (yield* Effect.raceFirst(left, pause)) return undefined
            return told(customer, state, yield* orRefused(shared), {
              now: yield* Clock.currentTimeMillis,
              recent: engine.recent
            })
          })
      ).pipe(Stream.filter((chunk) => chunk !== ""))
  }
})

/** What the routes of the whole dam need besides the feed. */
export interface OverviewOptions {
  readonly engine: Pick<Engine["Service"], "admission" | "history" | "steering">
  readonly slots: Slots
  readonly callers: Callers
}

/** The routes of the whole dam: the feed, the last hour, and every metric. */
export const group = (feed: Feed, { callers, engine, slots }: OverviewOptions, { asking, streaming }: Desk) =>
  HttpApiBuilder.group(Api, "overview", (handlers) =>
    handlers
      .handleRaw(
        "events",
        streaming((customer, { request }: Asked) => {
          const seen = seenBy(request.headers["last-event-id"])
          return typeof seen === "object"
            ? Effect.fail(seen)
            : Effect.as(slots.take({ id: `all of ${customer}`, keyScope: customer }), feed.text(customer, seen))
        })
      )
      .handleRaw(
        "stats",
        asking(() => Effect.map(feed.stats, (stats) => json(200, stats)))
      )
      .handleRaw(
        "history",
        asking((_, { query: { hours = 24, lane } }) =>
          Effect.gen(function* () {
            const name = lane === undefined ? undefined : yield* named(lane)
            return json(200, history(name, yield* orRefused(engine.history(name, hours))))
          })
        )
      )
      .handleRaw("metrics", ({ request }) =>
        Effect.match(Effect.andThen(callers.customerOf(request), orRefused(Prometheus.render(engine))), {
          onFailure: telling,
          onSuccess: (text) => HttpServerResponse.text(text, { contentType: Prometheus.contentType })
        })
      )
  )

/** What all readers see alike. */
interface Shared {
  readonly lanes: ReadonlyArray<typeof Lane.Encoded>
  readonly counters: (typeof Update.Encoded)["counters"]
}

interface Lately {
  readonly now: number
  readonly recent: Engine["Service"]["recent"]
}

interface State {
  readonly seen: number
  /** What was said of each lane. */
  readonly lanes: ReadonlyMap<string, string>
  readonly numbers: string
  /** `undefined` before the first message. */
  readonly saidAt: number | undefined
}

/** What a customer is told next, and what it has been told then. */
const told = (customer: string, state: State, { counters, lanes }: Shared, { now, recent }: Lately) => {
  const last = recent.last()
  const { events, isWhole } = recent.since(state.seen)
  const jobs = new Map<string, (typeof Update.Encoded)["jobs"][number]>()
  for (const { at, jobId, lane, state: status, ...event } of events) {
    if (event.customer !== customer) continue
    // the last state of a job is what counts, and it stands where it was reached
    jobs.delete(jobId)
    jobs.set(jobId, { job_id: jobId, status, lane, at })
  }
  const known = new Map(lanes.map((lane) => [lane.lane, JSON.stringify(still(lane, now))]))
  const changed = lanes.filter(({ lane }) => known.get(lane) !== state.lanes.get(lane))
  const removed = Array.from(state.lanes.keys()).filter((lane) => !known.has(lane))
  // memory breathes all the time: it is told with what else there is to tell
  const numbers = JSON.stringify({ ...counters, memory_bytes: 0 })
  const isFirst = state.saidAt === undefined
  const isNews = jobs.size > 0 || !isWhole || changed.length > 0 || removed.length > 0 || numbers !== state.numbers
  const next: State = {
    seen: last,
    lanes: known,
    numbers,
    saidAt: state.saidAt === undefined || isNews ? now : state.saidAt
  }
  if (state.saidAt !== undefined && !isNews) {
    if (now - state.saidAt < keepAlive) return ["", next] as const
    return [stillHere, { ...next, saidAt: now }] as const
  }
  const said: typeof Update.Encoded = {
    at: now,
    lanes: changed,
    removed_lanes: removed,
    jobs: Array.from(jobs.values()).slice(-jobsAtMost),
    more_jobs: Math.max(0, jobs.size - jobsAtMost),
    // some of what happened is not known any more: what is shown of jobs is to be read again
    missed: !isWhole,
    counters
  }
  return [frame({ id: String(last), event: isFirst ? "snapshot" : "update", data: said }), next] as const
}

/** A lane that is open is open now, and a moment later again: that is no change. */
const still = (lane: typeof Lane.Encoded, now: number): typeof Lane.Encoded => {
  const { next_at: nextAt } = lane
  return nextAt !== null && nextAt <= now + every ? { ...lane, next_at: 0 } : lane
}

const every = 500
const keepAlive = 15_000
const lanesAtMost = 1000
const jobsAtMost = 200
