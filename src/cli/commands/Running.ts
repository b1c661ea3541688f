/** How a command runs: with the service it talks to, until it is done or told to stop. */
import * as Effect from "effect/Effect"
import { constants } from "node:os"
import { Problem } from "../output/Problem.ts"
import * as Service from "../service/Service.ts"
import * as Signals from "../output/Signals.ts"
import * as Target from "../service/Target.ts"

/** Ctrl-C interrupts what runs, lets it clean up, and ends the process as a signal would. */
export const stoppable = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.scoped(
    Effect.flatMap(Signals.make, (signal) =>
      Effect.raceFirst(
        effect,
        Effect.flatMap(signal, (name) =>
          Effect.fail(
            new Problem({
              exit: 128 + constants.signals[name],
              problem: "stopped",
              next: undefined,
              code: "interrupted",
              details: [name],
              passesAfter: undefined
            })
          )
        )
      )
    )
  )

/** Runs a command that calls the service. */
export const talking = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  stoppable(
    Effect.flatMap(Target.settle, (target) => Effect.provideService(effect, Service.Service, Service.make(target)))
  )
