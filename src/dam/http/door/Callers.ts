/**
 * Who calls the API, and what that lets him do.
 */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { sourceOf } from "./Request.ts"
import * as HttpSession from "./Session.ts"
import { refused, type Refused } from "../../intake/Refusal.ts"
import type { Caller, Keys } from "./Keys.ts"
import type { Route } from "./RouteTable.ts"
import { localCustomer } from "../../job/JobKey.ts"

/** Tells who calls: by a key, or by the cookie of the page. */
export interface Callers {
  readonly known: (authorization: string | undefined) => Caller | Refused
  readonly sessions: HttpSession.Sessions
  /** The caller that a session was opened for, as long as that key is one. */
  readonly signedIn: (request: HttpServerRequest, method?: string) => Effect.Effect<Caller | undefined>
  readonly callerOf: (request: HttpServerRequest) => Effect.Effect<Caller, Refused>
  readonly customerOf: (request: HttpServerRequest) => Effect.Effect<string, Refused>
  /** Lets a request come to its route, or says why not. */
  readonly admit: (route: Route | undefined, request: HttpServerRequest) => Effect.Effect<void, Refused>
}

/** Knows callers by these keys; without any, everybody is the same. */
export const callersOf = (keys: Keys | undefined): Callers => {
  const sessions = HttpSession.make()
  const known = authenticate(keys)
  const signedIn: Callers["signedIn"] = (request, method = request.method) =>
    Effect.map(sessions.keyOf(method, sourceOf(request).headers), (keyId) =>
      keyId === undefined ? undefined : keys === undefined ? local : keys.recall(keyId)
    )
  const callerOf: Callers["callerOf"] = (request) => {
    const caller = known(request.headers["authorization"])
    return "_tag" in caller
      ? Effect.flatMap(signedIn(request), (found) =>
          found === undefined ? Effect.fail(caller) : Effect.succeed(found)
        )
      : Effect.succeed(caller)
  }
  return {
    known,
    sessions,
    signedIn,
    callerOf,
    customerOf: (request) => Effect.map(callerOf(request), ({ customer }) => customer),
    admit: (route, request) =>
      keys === undefined || route === undefined || route.by === "anyone"
        ? Effect.void
        : Effect.flatMap(callerOf(request), (caller) =>
            mayCall(route.by, caller, keys) ? Effect.void : Effect.fail(operatorRequired())
          )
  }
}

/**
 * Whether a caller may use a route. What was every key's before there were roles stays so until the first key is made an
 * operator's; then it is the operators' alone.
 */
export const mayCall = (
  by: Route["by"],
  { role }: Pick<Caller, "role">,
  { nameOperators }: Pick<Keys, "nameOperators">
): boolean => {
  switch (by) {
    case "anyone":
    case "customer":
      return true
    case "operator, once there is one":
      return role === "operator" || !nameOperators
    case "operator":
      return role === "operator"
  }
}

/** Tells who calls. */
const authenticate =
  (keys: Keys | undefined) =>
  (authorization: string | undefined): Caller | Refused =>
    keys === undefined
      ? local
      : (keys.authenticate(authorization) ??
        refused(401, "unauthorized", "send a key of this dam as Authorization: Bearer", {
          headers: { "www-authenticate": "Bearer" }
        }))

/** Whoever reaches a dam without keys could also open its file. */
const local: Caller = { customer: localCustomer, role: "operator", keyId: "" }

const operatorRequired = (): Refused =>
  refused(403, "operator_required", "this touches all customers and takes the key of an operator")
