/**
 * Jobs that were stored just now, so that starting one need not read back what was written a moment ago.
 *
 * What is here is in the database too, and a job is here until its first start only. A dam that keeps up with its
 * callers finds nearly every job here; one with a backlog reads. Bounded by weight: the oldest make room, but not for
 * others of a lane that has its share already. Jobs of a backlog would only pass through here, and what is held for a
 * while and then dropped fills the heap with garbage that is old, which V8 is slow to clear away.
 */
import type { NewJob, StoredJob } from "../job/Job.ts"

/** Jobs by their id. */
export interface Fresh {
  /** Keeps a job that is queued; `weight` is about what it takes in memory. */
  readonly add: (job: NewJob, weight: number) => void
  /** Hands a job out, once. */
  readonly take: (id: string) => NewJob | undefined
}

/** What part of the weight one lane may have. */
const share = 0.5

/** Remembers jobs up to so much weight. */
export const make = (limit: number): Fresh => {
  const jobs = new Map<string, { readonly job: NewJob; readonly weight: number }>()
  const lanes = new Map<string, number>()
  let total = 0
  const weigh = (lane: string, weight: number) => {
    const after = (lanes.get(lane) ?? 0) + weight
    total += weight
    if (after > 0) lanes.set(lane, after)
    else lanes.delete(lane)
  }
  const take = (id: string) => {
    const found = jobs.get(id)
    if (found === undefined) return undefined
    jobs.delete(id)
    weigh(found.job.lane, -found.weight)
    return found.job
  }
  return {
    add: (job, weight) => {
      if ((lanes.get(job.lane) ?? 0) + weight > limit * share) return
      jobs.set(job.id, { job, weight })
      weigh(job.lane, weight)
      for (const id of jobs.keys()) {
        if (total <= limit) break
        take(id)
      }
    },
    take
  }
}

/** What a job is after its first start. */
export const started = (job: NewJob, epoch: number, at: number): StoredJob => ({
  ...job,
  state: "running",
  deliveryState: "none",
  epoch,
  history: [],
  dueAt: undefined,
  pausedUntil: undefined,
  pausedFor: undefined,
  startedAt: at,
  finishedAt: undefined,
  result: undefined,
  heldSince: undefined
})
