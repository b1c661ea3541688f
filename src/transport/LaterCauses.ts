/**
 * Why a call failed, found out by what is loaded when the first call fails: most programs see few failures, and the names of
 * them all are long. Where it cannot be loaded, as in a browser without a network, the failure is one of which nothing more
 * is known, which is all that a browser tells anyway.
 */
import * as Effect from "effect/Effect"
import { ConnectionFailed } from "../step/FailureModel.ts"
import type { CallFailure } from "./CutShort.ts"

let known: ((cause: unknown) => CallFailure) | undefined

/** Tells why a call failed: at once where that was loaded before. */
export const failureOf = (cause: unknown, told: (failure: CallFailure) => void): void => {
  if (known !== undefined) return told(known(cause))
  import("./Causes.ts").then(
    ({ failureOf }) => {
      known = failureOf
      told(failureOf(cause))
    },
    () => told(new ConnectionFailed({ kind: "other", detail: "the HTTP client failed without saying why" }))
  )
}

/** The same for effects. */
export const fail = (cause: unknown): Effect.Effect<never, CallFailure> =>
  Effect.callback((resume) => failureOf(cause, (failure) => resume(Effect.fail(failure))))
