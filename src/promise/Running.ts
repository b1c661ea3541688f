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
export const run = <A, E>(
  runtime: Runtime,
  effect: Effect.Effect<A, E, Client.EZThrottle>,
  options?: CallOptions
): Promise<A> => {
  const ended = promised(runtime, effect, options)
  const calls = underWay.get(runtime) ?? new Set()
  underWay.set(runtime, calls.add(ended))
  const forget = () => void calls.delete(ended)
  ended.then(forget, forget)
  return ended
}

/** Resolves once no call of a runtime is under way, whatever became of them. */
export const settled = async (runtime: Runtime, { signal }: CallOptions = {}): Promise<void> => {
  const aborted = new Promise<never>((_, reject) =>
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true })
  )
  // nobody may be waiting for it any more when it comes
  aborted.catch(() => undefined)
  for (const calls = underWay.get(runtime); calls !== undefined && calls.size > 0;) {
    signal?.throwIfAborted()
    await Promise.race([Promise.allSettled(calls), aborted])
  }
}

const underWay = /* @__PURE__ */ new WeakMap<Runtime, Set<Promise<unknown>>>()

const promised = async <A, E>(
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
  // a disposed runtime dies with a text of its own
  throw typeof error === "string"
    ? new EZThrottleError(
        "This EZThrottle client was disposed before the call: make a new one, or dispose of it later",
        null,
        {
          cause: error
        }
      )
    : toError(error)
}
