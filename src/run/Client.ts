/**
 * A whole client in one call: calls of its own over `fetch`, EZThrottle as the environment says.
 *
 * It is a composition of parts that can be had one by one: `LocalTransport`, `RemoteService`, `Strategies.client` and
 * `EZThrottle.make`.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as EzthrottleApi from "../transport/EzthrottleApi.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import * as LocalTransport from "../transport/LocalTransport.ts"
import type { ResponseLimits } from "../transport/ResponseBody.ts"
import * as Strategies from "../transport/Strategies.ts"
import { EZThrottle, make } from "./EZThrottle.ts"
import * as RemoteService from "./RemoteService.ts"

/**
 * How a client is set up. What is left out of key and base URLs is read from `EZTHROTTLE_API_KEY`,
 * `EZTHROTTLE_TRACKTAGS_URL` and `EZTHROTTLE_URL`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientOptions extends RemoteService.Options, ResponseLimits {
  /** What makes the calls of FRUGAL steps here. Defaults to one over `fetch`. */
  readonly transport?: Exchanging | undefined
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
export const layer = (options: ClientOptions = {}): Layer.Layer<EZThrottle, Config.ConfigError> =>
  Layer.effect(
    EZThrottle,
    Effect.gen(function* () {
      const environment = yield* EzthrottleApi.config
      const api = EzthrottleApi.make(yield* HttpClient.HttpClient, {
        ...options,
        apiKey: options.apiKey ?? environment.apiKey,
        tracktagsUrl: options.tracktagsUrl ?? environment.tracktagsUrl,
        ezthrottleUrl: options.ezthrottleUrl ?? environment.ezthrottleUrl
      })
      const service = yield* RemoteService.make(api, options)
      const local = options.transport ?? LocalTransport.makeFetch(options)
      return make(Strategies.client(local, service.transport), service)
    })
  ).pipe(Layer.provide(FetchHttpClient.layer))
