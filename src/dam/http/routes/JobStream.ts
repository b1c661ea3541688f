/**
 * The event stream of a job: `queued`, `position`, `dispatching`, then `completed` or `failed`.
 *
 * A stream is a loop that looks at the job and says what it has not said yet. So a late or returning client is caught up
 * by the same rule that serves one who was there all the time, and a slow one holds up nothing but itself.
 */
import * as Clock from "effect/Clock"
import type * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Schema from "effect/Schema"
import { isTerminal } from "../../../engine/JobState.ts"
import { orRefused } from "../door/Answer.ts"
import { frame, stillHere } from "../door/EventText.ts"
import * as HttpWatch from "./Watch.ts"
import { badField, later, type Refused } from "../../intake/Refusal.ts"
import type { StoredJob } from "../../job/Job.ts"
import type { Limits } from "../../intake/Limits.ts"
import type { JobPort } from "../../store/JobRecords.ts"
import type { LanePort } from "../../store/LaneRecords.ts"
import type { Engine } from "../../work/Engine.ts"
import * as Views from "../../api/FlatShapes.ts"

/** Who may open one more stream. */
export interface Slots {
  /** Takes a place for as long as the scope lasts. */
  readonly take: (job: Pick<StoredJob, "id" | "keyScope">) => Effect.Effect<void, Refused, Scope.Scope>
  readonly open: () => number
}

/** Makes the places. */
export const makeSlots = ({ streams, streamsPerAccount, streamsPerJob }: Limits): Slots => {
  const jobs = new Map<string, number>()
  const accounts = new Map<string, number>()
  let all = 0
  const change = (counts: Map<string, number>, name: string, by: number) => {
    const next = (counts.get(name) ?? 0) + by
    if (next === 0) counts.delete(name)
    else counts.set(name, next)
  }
  const changeAll = (job: Pick<StoredJob, "id" | "keyScope">, by: number) => {
    all += by
    change(jobs, job.id, by)
    change(accounts, job.keyScope, by)
  }
  return {
    take: (job) =>
      Effect.suspend(() => {
        const full = (limit: number, current: number, reason: string) =>
          current < limit
            ? undefined
            : later({
                status: 429,
                code: "too_many_streams",
                problem: `${current} streams are open (${reason})`,
                after: 5,
                extra: { limit_reason: reason, limit, current }
              })
        const refusal =
          full(streamsPerJob, jobs.get(job.id) ?? 0, "streams_per_job") ??
          full(streamsPerAccount, accounts.get(job.keyScope) ?? 0, "streams_per_account") ??
          full(streams, all, "streams")
        return refusal === undefined
          ? Effect.acquireRelease(
              Effect.sync(() => changeAll(job, 1)),
              () => Effect.sync(() => changeAll(job, -1))
            )
          : Effect.fail(refusal)
      }),
    open: () => all
  }
}

/** What the streams look at. */
export interface StreamHost {
  readonly engine: Pick<Engine["Service"], "events">
  readonly store: Pick<JobPort & LanePort, "get" | "position">
  /** Done when the dam goes down: every stream ends. */
  readonly leaving: Deferred.Deferred<void>
}

/** The streams of jobs. */
export interface JobStreams {
  /**
   * The text of a job's stream after what the client has seen, where there is a place for one more; `undefined` where it
   * has seen the end.
   */
  readonly follow: (
    job: StoredJob,
    lastEventId: string | undefined
  ) => Effect.Effect<Stream.Stream<string, Refused> | undefined, Refused, Scope.Scope>
}

/** Makes the streams. */
export const make = (host: StreamHost, slots: Slots): JobStreams => ({
  follow: (job, lastEventId) => {
    const seen = seenBy(job, lastEventId)
    // a browser comes back for more, time and again, until it is told that there is none
    if (isTerminal(job.state) && seen === rankOf(job)) return Effect.succeed(undefined)
    // taken here to refuse in time, given back when the stream ends
    return typeof seen === "number" ? Effect.as(slots.take(job), text(host, job, seen)) : Effect.fail(seen)
  }
})

