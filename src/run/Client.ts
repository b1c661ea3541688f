/**
 * A whole client in one call: calls of its own over `fetch`, EZThrottle as the environment says.
 *
 * It is a composition of parts that can be had one by one: `LocalTransport`, `RemoteService`, `Strategies.client` and
 * `EZThrottle.make`.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as EzthrottleApi from "../transport/EzthrottleApi.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import * as LocalTransport from "../transport/LocalTransport.ts"
import * as Strategies from "../transport/Strategies.ts"
import { EZThrottle, make } from "./EZThrottle.ts"
import * as RemoteService from "./RemoteService.ts"
import type { JobReceiver, Service } from "./Service.ts"
import { toldTo } from "./Service.ts"

/**
 * How a client is set up. What is left out of key and base URLs is read from `EZTHROTTLE_API_KEY`,
 * `EZTHROTTLE_DAM_URL`, `EZTHROTTLE_TRACKTAGS_URL` and `EZTHROTTLE_URL`. A dam, wherever it is named, comes before the
 * variables of the other two; base URLs that are given here come before the variable of the dam.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientOptions<E = never> extends RemoteService.Options, LocalTransport.FetchOptions {
  /** What makes the calls of FRUGAL steps here, or makes it for as long as the client lives. Defaults to one over `fetch`. */
  readonly transport?: Exchanging | Effect.Effect<Exchanging, E, Scope.Scope> | undefined
  /** What takes steps over instead of EZThrottle: an embedded dam, for instance. Nothing is read from the environment then. */
  readonly service?: Service["Service"] | undefined
}

/**
 * Provides a client over `fetch`.
 *
 * **When to use** — on any runtime; on Node, `NodeClient.layer` makes the same calls in less time.
 * **Details** — a missing API key shows only when a remote call is needed, as `MissingApiKey`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <E = never>(options: ClientOptions<E> = {}): Layer.Layer<EZThrottle, Config.ConfigError | E> =>
  Layer.effect(
    EZThrottle,
    Effect.gen(function* () {
      const { transport = LocalTransport.makeFetch(options) } = options
      const service = options.service === undefined ? yield* remote(options) : told(options.service, options.receiver)
      const local = Effect.isEffect(transport) ? yield* transport : transport
      return make(Strategies.client(local, service.transport), service)
    })
  )

// a service of another kind tells its results itself
const told = (service: Service["Service"], receiver: JobReceiver | undefined): Service["Service"] =>
  receiver === undefined ? service : { ...service, transport: toldTo(service.transport, receiver) }

const remote = Effect.fnUntraced(function* (options: RemoteService.Options & EzthrottleApi.FetchOptions) {
  const apiKey = yield* setting("EZTHROTTLE_API_KEY")
  const isPlaced = options.tracktagsUrl !== undefined || options.ezthrottleUrl !== undefined
  const dam = options.dam ?? (isPlaced ? undefined : yield* setting("EZTHROTTLE_DAM_URL"))
  const settled = RemoteService.readable({
    ...options,
    // a variable that is set to nothing is not set
    dam: dam === "" ? undefined : dam,
    apiKey: options.apiKey ?? (apiKey === undefined ? undefined : Redacted.make(apiKey)),
    tracktagsUrl: options.tracktagsUrl ?? (yield* setting("EZTHROTTLE_TRACKTAGS_URL")),
    ezthrottleUrl: options.ezthrottleUrl ?? (yield* setting("EZTHROTTLE_URL"))
  })
  return yield* RemoteService.make(EzthrottleApi.makeFetch({ ...settled, fetch: options.fetch }), settled)
})

/** Asks the provider that `Config` would ask: three texts are not worth its schemas, 2.4 kB of the facade's bundle. */
const setting = (name: string): Effect.Effect<string | undefined, Config.ConfigError> =>
  Effect.flatMap(ConfigProvider.ConfigProvider, (provider) =>
    Effect.mapBoth(provider.load([name]), {
      onSuccess: (node) => node?.value,
      onFailure: (cause) => new Config.ConfigError(cause)
    })
  )
