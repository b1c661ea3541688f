/**
 * From what the router hands over to what is answered: who calls, the body that the route takes, the answer as HTTP.
 */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Refused } from "../../intake/Refusal.ts"
import { type Answer, toResponse, ofRefusal } from "./Answer.ts"
import type { Callers } from "./Callers.ts"
import type { Role } from "./Keys.ts"
import { readBody, readOptionalBody, type Reading } from "./Request.ts"
import { type Route, type RouteName, routeOf } from "./RouteTable.ts"

/** A request, and the route it has come by. */
export interface Asked {
  readonly request: HttpServerRequest
  readonly endpoint: { readonly method: string; readonly path: string }
}

/** A request for one job. */
export interface OfOneJob extends Asked {
  readonly params: { readonly id: string }
}

/** Who calls, and what came with it: nothing where the route takes nothing. */
export interface Call {
  readonly customer: string
  readonly role: Role
  readonly body: Uint8Array
}

/** Makes handlers of routes for customers. */
export interface Desk {
  readonly asking: <A extends Asked>(
    answer: (call: Call, asked: A) => Effect.Effect<Answer, Refused>
  ) => (asked: A) => Effect.Effect<HttpServerResponse.HttpServerResponse>
  /** The text of an event stream, where the customer may have one; nothing is said where there is nothing more to say. */
  readonly streaming: <A extends Asked>(
    text: (
      customer: string,
      asked: A
    ) => Effect.Effect<Stream.Stream<string, Refused> | undefined, Refused, Scope.Scope>
  ) => (asked: A) => Effect.Effect<HttpServerResponse.HttpServerResponse, never, Scope.Scope>
}

/** What the desk goes by. */
export interface DeskOptions {
  readonly callers: Callers
  readonly reading: Reading
  /** How long a client may leave a stream unread, in milliseconds. */
  readonly streamPatience: number
}

/** Makes the desk. */
export const makeDesk = ({ callers, reading, streamPatience }: DeskOptions): Desk => ({
  asking: (answer) => (asked) =>
    respond(
      Effect.flatMap(callers.callerOf(asked.request), ({ customer, role }) =>
        Effect.flatMap(bodyFor(routeIn(asked), asked.request, reading), (body) =>
          answer({ customer, role, body }, asked)
        )
      )
    ),
  streaming: (text) => (asked) =>
    Effect.gen(function* () {
      const events = yield* text(yield* callers.customerOf(asked.request), asked)
      if (events === undefined) return HttpServerResponse.empty()
      giveUpAfter(asked.request, streamPatience)
      return HttpServerResponse.stream(Stream.encodeText(events), {
        contentType: "text/event-stream",
        headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
      })
    }).pipe(Effect.catch((refusal) => Effect.succeed(told(refusal))))
})

/** The body of a request, as far as its route takes one. */
export const bodyFor = (
  { bodyBytes = Infinity, takes }: Route,
  request: HttpServerRequest,
  { limits, room }: Reading
): Effect.Effect<Uint8Array, Refused> => {
  const bounded = { room, limits: bodyBytes < limits.bodyBytes ? { ...limits, bodyBytes } : limits }
  switch (takes) {
    case "nothing":
      return NOTHING
    case "json":
      return readBody(request, bounded)
    case "json or nothing":
      return readOptionalBody(request, bounded)
  }
}

/** The answer as HTTP, whichever way it went. */
export const respond = <R>(
  answer: Effect.Effect<Answer, Refused, R>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R> =>
  Effect.match(answer, { onFailure: told, onSuccess: toResponse })

/** The answer that tells a refusal, as HTTP. */
export const told = (refusal: Refused): HttpServerResponse.HttpServerResponse => toResponse(ofRefusal(refusal))

// the table has a row for every endpoint of the API
const routeIn = ({ endpoint }: Asked): Route => routeOf(`${endpoint.method} ${endpoint.path}` as RouteName)

/** A client that reads nothing keeps a socket silent in both directions; Node then closes it. */
const giveUpAfter = (request: HttpServerRequest, millis: number): void => {
  const response = NodeHttpServerRequest.toServerResponse(request)
  response.setTimeout(millis, () => response.destroy())
}

const NOTHING = Effect.succeed(new Uint8Array(0))
