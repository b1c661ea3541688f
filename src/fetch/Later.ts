/** What is loaded when a call is handed over: a bundler keeps it apart from what every call needs. */
import * as Effect from "effect/Effect"
import type { FetchForwardOptions } from "./FetchOptions.ts"
import type { Given } from "./Given.ts"

/**
 * Hands a call over; answers the receipt, or nothing where nobody took it, which is logged: the caller has what became of
 * the call here.
 */
export const forward = (
  options: FetchForwardOptions,
  given: Given,
  waitMillis: number
): Effect.Effect<Response | undefined> =>
  Effect.flatMap(
    Effect.tryPromise(() => import("./Forward.ts")),
    ({ submit }) => submit(options, given, waitMillis)
  ).pipe(
    Effect.catch((error) =>
      Effect.as(Effect.logWarning(`a call to ${given.url.host} could not be handed over: ${error.message}`), undefined)
    )
  )
