/**
 * The client: executes steps, hands them over, looks after jobs.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Strategies } from "../transport/Strategies.ts"
import * as ClientOver from "./ClientOver.ts"
import { EZThrottle } from "./ClientService.ts"
import * as Interpreter from "./Interpreter.ts"
import { Service } from "./Service.ts"

export * from "./ClientService.ts"

/**
 * Builds the client from strategies and a service.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (strategies: Strategies["Service"], service: Service["Service"]): EZThrottle["Service"] =>
  ClientOver.make(Interpreter, strategies, service)

/**
 * The client over the strategies and the service in place.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<EZThrottle, never, Strategies | Service> = Layer.effect(
  EZThrottle,
  Effect.map(Effect.all([Strategies, Service]), ([strategies, service]) => make(strategies, service))
)
