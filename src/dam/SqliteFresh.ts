/**
 * Jobs that were stored just now, so that starting one need not read back what was written a moment ago.
 *
 * What is here is in the database too, and a job is here until its first start only. A dam that keeps up with its
 * callers finds nearly every job here; one with a backlog reads. Bounded by weight: the oldest make room.
 */
import type { NewJob, StoredJob } from "./Job.ts"

/** Jobs by their id. */
export interface Fresh {
  /** Keeps a job that is queued; `weight` is about what it takes in memory. */
  readonly add: (job: NewJob, weight: number) => void
  /** Hands a job out, once. */
  readonly take: (id: string) => NewJob | undefined
}

/** Remembers jobs up to so much weight. */
export const make = (limit: number): Fresh => {
  const jobs = new Map<string, { readonly job: NewJob; readonly weight: number }>()
  let total = 0
  const take = (id: string) => {
    const found = jobs.get(id)
    if (found === undefined) return undefined
    jobs.delete(id)
    total -= found.weight
    return found.job
  }
  return {
    add: (job, weight) => {
      if (weight > limit) return
      jobs.set(job.id, { job, weight })
      total += weight
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
  startedAt: at,
  finishedAt: undefined,
  result: undefined,
  heldSince: undefined
})
