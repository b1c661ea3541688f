/** Filing as it is done without a fiber, wrapped into effects again: what is promised of either way is promised of both. */
import * as Effect from "effect/Effect"
import type { NewJob } from "../../../src/dam/job/Job.ts"
import * as Filing from "../../../src/dam/store/Filing.ts"
import type { JobPort } from "../../../src/dam/store/JobRecords.ts"

/** The same function, asked without a fiber; fails where it cannot be. */
export const straight =
  <Rest extends ReadonlyArray<unknown>, A, E>(file: (job: NewJob, ...rest: Rest) => Effect.Effect<A, E>) =>
  (job: NewJob, ...rest: Rest): Effect.Effect<A | Filing.Stored, E> => {
    const begin = Filing.of(file)
    if (begin === undefined) return Effect.die(new Error("it files in a fiber only"))
    return Effect.callback((resume) =>
      begin((filed) => resume(Effect.isEffect(filed) ? filed : Effect.succeed(filed)), job, ...rest)
    )
  }

/** A store that is asked without a fiber, whoever asks it. */
export const straightly = <S extends Pick<JobPort, "enqueue" | "enqueueBelow">>(store: S): S => ({
  ...store,
  enqueue: straight(store.enqueue),
  enqueueBelow: straight(store.enqueueBelow)
})
