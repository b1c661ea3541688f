/**
 * Tells who listens what happens to a job. Nothing is kept here: whoever comes late reads the store.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { isTerminal } from "../engine/JobState.ts"
import type { JobEvent } from "./Engine.ts"

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
}

/** How many events wait for a slow reader before it is cut off. */
const patience = 64

/**
 * Makes a place to publish events.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Events => {
  const listeners = new Map<string, Set<Queue.Queue<JobEvent, Cause.Done>>>()
  return {
    publish: (event) => {
      for (const listener of listeners.get(event.jobId) ?? []) {
        // a full buffer means a reader that does not read: it is cut off and can come back
        if (!Queue.offerUnsafe(listener, event) || isTerminal(event.state)) Queue.endUnsafe(listener)
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
