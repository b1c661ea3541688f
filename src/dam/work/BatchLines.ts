/** Lines of a batch become jobs: a group at a time, in one commit with how far the batch is. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Deadline from "../../engine/Deadline.ts"
import type { NewJob } from "../job/Job.ts"
import { queueOf } from "../job/LaneName.ts"
import { keyReused } from "../rows/BatchCommands.ts"
import { compare, type Met } from "../rows/RowStore.ts"
import type { BatchPort, LineNote, StoredBatch } from "../store/BatchRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import { credentialsDiffer } from "../intake/Refusal.ts"
import * as Admission from "./Admission.ts"
import { beginningOf, type Ends } from "./Ends.ts"
import { laned } from "./Run.ts"

/** A line that was read: its job, or what is wrong with it. */
export type Line = { readonly line: number; readonly job: NewJob } | Extract<LineNote, { readonly _tag: "Refused" }>

/** A job as a line. One that waits for newer ones would take the place of what another line has handed in. */
export const lineOf = (line: number, job: NewJob): Line =>
  job.step.debounce === undefined
    ? { line, job }
    : { _tag: "Refused", line, code: "invalid_field", field: "debounce", problem: undebounced }

const undebounced = "debounce: is left out: each line of a batch is a job that runs"

/** What taking lines needs. */
export interface Taking {
  readonly store: Pick<BatchPort, "addLines">
  readonly ends: Ends
  readonly admit: Admission.Admission["through"]
  readonly maxCustomerJobs: number | undefined
  /** Headers that are credentials beside those that always are. */
  readonly credentials: ReadonlyArray<string> | undefined
}

/** Some lines, in their order. */
export interface Group {
  readonly lines: ReadonlyArray<Line>
  /** The last of them, empty ones too. */
  readonly through: number
  /** They were refused before. */
  readonly isAgain: boolean
  /** All of them are taken, or none. Defaults to `false`: where a customer has not room for all, so many as there is room for. */
  readonly isWhole?: boolean | undefined
}

/** Where the batch is then; `isTaken` is `false` where somebody else has taken lines of it meanwhile. */
export interface Taken {
  readonly batch: StoredBatch | undefined
  readonly isTaken: boolean
}

/** Takes a group. What is known already is noted as a duplicate, or refused. */
export const take = Effect.fnUntraced(function* (
  self: Taking,
  batch: StoredBatch,
  { isAgain, isWhole = isAgain, lines, through: last }: Group
): Effect.fn.Return<Taken, StoreError | Admission.Overloaded> {
  let notes: Array<LineNote> = []
  let through = last
  let jobs = firstOfEach(self, batch, lines, notes)
  while (true) {
    const at = yield* Clock.currentTimeMillis
    const group = { batch, after: batch.through, through, jobs, notes, at, isAgain, most: self.maxCustomerJobs }
    // whoever hands them in may lose patience, but jobs that are stored are looked after
    const added = yield* self.admit(
      Effect.uninterruptible(
        Effect.tap(self.store.addLines(group), ({ _tag }) =>
          _tag === "Added" && !batch.together ? filed(self.ends, jobs) : Effect.void
        )
      ),
      jobs.length,
      // lines are taken in their order, so that none is before one of low priority which has to wait
      jobs.some(({ step }) => step.priority === "low") ? "low" : undefined
    )
    switch (added._tag) {
      case "Added":
        return {
          batch: { ...batch, through, touchedAt: at, ...countsAfter(batch, jobs, notes, isAgain) },
          isTaken: true
        }
      case "Moved":
        return { batch: added.batch, isTaken: false }
      case "Crowded": {
        const { maxCustomerJobs: most = added.jobs } = self
        const room = Math.max(0, most - added.jobs)
        const beyond = jobs[room]?.batch?.line
        if (isWhole || room === 0 || beyond === undefined) return yield* Admission.crowded(most, added.jobs)
        through = beyond - 1
        jobs = jobs.slice(0, room)
        notes = notes.filter(({ line }) => line <= through)
        continue
      }
      case "Known": {
        const known = new Map(added.known.map(({ job, place }) => [place, job]))
        jobs = jobs.filter((job, place) => {
          const first = known.get(place)
          if (first !== undefined) notes.push(noteOf(job, compare(job, first, self.credentials)))
          return first === undefined
        })
      }
    }
  }
})

const countsAfter = (
  { accepted, duplicates, refused }: StoredBatch,
  jobs: ReadonlyArray<NewJob>,
  notes: ReadonlyArray<LineNote>,
  isAgain: boolean
): Pick<StoredBatch, "accepted" | "duplicates" | "refused"> => {
  const bad = notes.filter(({ _tag }) => _tag === "Refused").length
  return {
    accepted: accepted + jobs.length,
    duplicates: duplicates + notes.length - bad,
    refused: refused + bad - (isAgain ? jobs.length + notes.length : 0)
  }
}

/** The jobs of a group, of equal ones the first; what becomes no job is noted. */
const firstOfEach = (
  { credentials, ends }: Taking,
  { id, number }: StoredBatch,
  lines: ReadonlyArray<Line>,
  notes: Array<LineNote>
): ReadonlyArray<NewJob> => {
  const byKey = new Map<string, NewJob>()
  const jobs: Array<NewJob> = []
  for (const one of lines) {
    if (!("job" in one)) {
      notes.push(one)
      continue
    }
    const job = laned(ends.runner.names, { ...one.job, batch: { number, id, line: one.line } })
    const key = `${job.keyScope.length}:${job.keyScope}${job.key}`
    const first = job.rerunOf === undefined ? byKey.get(key) : undefined
    if (first === undefined) {
      byKey.set(key, job)
      jobs.push(job)
    } else notes.push(noteOf(job, compare(job, first, credentials)))
  }
  return jobs
}

/** What is noted of a job whose key is known. */
const noteOf = ({ batch }: NewJob, met: Met<NewJob>): LineNote => {
  const line = batch?.line ?? 0
  switch (met._tag) {
    case "Duplicate":
      return { _tag: "Duplicate", line, jobId: met.job.id }
    case "Conflict":
      return { _tag: "Refused", line, ...keyReused(met.jobId) }
    case "CredentialsDiffer":
      return {
        _tag: "Refused",
        line,
        code: "credentials_differ",
        field: undefined,
        problem: credentialsDiffer(met.jobId)
      }
  }
}

/** Says that jobs were filed; a lane that several of them are for is woken once. */
const filed = Effect.fnUntraced(function* (ends: Ends, jobs: ReadonlyArray<NewJob>) {
  const { lanes, lookAround, told } = ends
  const queues = new Map<string, readonly [lane: string, queue: string]>()
  let waits = false
  for (const job of jobs) {
    const state = yield* beginningOf(ends, job)
    yield* told(job, state, true)
    if (state === "queued") {
      const queue = queueOf(job, job.step.limits, job.step.priority)
      queues.set(`${job.lane} ${queue}`, [job.lane, queue])
    }
    waits ||= state === "scheduled" || job.step.startBefore !== undefined || Deadline.has(job.step)
  }
  for (const [lane, queue] of queues.values()) yield* lanes.wake(lane, queue)
  if (waits) lookAround()
})
