/**
 * Tells who listens what happens to a job. Of all jobs the last thousands of events are kept, for those who look at the
 * whole dam now and then; whoever comes later reads the store.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { isTerminal, type JobState } from "../../engine/JobState.ts"

/**
 * Publishes and follows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Events {
  readonly publish: (event: JobEvent) => void
  /** What happens to the job from now on; ends after its final state, or when the reader is 64 events behind. */
  readonly follow: (jobId: string) => Stream.Stream<JobEvent>
  readonly recent: Recent
}

/**
 * The last events of all jobs, by number.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recent {
  /** The number of the last event. */
  readonly last: () => number
  /** What came after an event, and whether all of it is still there. */
  readonly since: (number: number) => { readonly events: ReadonlyArray<JobEvent>; readonly isWhole: boolean }
}

/** Events of all jobs that are kept. */
const memory = 4096

/** How many events wait for a slow reader before it is cut off. */
const patience = 64

/**
 * Makes a place to publish events. Their numbers begin after `first`; where it is taken from the clock, no number of an
 * earlier run is given again.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (first = 0): Events => {
  const kept: Array<JobEvent> = []
  let last = first
  const listeners = new Map<string, Set<Queue.Queue<JobEvent, Cause.Done>>>()
  return {
    publish: (event) => {
      kept[last % memory] = event
      last++
      for (const listener of listeners.get(event.jobId) ?? []) {
        // a full buffer means a reader that does not read: it is cut off and can come back
        if (!Queue.offerUnsafe(listener, event) || isTerminal(event.state)) Queue.endUnsafe(listener)
      }
    },
    recent: {
      last: () => last,
      since: (number) => {
        const from = Math.max(number, first, last - memory)
        const count = Math.max(0, last - from)
        return {
          events: Array.from({ length: count }, (_, n) => kept[(from + n) % memory]).filter((it) => it !== undefined),
          isWhole: number >= from && number <= last
        }
      }
    },
    follow: (jobId) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const listener = yield* Queue.dropping<JobEvent, Cause.Done>(patience)
          const all = listeners.get(jobId) ?? new Set()
          listeners.set(jobId, all.add(listener))
          yield* Effect.addFinalizer(() =>
            Effect.sync(() => {
              all.delete(listener)
              if (all.size === 0) listeners.delete(jobId)
            })
          )
          return Stream.fromQueue(listener)
        })
      )
  }
}

/**
 * Something happened to a job.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobEvent {
  readonly jobId: string
  readonly state: JobState
  readonly at: number
  readonly customer: string
  readonly lane: string
}
