/** What a client of the facade is made of unless it is told otherwise. */
import type * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Client from "../run/EZThrottle.ts"
import * as RemoteService from "../run/RemoteService.ts"
import type { Service } from "../run/Service.ts"
import * as EzthrottleApi from "../transport/EzthrottleApi.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import * as LocalTransport from "../transport/LocalTransport.ts"
import * as Strategies from "../transport/Strategies.ts"

export interface Parts {
  readonly apiKey?: string | undefined
  readonly tracktagsUrl?: string | undefined
  readonly ezthrottleUrl?: string | undefined
  readonly service?: Service["Service"] | undefined
  readonly transport?: Exchanging | undefined
}

/** Nothing is read from the environment before the layer is built, which is when the first call is made. */
export const layer = ({ service, transport, ...place }: Parts): Layer.Layer<Client.EZThrottle, Config.ConfigError> =>
  Layer.effect(
    Client.EZThrottle,
    Effect.map(service === undefined ? remote(place) : Effect.succeed(service), (over) =>
      Client.make(Strategies.client(transport ?? LocalTransport.makeFetch(), over.transport), over)
    )
  )

const remote = ({ apiKey, ezthrottleUrl, tracktagsUrl }: Parts) =>
  Effect.gen(function* () {
    // the provider in place by default keeps the environment of the moment it was first asked
    const environment = yield* Effect.provideService(
      EzthrottleApi.config,
      ConfigProvider.ConfigProvider,
      ConfigProvider.fromEnv()
    )
    const api = EzthrottleApi.make(yield* HttpClient.HttpClient, {
      apiKey: typeof apiKey === "string" ? Redacted.make(apiKey) : environment.apiKey,
      tracktagsUrl: tracktagsUrl ?? environment.tracktagsUrl,
      ezthrottleUrl: ezthrottleUrl ?? environment.ezthrottleUrl
    })
    return yield* RemoteService.make(api)
  }).pipe(Effect.provide(FetchHttpClient.layer))
