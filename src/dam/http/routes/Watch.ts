/**
 * Watching one job: an event says only when to look, what is seen is what the store has.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Engine } from "../../work/Engine.ts"

/** Waits for the job to change. */
export interface Watch {
  /** Waits until the job may have changed or the dam goes down, at most so many milliseconds; tells which it was. */
  readonly change: (atMost: number) => Effect.Effect<"changed" | "quiet" | "leaving">
}

/** Watches from now on, before the job is looked at for the first time, so that nothing is missed in between. */
export const make = (
  engine: Pick<Engine["Service"], "events">,
  leaving: Deferred.Deferred<void>,
  jobId: string
): Effect.Effect<Watch, never, Scope.Scope> =>
  Effect.gen(function* () {
    // one signal stands for any number of changes, so that nothing piles up for a slow reader
    const signals = yield* Queue.sliding<void>(1)
    yield* engine.events(jobId).pipe(
      Stream.runForEach(() => Queue.offer(signals, undefined)),
      Effect.forkScoped({ startImmediately: true })
    )
    const left = Effect.as(Deferred.await(leaving), "leaving" as const)
    const changed = Effect.as(Queue.take(signals), "changed" as const)
    return {
      change: (atMost) =>
        Deferred.isDoneUnsafe(leaving)
          ? Effect.succeed("leaving")
          : Effect.raceFirst(changed, left).pipe(
              Effect.timeoutOrElse({ duration: atMost, orElse: () => Effect.succeed("quiet" as const) })
            )
    }
  })
