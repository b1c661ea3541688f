/**
 * FRUGAL and PERFORMANCE as two compositions of transports.
 *
 * A strategy is an ordered list; each entry after the first names the failures it takes over. The interpreter walks the
 * list around the whole step and knows nothing else about the two types.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { forwards } from "../engine/Forward.ts"
import type { StepReason } from "../step/Outcome.ts"
import type { Step } from "../step/StepModel.ts"
import type { Delegating, Exchanging, Transport } from "./HttpTransport.ts"

/**
 * One transport of a strategy and the failures of the entry before it that it takes over.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly transport: Transport
  /** Ignored for the first entry. */
  readonly takesOver: (step: Step, failure: StepReason) => boolean
}

/**
 * A non-empty list of entries.
 *
 * @category models
 * @since 0.1.0
 */
export type Strategy = readonly [Entry, ...ReadonlyArray<Entry>]

/**
 * What a FRUGAL and what a PERFORMANCE step is executed over.
 *
 * @category services
 * @since 0.1.0
 */
export class Strategies extends Context.Service<
  Strategies,
  {
    readonly frugal: Strategy
    readonly performance: Strategy
  }
>()("ezthrottle-effect/transport/Strategies") {}

/**
 * The client's composition: FRUGAL tries `local` and forwards to `remote` on the step's `fallbackOnError` or when there
 * was no answer; PERFORMANCE goes to `remote`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const client = (local: Exchanging, remote: Delegating): Strategies["Service"] => ({
  frugal: [
    { transport: local, takesOver: () => false },
    { transport: remote, takesOver: forwards }
  ],
  performance: [{ transport: remote, takesOver: () => false }]
})

/**
 * Everything over one transport, whatever the type of the step. Over an exchanging one it is the dam's composition.
 *
 * @category constructors
 * @since 0.1.0
 */
export const only = (transport: Transport): Strategies["Service"] => {
  const strategy: Strategy = [{ transport, takesOver: () => false }]
  return { frugal: strategy, performance: strategy }
}

/**
 * Provides strategies built by an effect.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <E, R>(make: Effect.Effect<Strategies["Service"], E, R>): Layer.Layer<Strategies, E, R> =>
  Layer.effect(Strategies, make)
