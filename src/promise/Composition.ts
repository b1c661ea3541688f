/** What a client of the facade is made of unless it is told otherwise. */
import type * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Client from "../run/Client.ts"
import type { EZThrottle } from "../run/EZThrottle.ts"

export interface Parts extends Pick<
  Client.ClientOptions,
  "dam" | "ezthrottleUrl" | "receiver" | "service" | "tracktagsUrl" | "transport"
> {
  readonly apiKey?: string | undefined
}

/** Nothing is read from the environment before the layer is built, which is when the first call is made. */
export const layer = ({
  apiKey,
  dam,
  ezthrottleUrl,
  receiver,
  service,
  tracktagsUrl,
  transport
}: Parts): Layer.Layer<EZThrottle, Config.ConfigError> =>
  Client.layer({
    apiKey: typeof apiKey === "string" ? Redacted.make(apiKey) : undefined,
    dam,
    ezthrottleUrl,
    receiver,
    service,
    tracktagsUrl,
    transport
  }).pipe(Layer.provide(environment))

// the provider in place by default keeps the environment of the moment it was first asked
const environment = ConfigProvider.layer(Effect.sync(() => ConfigProvider.fromEnv()))
