/** Runs effects as promises: errors become those of the facade, an `AbortSignal` becomes interruption. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import type * as Client from "../run/ClientService.ts"
import { Links } from "../transport/Links.ts"
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
): Promise<A> => runAs(runtime, effect, { read: (value) => value, excuse: () => undefined }, options)

/** What the caller of the facade gets: for a value, and for an error that is a result too. */
export interface Reading<A, B> {
  readonly read: (value: A) => B
  readonly excuse: (error: unknown) => B | undefined
}

/** Runs an effect and gives its end another shape, after it: a call is made often, and effects around it cost. */
export const runAs = <A, E, B>(
  runtime: Runtime,
  effect: Effect.Effect<A, E, Client.EZThrottle>,
  { excuse, read }: Reading<A, B>,
  options?: CallOptions
): Promise<B> =>
  new Promise((resolve, reject) => {
    const calls = underWay.get(runtime) ?? begin(runtime)
    const fiber = start(runtime, effect, options)
    const link = calls.add(fiber)
    fiber.addObserver((exit) => {
      calls.remove(link)
      if (Exit.isSuccess(exit)) return resolve(read(exit.value))
      if (Cause.hasInterruptsOnly(exit.cause)) return reject(stopped(options))
      const error = Cause.squash(exit.cause)
      const excused = excuse(error)
      return excused === undefined ? reject(failed(error)) : resolve(excused)
    })
  })

/** Resolves once no call of a runtime is under way, whatever became of them. */
export const settled = async (runtime: Runtime, { signal }: CallOptions = {}): Promise<void> => {
  const aborted = new Promise<never>((_, reject) =>
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true })
  )
  // nobody may be waiting for it any more when it comes
  aborted.catch(() => undefined)
  for (const calls = underWay.get(runtime); calls !== undefined && !calls.isEmpty;) {
    signal?.throwIfAborted()
    await Promise.race([Promise.all(calls.values().map(ended)), aborted])
  }
}

type Call = Fiber.Fiber<unknown, unknown>

const underWay = /* @__PURE__ */ new WeakMap<Runtime, Links<Call>>()

/** Whoever closes the runtime stops its calls first, as the runtime does with those it has begun itself. */
const begin = (runtime: Runtime): Links<Call> => {
  const calls = new Links<Call>()
  underWay.set(runtime, calls)
  Effect.runSync(
    Scope.addFinalizer(
      runtime.scope,
      Effect.suspend(() => Fiber.interruptAll(calls.values()))
    )
  )
  return calls
}

/** Once its layer is built, a runtime is its context; what it does for each fiber of its own is done for all in `begin`. */
const start = <A, E>(
  runtime: Runtime,
  effect: Effect.Effect<A, E, Client.EZThrottle>,
  options: CallOptions | undefined
): Fiber.Fiber<A, unknown> => {
  const context = runtime.cachedContext
  return context === undefined ? runtime.runFork(effect, options) : Effect.runForkWith(context)(effect, options)
}

const ended = (call: Call): Promise<void> => new Promise((resolve) => call.addObserver(() => resolve()))

const stopped = ({ signal }: CallOptions = {}): unknown =>
  signal?.aborted === true ? signal.reason : new EZThrottleError("The client was disposed during the call")

// a disposed runtime dies with a text of its own
const failed = (error: unknown): unknown =>
  typeof error === "string"
    ? new EZThrottleError(
        "This EZThrottle client was disposed before the call: make a new one, or dispose of it later",
        null,
        {
          cause: error
        }
      )
    : toError(error)

/** A call about a job, whose error names it. */
export const about = <A, B, E>(jobId: string, call: Effect.Effect<A, E, Client.EZThrottle>, read: (answer: A) => B) =>
  Effect.mapBoth(call, { onSuccess: read, onFailure: (error) => toError(error, jobId) })
