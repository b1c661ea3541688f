/**
 * Who calls the API.
 */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { sourceOf } from "./Request.ts"
import * as HttpSession from "./Session.ts"
import { refused, type Refused } from "../../intake/Refusal.ts"
import { type Keys } from "./Keys.ts"
import { localCustomer } from "../../job/JobKey.ts"

/** Tells who calls: by a key, or by the cookie of the page. */
export interface Callers {
  /** Whether there are keys. */
  readonly areAsked: boolean
  readonly known: (authorization: string | undefined) => string | Refused
  readonly sessions: HttpSession.Sessions
  readonly customerOf: (request: HttpServerRequest) => Effect.Effect<string, Refused>
}

/** Knows callers by these keys; without any, everybody is the same. */
export const callersOf = (keys: Keys | undefined): Callers => {
  const sessions = HttpSession.make()
  const known = authenticate(keys)
  return {
    areAsked: keys !== undefined,
    known,
    sessions,
    customerOf: (request) => {
      const customer = known(request.headers["authorization"])
      return typeof customer === "string"
        ? Effect.succeed(customer)
        : Effect.flatMap(sessions.customerOf(request.method, sourceOf(request).headers), (signedIn) =>
            signedIn === undefined ? Effect.fail(customer) : Effect.succeed(signedIn)
          )
    }
  }
}

/** Tells who calls. */
const authenticate =
  (keys: Keys | undefined) =>
  (authorization: string | undefined): string | Refused =>
    keys === undefined
      ? localCustomer
      : (keys.authenticate(authorization) ??
        refused(401, "unauthorized", "send a key of this dam as Authorization: Bearer", {
          headers: { "www-authenticate": "Bearer" }
        }))
