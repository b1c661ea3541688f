/** What a client of the facade is made of unless it is told otherwise. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as ClientParts from "../run/ClientParts.ts"
import type { EZThrottle } from "../run/ClientService.ts"
import { interpreting } from "../run/LaterInterpreter.ts"
import * as LaterService from "../run/LaterService.ts"
import { ServiceUnreachable } from "../step/FailureModel.ts"
import * as Later from "./Later.ts"

export interface Parts extends Pick<
  ClientParts.ClientOptions,
  "dam" | "ezthrottleUrl" | "receiver" | "secrets" | "service" | "tracktagsUrl" | "transport"
> {
  readonly apiKey?: string | undefined
}

/** Nothing is read from the environment before the layer is built, which is when the first call is made. */
export const layer = ({
  apiKey,
  dam,
  ezthrottleUrl,
  receiver,
  secrets,
  service,
  tracktagsUrl,
  transport
}: Parts): Layer.Layer<EZThrottle> =>
  ClientParts.layer(
    {
      apiKey: typeof apiKey === "string" ? Redacted.make(apiKey) : undefined,
      dam,
      ezthrottleUrl,
      receiver,
      secrets,
      service,
      tracktagsUrl,
      transport
    },
    { setting, remote, interpreting }
  )

/** Steps that are answered here need nothing of it, so it comes when one is handed over or a job is looked at. */
const remote = (options: ClientParts.RemoteOptions) =>
  Effect.succeed(LaterService.make(Effect.flatMap(loadRemote, ({ service }) => service(options))))

const loadRemote = Effect.tryPromise({
  try: Later.load,
  catch: () =>
    new ServiceUnreachable({
      detail: "the part of this library that calls it could not be loaded",
      maybeAccepted: false
    })
})

interface Environment {
  readonly [name: string]: string | undefined
}

/** Where Effect's own provider would look, at the moment of asking; a variable that is set to nothing is not set. */
const setting = (name: string): Effect.Effect<string | undefined> =>
  Effect.sync(() => {
    const { process } = globalThis as { readonly process?: { readonly env?: Environment } }
    const { env } = import.meta as { readonly env?: Environment } // of Vite and Bun
    return (env?.[name] ?? process?.env?.[name]) || undefined
  })
