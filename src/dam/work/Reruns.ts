/** A finished job run again: as a job of its own, whose children run again too. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isTerminal } from "../../engine/JobState.ts"
import type { StoredJob } from "../job/Job.ts"
import { rerunOf } from "../job/NewJob.ts"
import type { Engine } from "./Engine.ts"
import { WrongState } from "./WrongState.ts"

/** Makes the verb over one that submits. */
export const make = (submit: Engine["Service"]["submit"], newId: Effect.Effect<string>): Engine["Service"]["rerun"] =>
  Effect.fnUntraced(function* (job: StoredJob) {
    if (!isTerminal(job.state)) {
      return yield* new WrongState({ jobId: job.id, state: job.state, wanted: "only a finished job can be run again" })
    }
    if (job.erasedAt !== undefined) {
      return yield* new WrongState({ jobId: job.id, state: job.state, wanted: "what it was to do was erased" })
    }
    if (job.unreadable !== undefined) {
      return yield* new WrongState({
        jobId: job.id,
        state: job.state,
        wanted: "what it was to do cannot be read any more"
      })
    }
    const made = rerunOf(job, { id: yield* newId, at: yield* Clock.currentTimeMillis })
    // it is new whatever its key says: a rerun stands beside the index of keys
    yield* submit(made)
    return made
  })
