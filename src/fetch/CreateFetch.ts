/**
 * A `fetch` that keeps to the pace of whom it calls: for every library that takes a `fetch` of one's own.
 *
 * ```ts
 * const client = new OpenAI({ fetch: createFetch(), maxRetries: 0 })
 * ```
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { check } from "./Checked.ts"
import * as Fetching from "./Fetching.ts"
import type { FetchOptions } from "./FetchOptions.ts"

/**
 * Makes a `fetch` whose calls share lanes: what answers tell and refuse is obeyed by all that follow, and calls that were
 * refused are made again.
 *
 * **Details** — the caller's signal is heard while a call waits, too, and its reason is what the promise rejects with.
 * Bodies are streamed both ways. A refusal that lasts, or asks for a longer wait than `retry.patience`, is answered as it
 * came.
 * **Gotchas** — what is made together shares its lanes: make one for a program, not one for each call. Redirects are the
 * platform's, in the lane of the first host.
 *
 * @category constructors
 * @since 0.1.0
 */
export const createFetch = (options: FetchOptions = {}): typeof globalThis.fetch => {
  check(options)
  const call = Fetching.make(options)
  return (...[input, init]: Parameters<typeof globalThis.fetch>) =>
    new Promise((resolve, reject) => {
      const signal = init?.signal ?? (typeof input === "object" && "signal" in input ? input.signal : undefined)
      if (signal?.aborted === true) return reject(signal.reason)
      const fiber = Effect.runFork(call(input, init), signal ? { signal } : undefined)
      fiber.addObserver((exit) => {
        if (Exit.isSuccess(exit)) return resolve(exit.value)
        if (signal?.aborted === true) return reject(signal.reason)
        const error = Cause.findErrorOption(exit.cause)
        return reject(error._tag === "Some" ? error.value.cause : Cause.squash(exit.cause))
      })
    })
}
