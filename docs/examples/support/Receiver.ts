/** Somebody who is told by webhooks and believes only what is signed: 401 for the rest. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { authenticate, headerName } from "ezthrottle-effect/webhook"
import { bodyOf, serve } from "./Loopback.ts"

export interface Receiver {
  readonly url: string
  /** The bodies it believed, by path. */
  readonly believed: ReadonlyMap<string, string>
  /** How many calls it sent away. */
  readonly refused: () => number
}

export const make = (secret: Redacted.Redacted<string>): Effect.Effect<Receiver, never, Scope.Scope> =>
  Effect.gen(function* () {
    const believed = new Map<string, string>()
    let refused = 0
    const url = yield* serve(async (request, response) => {
      const body = await bodyOf(request)
      const header = request.headers[headerName.toLowerCase()]
      const valid = await Effect.runPromise(Effect.option(authenticate({ header, body, secrets: secret })))
      if (Option.isSome(valid)) believed.set(request.url ?? "", body)
      else refused++
      response.writeHead(Option.isSome(valid) ? 204 : 401).end()
    })
    return { url, believed, refused: () => refused }
  })
