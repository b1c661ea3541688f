/** What is answered to a request that no route took. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { HttpApiSchemaError } from "effect/http-api/HttpApiError"
import { isHttpServerError } from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as SchemaIssue from "effect/SchemaIssue"
import { ofRefusal, toResponse } from "./door/Answer.ts"
import { methodsOf, pathIn, routes, routesAt } from "./door/RouteTable.ts"
import { badField, refused, type Refused } from "../intake/Refusal.ts"

/** What becomes of a request that no handler answered: no such route, or parameters that do not fit its schema. */
export const unrouted = (
  cause: Cause.Cause<unknown>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest> => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Die" && HttpApiSchemaError.is(reason.defect)) {
      const { issue } = reason.defect.cause
      const first = describe(issue).issues[0]
      const name = String(first?.path?.map((part) => (typeof part === "object" ? part.key : part))[0] ?? "query")
      return Effect.succeed(toResponse(ofRefusal(badField(name, first?.message ?? "is not valid"))))
    }
    if (reason._tag === "Fail" && isHttpServerError(reason.error) && reason.error.reason._tag === "RouteNotFound") {
      return Effect.map(HttpServerRequest, ({ method, url }) => toResponse(ofRefusal(elsewhere(method, url))))
    }
  }
  if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
  return Effect.as(
    Effect.logError("a request failed", cause),
    toResponse(ofRefusal(refused(500, "internal", "something broke here; the log of the dam says what")))
  )
}

const elsewhere = (method: string, url: string): Refused => {
  const known = routesAt(pathIn(url)).flatMap(methodsOf)
  // a path that fits and is not routed is one that the router reads otherwise, such as `..`
  if (known.includes(method) || (known.length === 0 && method !== "TRACE"))
    return refused(404, "not_found", "there is nothing at this path")
  const allow = [...new Set(known.length === 0 ? routes.flatMap(methodsOf) : known)].join(", ")
  return refused(405, "method_not_allowed", `use ${allow} here`, { headers: { allow } })
}

const describe = SchemaIssue.makeFormatterStandardSchemaV1()
