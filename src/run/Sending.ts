/** How one exchange is sent: within its limit, and as part of the trace at hand. */
import * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { TransportError } from "../step/FailureModel.ts"
import type { Response } from "../step/ReplyModel.ts"
import type { Exchange, Exchanging } from "../transport/HttpTransport.ts"
import * as TimeLimit from "../transport/TimeLimit.ts"
import * as Telemetry from "./Telemetry.ts"

/** One exchange within its limit, as part of the trace at hand. */
export const sending =
  (transport: Exchanging, given: Exchange, until = Number.POSITIVE_INFINITY) =>
  (fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<Response, TransportError> => {
    const { timeoutHeader } = given.step
    const exchange = timeoutHeader === undefined ? given : timed(given, timeoutHeader, until, fiber)
    const send = Telemetry.propagated(fiber, exchange.request, (request) =>
      transport.send(request === exchange.request ? exchange : { ...exchange, request })
    )
    return TimeLimit.isKeptBy(transport) ? send : TimeLimit.within(send, exchange.timeoutMillis)
  }

/** An exchange that tells the target how many milliseconds it may take. */
const timed = (exchange: Exchange, name: string, until: number, fiber: Fiber.Fiber<unknown, unknown>): Exchange => {
  const now = Number(fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()) / 1e6
  const left = Math.max(1, Math.floor(Math.min(exchange.timeoutMillis, until - now)))
  const others = Object.entries(exchange.request.headers).filter(([key]) => key.toLowerCase() !== name.toLowerCase())
  const headers = { ...Object.fromEntries(others), [name]: String(left) }
  return { ...exchange, request: { ...exchange.request, headers } }
}
