/**
 * Who lets calls through: lanes in this process, or somebody who lets those of several programs through.
 *
 * A call asks for a permit, departs, has its answer heard, and gives the permit back. What an answer means for the pace is
 * read by whoever grants; callers pass it on as it came.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Answer } from "../engine/Refusal.ts"
import type { Draw } from "../step/StepModel.ts"
import { TaggedError } from "../step/TaggedError.ts"

/**
 * What a call asks for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ask {
  /** Calls of one lane share a pace. */
  readonly lane: string
  /** Host and effective port, such as `api.example.com:443`: what is configured and known of it counts. */
  readonly host: string
  /** What it draws on limits besides. */
  readonly draws: ReadonlyArray<Draw>
  /** Milliseconds; a lane that is held for longer is not waited for. `Infinity` waits for ever. */
  readonly patience: number
}

/**
 * The lane is held for longer than a call would wait: the upstream has refused others, or says that nothing is left.
 *
 * @category errors
 * @since 0.1.0
 */
export class LaneHeld extends TaggedError("LaneHeld")<{
  /** Milliseconds from now. */
  readonly forMillis: number
}> {
  override get message() {
    return `no calls are made there for another ${Math.ceil(this.forMillis / 1000)} s, by what the upstream has told`
  }
}

/**
 * A right to one call.
 *
 * @category models
 * @since 0.1.0
 */
export interface Permit {
  /** Waits until the call may be sent, and takes that moment; to be run right before it. It may be interrupted. */
  readonly depart: Effect.Effect<void>
  /** Takes in what an answer says of the pace, before anybody else is let through. Its body may be left out. */
  readonly hear: (answer: Answer) => Effect.Effect<void>
  /** Whether a limit it draws on settles by what the answer says the call has cost. */
  readonly settles: "never" | "by header" | "by body"
  /** Takes in what the call has cost. */
  readonly settle: (answer: Answer) => Effect.Effect<void>
  /** Gives it back, once; whoever did not depart leaves the turn to the next one. */
  readonly release: Effect.Effect<void>
}

/**
 * Grants permits.
 *
 * @category services
 * @since 0.1.0
 */
export class Permits extends Context.Service<
  Permits,
  {
    /**
     * Waits for a permit, in the order in which calls of a lane ask. To be called where interruption is off, so that no
     * permit is lost on the way: the wait alone can be interrupted, which gives the place up.
     *
     * **Details** — whoever grants from afar decides what holds while it cannot be reached. A draw on a limit that is not
     * known is a defect.
     */
    readonly acquire: (ask: Ask) => Effect.Effect<Permit, LaneHeld>
  }
>()("ezthrottle-effect/paced/Permits") {}
