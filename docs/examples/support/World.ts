/** The world of the examples: a target that misbehaves and a service to forward to, both on loopback. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Client, type EZThrottle, type HttpTransport } from "ezthrottle-effect"
import * as FakeEZThrottle from "./FakeEZThrottle.ts"
import * as Upstream from "./Upstream.ts"

export class World extends Context.Service<
  World,
  {
    readonly upstream: Upstream.Upstream
    readonly service: FakeEZThrottle.FakeEZThrottle
  }
>()("examples/World") {}

export const make = Effect.all({ upstream: Upstream.make, service: FakeEZThrottle.make })

/** A client that knows where things are, as yours knows from its environment. */
export const client = (
  { service }: Pick<World["Service"], "service">,
  transport?: HttpTransport.Exchanging
): Layer.Layer<EZThrottle.EZThrottle> =>
  Layer.orDie(
    Client.layer({
      transport,
      apiKey: Redacted.make(service.apiKey),
      tracktagsUrl: service.url,
      ezthrottleUrl: service.url
    })
  )

/** The lines above the first scene. */
export const facts = ({ service, upstream }: World["Service"]): ReadonlyArray<readonly [string, string]> => [
  ["target", `${upstream.url}, misbehaving on purpose`],
  ["regions", "iad well, lax slow, ord dead"],
  ["service", `${service.url}, a fake EZThrottle that speaks the real protocol`]
]
