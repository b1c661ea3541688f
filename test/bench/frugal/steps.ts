/** Steps within Effect: one program, `inFlight` fibers that execute one after the other. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { EZThrottle, Step } from "ezthrottle-effect"
import type { Side } from "../support/racer.ts"

export const inFlight = 32

export const steps = (client: Layer.Layer<EZThrottle.EZThrottle, unknown>, url: string): Side => {
  const runtime = ManagedRuntime.make(client)
  const step = Step.get(url).pipe(Step.frugal())
  return (calls) =>
    runtime.runPromise(
      Effect.forEach(
        Array.from({ length: inFlight }),
        () =>
          Effect.gen(function* () {
            for (let done = 0; done < calls / inFlight; done++) yield* EZThrottle.execute(step)
          }),
        { concurrency: "unbounded", discard: true }
      )
    )
}
