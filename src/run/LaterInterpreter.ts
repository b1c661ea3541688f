/**
 * The interpreter, loaded when a step needs more than one good answer to one call: most calls do not. A test client keeps
 * it from the start, since nothing may be loaded in virtual time.
 */
import * as Effect from "effect/Effect"
import { ConnectionFailed } from "../step/FailureModel.ts"
import { stepError } from "../step/Outcome.ts"
import * as Beginning from "./Beginning.ts"
import type { Interpreting } from "./ClientOver.ts"
import * as Hosts from "./Host.ts"
import type * as Interpreter from "./Interpreter.ts"

type Loaded = Pick<typeof Interpreter, "rest" | "submit">

let loaded: Loaded | undefined

/** Has nothing loaded: it is there. */
export const keep = (interpreter: Loaded): void => {
  loaded = interpreter
}

const loading: Effect.Effect<Loaded, ConnectionFailed> = Effect.suspend(() =>
  loaded === undefined
    ? Effect.tap(
        Effect.tryPromise({
          try: () => import("./Interpreter.ts"),
          catch: () =>
            new ConnectionFailed({ kind: "other", detail: "the part of this library that goes on could not be loaded" })
        }),
        (interpreter) => Effect.sync(() => keep(interpreter))
      )
    : Effect.succeed(loaded)
)

const begin = Beginning.over(Effect.map(loading, ({ rest }) => rest))

/** Runs steps and hands them over. */
export const interpreting: Interpreting = {
  run: (step, strategies) => begin(step, strategies, Hosts.client),
  submit: (step, service) =>
    Effect.flatMap(
      Effect.mapError(loading, (reason) => stepError(step, reason, [])),
      (interpreter) => interpreter.submit(step, service)
    )
}
