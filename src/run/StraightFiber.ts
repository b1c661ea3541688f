/** The straight way in a fiber: where the one call has its turn, its span or its row in a store. */
import * as Effect from "effect/Effect"
import type { Outcome, StepError } from "../step/Outcome.ts"
import type { Execution } from "./Execution.ts"
import { perform } from "./Execution.ts"
import { readResponse } from "./Reading.ts"
import { sending } from "./Sending.ts"
import { exchangeOf, first, goOn, type Interpret, type StraightRun } from "./Straight.ts"
import { pacing } from "./Turns.ts"

/** Runs it over a transport that `Straight.over` has named; `interpret` does the rest where there is one. */
export const run = (interpret: Interpret, straight: StraightRun): Effect.Effect<Outcome, StepError> =>
  Effect.flatMap(straight.transport.regions, (regions) => {
    const { host, step, strategies, transport } = straight
    // where there are places to leave from, one is chosen
    if (regions.length > 0) return interpret(step, strategies, host)
    const execution: Execution = { step, strategies, host, history: host.history }
    const exchange = exchangeOf(straight)
    const sent = perform(execution, {
      step,
      facts: first,
      send: sending(transport, exchange),
      read: readResponse((host.rules ?? transport.rules)?.(exchange.request))
    })
    const paced = pacing(host, transport)
    return Effect.flatMap(
      paced === undefined ? sent : paced({ request: exchange.request, step }, sent, true),
      (attempt) => goOn(interpret, straight, execution, attempt)
    )
  })
