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
  /** The same for what concerns all customers: 403 for whoever is no operator. */
  readonly operatorOf: (request: HttpServerRequest) => Effect.Effect<string, Refused>
}

/** Knows callers by these keys; without any, everybody is the same. */
export const callersOf = (keys: Keys | undefined): Callers => {
  const sessions = HttpSession.make()
  const known = authenticate(keys)
  const customerOf: Callers["customerOf"] = (request) => {
    const customer = known(request.headers["authorization"])
    return typeof customer === "string"
      ? Effect.succeed(customer)
      : Effect.flatMap(sessions.customerOf(request.method, sourceOf(request).headers), (signedIn) =>
          signedIn === undefined ? Effect.fail(customer) : Effect.succeed(signedIn)
        )
  }
  return {
    areAsked: keys !== undefined,
    known,
    sessions,
    customerOf,
    operatorOf: (request) =>
      Effect.filterOrFail(
        customerOf(request),
        () => isOperator(keys),
        () => refused(403, "operator_required", "this concerns all customers; it takes the key of an operator")
      )
  }
}

/** Without keys whoever reaches the dam runs it. Keys have no roles: none of them is an operator's. */
const isOperator = (keys: Keys | undefined): boolean => keys === undefined

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
