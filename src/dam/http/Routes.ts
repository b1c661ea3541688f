/**
 * Binds the API to what it does, and answers for whatever is not of it.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiScalar from "effect/http-api/HttpApiScalar"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import { Api } from "../api/Api.ts"
import type { Refused } from "../intake/Refusal.ts"
import type { Store } from "../store/JobStore.ts"
import { json, ofRefusal, toResponse } from "./door/Answer.ts"
import { makeDesk, respond } from "./door/Asked.ts"
import { type Callers, callersOf } from "./door/Callers.ts"
import type { Keys } from "./door/Keys.ts"
import { faultIn, makeRoom, type Reading, sourceOf, type Threshold } from "./door/Request.ts"
import { routeOfRequest } from "./door/RouteTable.ts"
import * as Session from "./door/Session.ts"
import * as BackupRoutes from "./routes/BackupRoutes.ts"
import * as BatchRoutes from "./routes/BatchRoutes.ts"
import * as BulkRoute from "./routes/BulkRoute.ts"
import * as CredentialRoutes from "./routes/CredentialRoutes.ts"
import * as DeliveryRoutes from "./routes/DeliveryRoutes.ts"
import * as FailureRoutes from "./routes/FailureRoutes.ts"
import * as Feed from "./routes/Feed.ts"
import * as JobRoutes from "./routes/JobRoutes.ts"
import * as JobStream from "./routes/JobStream.ts"
import * as LaneRoutes from "./routes/LaneRoutes.ts"
import * as LimitRoutes from "./routes/LimitRoutes.ts"
import * as NoticeRoutes from "./routes/NoticeRoutes.ts"
import * as OrderRoutes from "./routes/OrderRoutes.ts"
import * as PageRoutes from "./routes/PageRoutes.ts"
import * as PermitRoutes from "./routes/PermitRoutes.ts"
import * as ProxyRoute from "./routes/ProxyRoute.ts"
import * as ResultRoutes from "./routes/ResultRoutes.ts"
import * as ScheduleRoutes from "./routes/ScheduleRoutes.ts"
import * as SecretRoutes from "./routes/SecretRoutes.ts"
import * as TrustRoutes from "./routes/TrustRoutes.ts"
import * as ShortWay from "./ShortWay.ts"
import { unrouted } from "./Unrouted.ts"

/** What the routes need. */
export interface RoutesOptions extends JobRoutes.Host, Threshold {
  readonly store: Store
  readonly keys: Keys | undefined
  readonly health: Effect.Effect<Readonly<Record<string, Schema.Json>>, Refused>
  readonly backups: BackupRoutes.BackupOptions | undefined
  /** How long a client may leave a stream unread, in milliseconds. */
  readonly streamPatience: number
}

interface Parts {
  readonly jobs: JobRoutes.Jobs
  readonly callers: Callers
  readonly feed: Feed.Feed
  readonly reading: Reading
}

/** The routes of the API, its description and its page. */
const layer = (options: RoutesOptions, { callers, feed, jobs, reading }: Parts) => {
  const { engine, limits, store } = options
  const desk = makeDesk({ callers, reading, streamPatience: options.streamPatience })
  const slots = JobStream.makeSlots(limits)
  const secrets = SecretRoutes.make(store, limits)
  const backup = BackupRoutes.make(options.backups)
  const groups = Layer.mergeAll(
    JobRoutes.groups(jobs, BulkRoute.make(engine, limits), JobStream.make(options, slots), desk),
    BatchRoutes.group(BatchRoutes.make(options), desk),
    Feed.group(feed, { engine, slots, callers }, desk),
    FailureRoutes.group(FailureRoutes.make(store), desk),
    LaneRoutes.group(LaneRoutes.make(engine, limits), desk),
    PermitRoutes.group(PermitRoutes.make(options), desk),
    LimitRoutes.group(LimitRoutes.make(engine, limits, options.keys), desk),
    ScheduleRoutes.group(ScheduleRoutes.make(options), desk),
    OrderRoutes.group(OrderRoutes.make(engine), desk),
    DeliveryRoutes.group(DeliveryRoutes.make(engine, limits), desk),
    SecretRoutes.group(secrets, desk),
    ResultRoutes.group(options),
    CredentialRoutes.group(CredentialRoutes.make(options), desk),
    NoticeRoutes.group(NoticeRoutes.make(engine, options.intake, limits), desk),
    ProxyRoute.group(ProxyRoute.make({ jobs, secrets, limits }), callers, reading),
    TrustRoutes.group(TrustRoutes.make(engine, reading), desk),
    HttpApiBuilder.group(Api, "system", (handlers) =>
      handlers
        .handleRaw("health", () =>
          respond(Effect.map(options.health, (health) => json(200, { status: "ok", ...health, streams: slots.open() })))
        )
        .handleRaw(
          "backup",
          desk.asking(() => backup)
        )
    )
  )
  return Layer.mergeAll(
    PageRoutes.layer({ reading, callers }),
    Layer.provide(HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }), groups),
    HttpApiScalar.layer(Api, { path: "/docs", scalar: { withDefaultFonts: false } })
  )
}

/** Stands before and behind the routes: lets nobody in who does not fit, and answers what they leave open. */
const guarded = <E, R>(
  routes: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  threshold: Threshold,
  callers: Callers
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R | HttpServerRequest> => {
  const answered = Effect.catchCause(routes, (cause) => unrouted(cause))
  return Effect.flatMap(HttpServerRequest, (request) => {
    const source = sourceOf(request)
    const fault = faultIn(source, threshold) ?? Session.faultInOrigin(request.method, source.headers)
    if (fault !== undefined) return Effect.succeed(toResponse(ofRefusal(fault)))
    // whoever has no key learns nothing of a request, not even that its parameters are wrong
    return Effect.matchEffect(callers.admit(routeOfRequest(request), request), {
      onFailure: (refusal) => Effect.succeed(toResponse(ofRefusal(refusal))),
      onSuccess: () => answered
    })
  })
}

/** The router's own 100 are fewer than the name of a host may have; what a name may be is checked where it is read. */
const maxParamLength = 1000

/** Builds the routes into one effect that answers a request, and the short way beside them. */
export const build = Effect.fnUntraced(function* (options: RoutesOptions) {
  const jobs = JobRoutes.make(options)
  const callers = callersOf(options.keys)
  const feed = yield* Feed.make(options.engine, options.leaving)
  const reading = { limits: options.limits, room: makeRoom(options.limits) }
  const routes = yield* HttpRouter.toHttpEffect(layer(options, { jobs, callers, feed, reading })).pipe(
    Effect.provideService(HttpRouter.RouterConfig, { maxParamLength })
  )
  const fast = ShortWay.make(
    { ...options, jobs, room: reading.room, authenticate: callers.known },
    yield* Effect.context<never>()
  )
  return { routes: guarded(routes, options, callers), fast }
})
