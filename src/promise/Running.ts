/** Runs effects as promises: errors become those of the facade, an `AbortSignal` becomes interruption. */
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as ManagedRuntime from "effect/ManagedRuntime"
import type * as Client from "../run/EZThrottle.ts"
import { EZThrottleError, toError } from "./Errors.ts"

/**
 * What every call that may take time takes as its last argument.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallOptions {
  /** Stops every attempt, pause and wait of the call at once; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * What the facade runs its calls on.
 *
 * @category models
 * @since 0.1.0
 */
export type Runtime = ManagedRuntime.ManagedRuntime<Client.EZThrottle, unknown>

/** Runs an effect over the client of a runtime. */
export const run = async <A, E>(
  runtime: Runtime,
  effect: Effect.Effect<A, E, Client.EZThrottle>,
  { signal }: CallOptions = {}
): Promise<A> => {
  const exit = await runtime.runPromiseExit(effect, { signal })
  if (Exit.isSuccess(exit)) return exit.value
  if (Cause.hasInterruptsOnly(exit.cause)) {
    throw signal?.aborted === true ? signal.reason : new EZThrottleError("The client was disposed during the call")
  }
  const error = Cause.squash(exit.cause)
  // a disposed runtime dies with a text
  throw typeof error === "string" ? new EZThrottleError(error) : toError(error)
}
