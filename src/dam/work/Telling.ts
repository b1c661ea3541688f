/** What is told of a job that changes its state: to whoever follows it, to the numbers of the last hour, to the metrics. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { JobState } from "../../engine/JobState.ts"
import type { NewJob } from "../job/Job.ts"
import type { Events } from "../observe/Events.ts"
import { metrics } from "../observe/Metrics.ts"
import type { History } from "../observe/History.ts"
import type { Stats } from "../observe/Stats.ts"

/** What of a job is told. */
export type TellableJob = Pick<NewJob, "createdAt" | "customer" | "id" | "lane" | "notBefore">

/** Tells a job's state; `isFirst`: it was taken in, or started, for the first time. */
export type Told = (job: TellableJob, state: JobState, isFirst?: boolean) => Effect.Effect<void>

/** Who is told. */
export interface Listeners {
  readonly events: Pick<Events, "publish">
  readonly notes: Stats
  readonly history: Pick<History, "accepted" | "ended">
  /** Hears that a job was filed or has ended. */
  readonly noteTexts: () => void
}

/** Makes it. */
export const make =
  ({ events, history, noteTexts, notes }: Listeners): Told =>
  (job, state, isFirst = false) =>
    Effect.withFiber((fiber) => {
      const at = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
      events.publish({ jobId: job.id, state, at, customer: job.customer, lane: job.lane })
      if (isFirst && state !== "running") {
        notes.accepted(at)
        history.accepted(job.lane)
        noteTexts()
        metrics.accepted.updateUnsafe(1, fiber.context)
      } else if (isFirst) {
        const waited = Math.max(0, at - Math.max(job.createdAt, job.notBefore ?? 0))
        notes.started(at, waited)
        metrics.wait.updateUnsafe(waited, fiber.context)
      } else if (state === "succeeded" || state === "failed" || state === "cancelled") {
        notes.ended(at, state, at - job.createdAt)
        history.ended(job.lane, state)
        noteTexts()
        metrics[state].updateUnsafe(1, fiber.context)
        metrics.total.updateUnsafe(at - job.createdAt, fiber.context)
      }
      return Effect.void
    })
