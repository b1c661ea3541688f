/** What a client is made of, wherever its settings come from and whenever its service is loaded. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as EzthrottleApi from "../transport/EzthrottleApi.ts"
import * as FetchTransport from "../transport/FetchTransport.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import * as Strategies from "../transport/Strategies.ts"
import { type Interpreting, make } from "./ClientOver.ts"
import { EZThrottle } from "./ClientService.ts"
import type * as RemoteService from "./RemoteService.ts"
import type { JobReceiver } from "./Service.ts"
import { Service, toldTo } from "./Service.ts"

/** How a client is set up. */
export interface ClientOptions<E = never> extends RemoteService.Options, FetchTransport.FetchOptions {
  /** What makes the calls of FRUGAL steps here, or makes it for as long as the client lives. Defaults to one over `fetch`. */
  readonly transport?: Exchanging | Effect.Effect<Exchanging, E, Scope.Scope> | undefined
  /**
   * What takes steps over instead of EZThrottle: an embedded dam, for instance. Nothing is read from the environment then.
   * Defaults to the `Service` that the layer is provided with, unless a dam or base URLs are named here.
   */
  readonly service?: Service["Service"] | undefined
  /**
   * Secrets that headers of steps made here may name (`Step.secret`), by their names. They go to their own hosts alone, and
   * never to a service. Defaults to none: a step that names one is refused before it is called here.
   */
  readonly secrets?: { readonly [name: string]: SecretOptions<E> } | undefined
}

/** A secret of a program. */
export interface SecretOptions<E = never> {
  /** The secret, or what finds it when the client is made: one of `Config`. */
  readonly value: Redacted.Redacted | string | Effect.Effect<Redacted.Redacted, E>
  /** Where it may go: `api.stripe.com` over https, `http://localhost:3000` where that is written. */
  readonly hosts: ReadonlyArray<string>
}

/** What is settled about a service before it is made. */
export type RemoteOptions = RemoteService.Options & EzthrottleApi.FetchOptions

/** Where a client lives. */
export interface Surroundings<E> {
  /** A setting by its name; `undefined` where it is not set. */
  readonly setting: (name: string) => Effect.Effect<string | undefined, E>
  readonly remote: (options: RemoteOptions) => Effect.Effect<Service["Service"]>
  readonly interpreting: Interpreting
}

/** Provides a client; nothing is read from its surroundings before the layer is built. */
export const layer = <E, E2>(
  options: ClientOptions<E>,
  { interpreting, remote, setting }: Surroundings<E2>
): Layer.Layer<EZThrottle, E | E2> =>
  Layer.effect(
    EZThrottle,
    Effect.gen(function* () {
      const { transport = FetchTransport.makeFetch(options) } = options
      const given = options.service ?? (yield* provided(options))
      const service =
        given === undefined ? yield* Effect.flatMap(settle(options, setting), remote) : told(given, options.receiver)
      const plain = Effect.isEffect(transport) ? yield* transport : transport
      const local = options.secrets === undefined ? plain : yield* keeping(plain, options.secrets)
      return make(interpreting, Strategies.client(local, service.transport), service)
    })
  )

/** Loaded where there are some: most programs have none. */
const keeping = <E>(transport: Exchanging, secrets: NonNullable<ClientOptions<E>["secrets"]>) =>
  Effect.flatMap(
    Effect.promise(() => import("./OwnSecrets.ts")),
    (own) => own.over(transport, secrets)
  )

/** The service that was provided to the layer; whoever names a dam or base URLs does not mean it. */
const provided = Effect.fnUntraced(function* ({ dam, ezthrottleUrl, tracktagsUrl }: RemoteService.Options) {
  const isPlaced = dam !== undefined || ezthrottleUrl !== undefined || tracktagsUrl !== undefined
  return isPlaced ? undefined : Option.getOrUndefined(yield* Effect.serviceOption(Service))
})

// a service of another kind tells its results itself
const told = (service: Service["Service"], receiver: JobReceiver | undefined): Service["Service"] =>
  receiver === undefined ? service : { ...service, transport: toldTo(service.transport, receiver) }

const settle = Effect.fnUntraced(function* <E>(
  options: RemoteOptions,
  setting: Surroundings<E>["setting"]
): Effect.fn.Return<RemoteOptions, E> {
  const apiKey = yield* setting("EZTHROTTLE_API_KEY")
  const isPlaced = options.tracktagsUrl !== undefined || options.ezthrottleUrl !== undefined
  const dam = options.dam ?? (isPlaced ? undefined : yield* setting("EZTHROTTLE_DAM_URL"))
  return {
    ...options,
    // a variable that is set to nothing is not set
    dam: dam === "" ? undefined : dam,
    apiKey: options.apiKey ?? (apiKey === undefined ? undefined : Redacted.make(apiKey)),
    tracktagsUrl: options.tracktagsUrl ?? (yield* setting("EZTHROTTLE_TRACKTAGS_URL")),
    ezthrottleUrl: options.ezthrottleUrl ?? (yield* setting("EZTHROTTLE_URL"))
  }
})
