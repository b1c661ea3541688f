/** How a step begins: what breaks a rule is refused, what is plain is called at once, and all else is the interpreter's. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { stepError } from "../step/Outcome.ts"
import { check } from "../step/StepRules.ts"
import { takenUp } from "../step/TakenUp.ts"
import { unkept } from "./LimitsKept.ts"
import * as Straight from "./Straight.ts"
import * as Telemetry from "./Telemetry.ts"

/** Begins steps; the interpreter comes by `resting` when it is needed. */
export const over =
  (resting: Straight.Resting): Straight.Interpret =>
  (given, strategies, host) =>
    Effect.withFiber((fiber) => {
      const step = takenUp(given, fiber.getRef(Clock.Clock).currentTimeMillisUnsafe())
      const broken = check(given, host.hashKey !== undefined) ?? unkept(step, strategies)
      if (broken !== undefined) return Telemetry.step(step, Effect.fail(stepError(step, broken, [])))
      const rest = Effect.mapError(resting, (reason) => stepError(step, reason, host.history))
      const transport = fiber.getRef(Straight.Straight) ? Straight.over(step, strategies, host) : undefined
      if (transport === undefined) {
        return Telemetry.step(
          step,
          Effect.flatMap(rest, ({ interpret }) => interpret(step, strategies, host))
        )
      }
      const straight = { step, strategies, host, transport }
      const begin = Straight.direct(straight, fiber)
      return begin === undefined
        ? Telemetry.step(
            step,
            Effect.flatMap(rest, ({ inFiber }) => inFiber(straight))
          )
        : Straight.runDirect(resting, straight, begin, fiber)
    })
