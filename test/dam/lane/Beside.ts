import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"

/** Runs beside the test what its lanes do beside. */
export const beside = Effect.flatMap(FiberSet.make<void>(), (fibers) => FiberSet.runtime(fibers)())