/** Reads a `Last-Event-ID`: how much of the job's life the client has seen, or nothing of it. */
export const seenBy = (job: StoredJob, lastEventId: string | undefined): number | Refused => {
  if (lastEventId === undefined || lastEventId === "") return NOTHING
  const [id, rank = "", ...rest] = lastEventId.split(".")
  return id === job.id && /^\d{1,9}$/.test(rank) && rest.length === 0
    ? Number(rank)
    : badField("Last-Event-ID", "is no event of this stream", "invalid_header")
}

/** The text of a job's stream, from what the client has seen to the end of the job. */
export const text = (
  { engine, leaving, store }: StreamHost,
  first: StoredJob,
  seen: number
): Stream.Stream<string, Refused> =>
  Stream.unwrap(
    Effect.map(HttpWatch.make(engine, leaving, first.id), (watch) => {
      const look = Effect.fnUntraced(function* (state: State) {
        const job = yield* orRefused(store.get(first.id))
        // swept away while it was watched: there is nothing more to say
        if (job === undefined) return [[""], undefined] as const
        const said = framesSince(state.seen, job)
        const asked = yield* Clock.currentTimeMillis
        const ahead = job.state === "queued" ? yield* orRefused(store.position(job.id)) : undefined
        const now = yield* Clock.currentTimeMillis
        if (ahead !== undefined) {
          said.push(frame({ event: "position", data: { job_id: job.id, position: ahead + 1 } }))
        }
        if (said.length === 0 && now - state.saidAt >= keepAlive) said.push(stillHere)
        const next: State = {
          seen: Math.max(state.seen, rankOf(job)),
          saidAt: said.length === 0 ? state.saidAt : now,
          // counting a long queue takes the store's time: the longer it took, the rarer it is done
          pause: ahead === undefined ? keepAlive : Math.max(positionEvery, costFactor * (now - asked))
        }
        return [said, isTerminal(job.state) ? undefined : next] as const
      })
      return Stream.unfold<State | undefined, string, Refused, never>({ seen, saidAt: 0, pause: 0 }, (state) => {
        if (state === undefined) return Effect.succeed(undefined)
        const waited = state.pause === 0 ? Effect.succeed("changed" as const) : watch.change(state.pause)
        return Effect.flatMap(waited, (how) =>
          how === "leaving"
            ? Effect.succeed(undefined)
            : Effect.map(look(state), ([said, next]) => [said.join(""), next] as const)
        )
      })
    })
  ).pipe(Stream.filter((chunk) => chunk !== ""))

interface State {
  readonly seen: number
  readonly saidAt: number
  /** Milliseconds until the next look, if nothing changes. */
  readonly pause: number
}

/** Every start raises the epoch, so that states can be put in order: dispatched, back in the queue, ended. */
const rankOf = ({ epoch, state }: StoredJob): number =>
  isTerminal(state) ? 2 * epoch + 1 : state === "running" ? 2 * epoch - 1 : 2 * epoch

const framesSince = (seen: number, job: StoredJob): Array<string> => {
  const { epoch, id } = job
  const frames: Array<string> = []
  const queued = { job_id: id, status: "queued" }
  const say = (rank: number, event: string, data: Readonly<Record<string, Schema.Json>> = { job_id: id }) => {
    if (rank > seen) frames.push(frame({ id: `${id}.${rank}`, event, data }))
  }
  say(0, "queued", queued)
  if (epoch > 0) say(2 * epoch - 1, "dispatching")
  if (isTerminal(job.state)) {
    const { data, event } = Views.flatEnd(job)
    // told in any case: a stream ends with its end
    frames.push(frame({ id: `${id}.${rankOf(job)}`, event, data }))
  } else if (job.state !== "running" && epoch > 0) say(2 * epoch, "queued", queued)
  return frames
}

const NOTHING = -1
const positionEvery = 2000
const keepAlive = 30_000
const costFactor = 100
