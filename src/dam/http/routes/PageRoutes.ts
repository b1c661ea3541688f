/**
 * The page for people: three files that the build puts beside this one, and the way in and out for a browser.
 *
 * The files hold no data, so everybody may have them; what they show they ask of the API, signed in where there are
 * keys.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpStaticServer from "effect/http/HttpStaticServer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { fileURLToPath } from "node:url"
import { json, ofRefusal, toResponse } from "../door/Answer.ts"
import { bodyFor, respond } from "../door/Asked.ts"
import { type Reading, sourceOf } from "../door/Request.ts"
import { routeOf } from "../door/RouteTable.ts"
import type { Callers } from "../door/Callers.ts"
import { badField, refused, type Refused } from "../../intake/Refusal.ts"
import { session } from "../../api/SystemShapes.ts"

/** What the page needs. */
export interface PageOptions {
  readonly reading: Reading
  readonly callers: Pick<Callers, "known" | "sessions" | "signedIn">
}

/** Nothing from elsewhere, nothing inline, no frame around it. */
const SECURITY = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin"
}

/** Where the built files are. Neither the sources nor a bundle of somebody else's has them: the page is not found there. */
const folder = (): string => {
  // a bundle that is CommonJS does not know its own address
  const here: string | undefined = import.meta.url
  if (here === undefined) return "page"
  const built = here.endsWith(".ts") ? "../../../../dist/dam/page/" : "./dam/page/"
  return fileURLToPath(new URL(built, here))
}

/** The routes: `/`, `/page/*`, and `/session` to sign in and out. */
export const layer = (options: PageOptions, root = folder()) =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      // resolving a path of ours cannot fail
      const files = yield* Effect.orDie(HttpStaticServer.make({ root, cacheControl: "no-cache" }))
      const file = (missing: Refused) =>
        files.pipe(
          Effect.map(HttpServerResponse.setHeaders(SECURITY)),
          Effect.catch((error) =>
            error.reason._tag === "RouteNotFound"
              ? Effect.succeed(toResponse(ofRefusal(missing)))
              : HttpServerRespondable.toResponse(error)
          )
        )
      yield* router.add("GET", "/", file(notBuilt))
      yield* router.prefixed("/page").add("GET", "/*", file(nothing))
      yield* router.add("GET", "/session", respond(whoAmI(options)))
      yield* router.add("POST", "/session", respond(signIn(options)))
      yield* router.add("DELETE", "/session", respond(signOut(options)))
    })
  )

const notBuilt = refused(
  404,
  "page_not_built",
  "this dam runs from its sources, and its page is not built; npm run build:js builds it"
)

const nothing = refused(404, "not_found", "there is nothing at this path")

const Credentials = Schema.fromJsonString(Schema.Struct({ api_key: Schema.NonEmptyString }))
const decodeCredentials = Schema.decodeUnknownResult(Credentials)

const signIn = ({ callers, reading }: PageOptions) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest
    const body = new TextDecoder().decode(yield* bodyFor(routeOf("POST /session"), request, reading))
    const given = decodeCredentials(body)
    if (Result.isFailure(given)) return yield* Effect.fail(badField("api_key", "is missing"))
    const key = Redacted.make(given.success.api_key)
    const caller = callers.known(`Bearer ${Redacted.value(key)}`)
    if ("_tag" in caller) {
      return yield* Effect.fail(refused(401, "unauthorized", "this is no key of this dam"))
    }
    const cookie = yield* callers.sessions.open(caller.keyId, request.headers["x-forwarded-proto"] === "https")
    return json(200, session(caller.customer), { "set-cookie": cookie, "cache-control": "no-store" })
  })

const signOut = ({ callers: { sessions } }: PageOptions) =>
  Effect.map(HttpServerRequest, (request) =>
    json(200, { status: "signed out" }, { "set-cookie": sessions.close(sourceOf(request).headers) })
  )

/** Tells the page whether it has to ask for a key. */
const whoAmI = ({ callers }: PageOptions) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest
    const caller = (yield* callers.signedIn(request, "GET")) ?? callers.known(request.headers["authorization"])
    return json(200, session("_tag" in caller ? undefined : caller.customer), { "cache-control": "no-store" })
  })
