/**
 * Something done to all jobs that a filter finds: a page at a time, so that other work goes on, and for so long at most that
 * whoever asked is answered in time and can go on where it ended.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { isTerminal, type JobState, states } from "../../engine/JobState.ts"
import type { StoredJob } from "../job/Job.ts"
import type { Counted, JobFilter, JobPort } from "../store/JobRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Overloaded } from "./Admission.ts"
import type { WrongState } from "./WrongState.ts"

/**
 * What can be done to many jobs.
 *
 * @category models
 * @since 0.1.0
 */
export type BulkAction = (typeof bulkActions)[number]

/**
 * Every {@link BulkAction}.
 *
 * @category constants
 * @since 0.1.0
 */
export const bulkActions = ["cancel", "rerun", "delete"] as const

/**
 * What is to be done, and to which jobs: by the filter, of those that it can be done to. Left out, the states are those
 * that an action is usually for.
 *
 * @category models
 * @since 0.1.0
 */
export interface BulkRequest {
  readonly action: BulkAction
  readonly filter: Omit<JobFilter, "limit" | "oldestFirst">
}

/**
 * What was done. `cursor`: where to go on, for time was up.
 *
 * @category models
 * @since 0.1.0
 */
export interface BulkDone {
  readonly done: number
  /** To these it could not be done: they were in another state by then. */
  readonly skipped: number
  /** The first of them. */
  readonly examples: ReadonlyArray<StoredJob>
  readonly cursor: string | undefined
}

/**
 * What bulk does.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bulk {
  readonly run: (request: BulkRequest) => Effect.Effect<BulkDone, StoreError | Overloaded>
  /** How many jobs it would be done to, and some of them. Nothing is done. */
  readonly preview: (
    request: BulkRequest
  ) => Effect.Effect<{ readonly counted: Counted; readonly examples: ReadonlyArray<StoredJob> }, StoreError>
}

/**
 * The states of jobs that something can be done to.
 *
 * @category accessors
 * @since 0.1.0
 */
export const statesFor = (action: BulkAction): ReadonlyArray<JobState> =>
  states.filter((state) => isTerminal(state) === (action !== "cancel"))

/** Who runs jobs again means those that failed, unless it says otherwise. */
const usualFor = (action: BulkAction): ReadonlyArray<JobState> => (action === "rerun" ? ["failed"] : statesFor(action))

const pageSize = 50
const examplesAtMost = 5
/** Less than anybody on the way waits for an answer, in milliseconds. */
const longest = 20_000

/**
 * Makes it over what is done to one job.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  store: Pick<JobPort, "count" | "deleteEnded" | "list">,
  verbs: { readonly cancel: Act; readonly rerun: Act }
): Bulk => {
  /** What is done to a page of jobs: answers to how many. */
  const actions: Readonly<
    Record<
      BulkAction,
      (jobs: ReadonlyArray<StoredJob>, handled: Handled) => Effect.Effect<number, StoreError | Overloaded>
    >
  > = {
    cancel: (jobs, handled) => countDone(jobs, verbs.cancel, handled),
    rerun: (jobs, handled) => countDone(jobs, verbs.rerun, handled),
    delete: (jobs) => store.deleteEnded(jobs.map(({ id }) => id))
  }
  return {
    preview: ({ action, filter }) => {
      const wanted = { ...filter, states: filter.states ?? usualFor(action) }
      return Effect.zipWith(
        store.count(wanted),
        store.list({ ...wanted, cursor: undefined, limit: examplesAtMost }),
        (counted, { jobs }) => ({ counted, examples: jobs })
      )
    },
    run: Effect.fnUntraced(function* ({ action, filter }) {
      const until = (yield* Clock.currentTimeMillis) + longest
      const wanted = { ...filter, states: filter.states ?? usualFor(action), limit: pageSize }
      let { cursor } = filter
      let examples: ReadonlyArray<StoredJob> = []
      let done = 0
      let seen = 0
      do {
        // the newest first: what a rerun files is newer than all that is still to come
        const page = yield* store.list({ ...wanted, cursor })
        const handled = { jobs: 0, done: 0 }
        const did = yield* Effect.result(actions[action](page.jobs, handled))
        if (Result.isFailure(did)) {
          // asked again from the beginning, it would run again once more what it has run again already
          if (action !== "rerun" || seen + handled.jobs === 0) return yield* Effect.fail(did.failure)
          const before = handled.jobs === 0 ? undefined : yield* store.list({ ...wanted, cursor, limit: handled.jobs })
          const first = before?.jobs ?? []
          return {
            done: done + handled.done,
            skipped: seen + handled.jobs - done - handled.done,
            examples: examples.length === 0 ? first.slice(0, examplesAtMost) : examples,
            cursor: before?.cursor ?? cursor
          }
        }
        done += did.success
        seen += page.jobs.length
        if (examples.length === 0) examples = page.jobs.slice(0, examplesAtMost)
        cursor = page.cursor
      } while (cursor !== undefined && (yield* Clock.currentTimeMillis) < until)
      return { done, skipped: seen - done, examples, cursor }
    })
  }
}

/** How far a page is, also where it fails. */
interface Handled {
  jobs: number
  done: number
}

/** What is done to one job. */
type Act = (job: StoredJob) => Effect.Effect<unknown, StoreError | Overloaded | WrongState>

/** Does something to each; what is in another state by now is left alone. */
const countDone = Effect.fnUntraced(function* (jobs: ReadonlyArray<StoredJob>, act: Act, handled: Handled) {
  let done = 0
  for (const job of jobs) {
    done += yield* act(job).pipe(
      Effect.as(1),
      Effect.catchTag("WrongState", () => Effect.succeed(0))
    )
    handled.jobs++
    handled.done = done
  }
  return done
})
