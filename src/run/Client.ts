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
import type * as Layer from "effect/Layer"
import * as ClientParts from "./ClientParts.ts"
import * as Interpreter from "./Interpreter.ts"
import type { EZThrottle } from "./EZThrottle.ts"
import * as RemoteClient from "./RemoteClient.ts"

/**
 * How a client is set up. What is left out of key and base URLs is read from `EZTHROTTLE_API_KEY`,
 * `EZTHROTTLE_DAM_URL`, `EZTHROTTLE_TRACKTAGS_URL` and `EZTHROTTLE_URL`. A dam, wherever it is named, comes before the
 * variables of the other two; base URLs that are given here come before the variable of the dam.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientOptions<E = never> extends ClientParts.ClientOptions<E> {}

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
  ClientParts.layer(options, { setting, remote: RemoteClient.make, interpreting: Interpreter })

/** Asks the provider that `Config` would ask: a few texts are not worth its schemas. */
const setting = (name: string): Effect.Effect<string | undefined, Config.ConfigError> =>
  Effect.flatMap(ConfigProvider.ConfigProvider, (provider) =>
    Effect.mapBoth(provider.load([name]), {
      onSuccess: (node) => node?.value,
      onFailure: (cause) => new Config.ConfigError(cause)
    })
  )
