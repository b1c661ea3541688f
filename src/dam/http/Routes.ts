/**
 * Binds the API to what it does, and answers for whatever is not of it.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiScalar from "effect/http-api/HttpApiScalar"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Api } from "../api/Api.ts"
import type { Refused } from "../intake/Refusal.ts"
import type { Store } from "../store/JobStore.ts"
import * as HttpFast from "./ShortWay.ts"
import { pathIn, paths, unrouted } from "./Unrouted.ts"
import { type Answer, json, ofRefusal, orRefused, toResponse } from "./door/Answer.ts"
import { giveUpAfter, markdown, respond, told, type Asked, type OfOneJob } from "./door/Asked.ts"
import { type Callers, callersOf } from "./door/Callers.ts"
import type { Keys } from "./door/Keys.ts"
import { faultIn, readBody, readOptionalBody, sourceOf, type Threshold } from "./door/Request.ts"
import * as HttpSession from "./door/Session.ts"
import * as HttpBackups from "./routes/BackupRoutes.ts"
import * as HttpDeliveries from "./routes/DeliveryRoutes.ts"
import * as HttpFeed from "./routes/Feed.ts"
import * as HttpJobs from "./routes/JobRoutes.ts"
import * as HttpEvents from "./routes/JobStream.ts"
import * as HttpLanes from "./routes/LaneRoutes.ts"
import * as HttpPage from "./routes/PageRoutes.ts"
import * as DamTelemetry from "./routes/Prometheus.ts"
import * as HttpProxy from "./routes/ProxyRoute.ts"
import * as HttpSecrets from "./routes/SecretRoutes.ts"
import * as HttpL8 from "./routes/TrustRoutes.ts"

/** What the routes need. */
export interface RoutesOptions extends HttpJobs.Host, Threshold {
  readonly store: Store
  readonly keys: Keys | undefined
  readonly health: Effect.Effect<Readonly<Record<string, Schema.Json>>, Refused>
  readonly backups: HttpBackups.BackupOptions | undefined
  /** How long a client may leave a stream unread, in milliseconds. */
  readonly streamPatience: number
}

/** The routes of the API, its description and its page. */
const layer = (
  options: RoutesOptions,
  jobs: HttpJobs.Jobs,
  { customerOf, known, operatorOf, sessions }: Callers,
  feed: HttpFeed.Feed
) => {
  const secrets = HttpSecrets.make(options.store, options.limits)
  const lanes = HttpLanes.make(options.engine, options.limits)
  const deliveries = HttpDeliveries.make(options.engine, options.limits)
  const backup = HttpBackups.make(options.backups)
  const l8 = HttpL8.make(options.engine, options.limits)
  const proxy = HttpProxy.make({ jobs, secrets, limits: options.limits })
  const slots = HttpEvents.makeSlots(options.limits)

  const submitting =
    (submit: HttpJobs.Jobs["submit"]) =>
    ({ request }: Asked) =>
      respond(
        Effect.flatMap(customerOf(request), (customer) =>
          Effect.flatMap(readBody(request, options.limits), (body) =>
            submit({ customer, body, headers: request.headers })
          )
        )
      )

  const asking =
    <A extends Asked>(answer: (customer: string, asked: A) => Effect.Effect<Answer, Refused>) =>
    (asked: A) =>
      respond(Effect.flatMap(customerOf(asked.request), (customer) => answer(customer, asked)))

  const steering = (verb: "pause" | "resume" | "pace" | "reset") =>
    asking((customer, { params, request }: Asked & { readonly params: { readonly lane: string } }) =>
      Effect.flatMap(readOptionalBody(request, options.limits), (body) =>
        lanes.change(verb, customer, params.lane, body)
      )
    )

  const choosing = (answer: (customer: string, body: Uint8Array) => Effect.Effect<Answer, Refused>) =>
    asking((customer, { request }: Asked) =>
      Effect.flatMap(readBody(request, options.limits), (body) => answer(customer, body))
    )

  const streaming = ({ params, request }: OfOneJob) =>
    Effect.gen(function* () {
      const customer = yield* customerOf(request)
      const job = yield* jobs.find(customer, params.id)
      const seen = HttpEvents.seenBy(job, request.headers["last-event-id"])
      if (typeof seen !== "number") return yield* Effect.fail(seen)
      // taken here to refuse in time, given back when the stream ends
      yield* slots.take(job)
      giveUpAfter(request, options.streamPatience)
      return HttpServerResponse.stream(Stream.encodeText(HttpEvents.text(options, job, seen)), {
        contentType: "text/event-stream",
        headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
      })
    }).pipe(Effect.catch((refusal) => Effect.succeed(toResponse(ofRefusal(refusal)))))

  const feeding = ({ request }: Asked) =>
    Effect.gen(function* () {
      const customer = yield* customerOf(request)
      const seen = HttpFeed.seenBy(request.headers["last-event-id"])
      if (typeof seen === "object") return yield* Effect.fail(seen)
      yield* slots.take({ id: `all of ${customer}`, keyScope: customer })
      giveUpAfter(request, options.streamPatience)
      return HttpServerResponse.stream(Stream.encodeText(feed.text(customer, seen)), {
        contentType: "text/event-stream",
        headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
      })
    }).pipe(Effect.catch((refusal) => Effect.succeed(toResponse(ofRefusal(refusal)))))

  const measuring = ({ request }: Asked) =>
    Effect.match(Effect.andThen(customerOf(request), orRefused(DamTelemetry.render(options.engine))), {
      onFailure: (refusal) => toResponse(ofRefusal(refusal)),
      onSuccess: (text) => HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
    })

  const groups = Layer.mergeAll(
    HttpApiBuilder.group(Api, "overview", (handlers) =>
      handlers
        .handleRaw("events", feeding)
        .handleRaw(
          "stats",
          asking(() => Effect.map(feed.stats, (stats) => json(200, stats)))
        )
        .handleRaw("metrics", measuring)
    ),
    HttpApiBuilder.group(Api, "jobs", (handlers) =>
      handlers
        .handleRaw("submit", submitting(jobs.submit))
        .handleRaw(
          "list",
          asking((customer, { query }) => jobs.list(customer, query))
        )
        .handleRaw(
          "get",
          asking((customer, { params }) => jobs.get(customer, params.id))
        )
        .handleRaw(
          "wait",
          asking((customer, { params, query }) => jobs.wait(customer, params.id, query.timeout_ms))
        )
        .handleRaw("stream", streaming)
        .handleRaw(
          "explain",
          asking((customer, { params }) => jobs.explain(customer, params.id))
        )
        .handleRaw(
          "cancel",
          asking((customer, { params }) => jobs.cancel(customer, params.id))
        )
        .handleRaw(
          "rerun",
          asking((customer, { params }) => jobs.rerun(customer, params.id))
        )
    ),
    HttpApiBuilder.group(Api, "lanes", (handlers) =>
      handlers
        .handleRaw(
          "list",
          asking((_, { query }) => lanes.list(query))
        )
        .handleRaw(
          "get",
          asking((_, { params }) => lanes.get(params.lane))
        )
        .handleRaw("pause", steering("pause"))
        .handleRaw("resume", steering("resume"))
        .handleRaw("pace", steering("pace"))
        .handleRaw("reset", steering("reset"))
        .handleRaw(
          "log",
          asking((_, { params }) => lanes.log(params.lane))
        )
    ),
    HttpApiBuilder.group(Api, "deliveries", (handlers) =>
      handlers
        .handleRaw(
          "deadLetters",
          asking((customer, { query }) => deliveries.list(customer, query))
        )
        .handleRaw("replay", choosing(deliveries.replay))
        .handleRaw("purge", choosing(deliveries.purge))
        .handleRaw(
          "replayOne",
          asking((customer, { params }) => deliveries.replayOne(customer, params.delivery_id))
        )
        .handleRaw(
          "endpoints",
          asking((customer) => deliveries.endpoints(customer))
        )
        .handleRaw("enable", choosing(deliveries.enable))
        .handleRaw(
          "webhookKey",
          asking(() => deliveries.webhookKey)
        )
    ),
    HttpApiBuilder.group(Api, "secrets", (handlers) =>
      handlers
        .handleRaw("set", choosing(secrets.set))
        .handleRaw(
          "get",
          asking((customer) => secrets.get(customer))
        )
        .handleRaw(
          "delete",
          asking((customer) => secrets.delete(customer))
        )
    ),
    HttpApiBuilder.group(Api, "proxy", (handlers) =>
      handlers.handleRaw("call", ({ request }) =>
        Effect.matchEffect(customerOf(request), {
          onFailure: (refusal) => Effect.succeed(toResponse(HttpProxy.denied(refusal))),
          onSuccess: (customer) =>
            respond(Effect.flatMap(readBody(request, options.limits), (body) => proxy(customer, body)))
        })
      )
    ),
    HttpApiBuilder.group(Api, "flat", (handlers) =>
      handlers
        .handleRaw("submit", submitting(jobs.submitFlat))
        .handleRaw(
          "get",
          asking((customer, { params }) => jobs.getFlat(customer, params.id))
        )
        .handleRaw("stream", streaming)
    ),
    HttpApiBuilder.group(Api, "l8", (handlers) =>
      handlers
        .handleRaw("document", () => respond(l8.document))
        .handleRaw("challenge", ({ request }) => respond(l8.challenge(request)))
        .handleRaw("spec", () => Effect.match(l8.spec, { onFailure: told, onSuccess: markdown }))
        .handleRaw(
          "trust",
          asking(() => l8.list)
        )
        .handleRaw(
          "revoke",
          choosing((_, body) => l8.revoke(body))
        )
        .handleRaw(
          "forget",
          choosing((_, body) => l8.forget(body))
        )
    ),
    HttpApiBuilder.group(Api, "system", (handlers) =>
      handlers
        .handleRaw("health", () =>
          respond(Effect.map(options.health, (health) => json(200, { status: "ok", ...health, streams: slots.open() })))
        )
        .handleRaw("backup", ({ request }) => respond(Effect.andThen(operatorOf(request), backup)))
    )
  )

  return Layer.mergeAll(
    HttpPage.layer({ limits: options.limits, sessions, authenticate: known }),
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
    const fault = faultIn(source, threshold) ?? HttpSession.faultInOrigin(request.method, source.headers)
    if (fault !== undefined) return Effect.succeed(toResponse(ofRefusal(fault)))
    // whoever has no key learns nothing of a request, not even that its parameters are wrong
    return callers.areAsked && isGuarded(request)
      ? Effect.matchEffect(callers.customerOf(request), {
          onFailure: (refusal) => Effect.succeed(toResponse(ofRefusal(refusal))),
          onSuccess: () => answered
        })
      : answered
  })
}

const isGuarded = ({ method, url }: HttpServerRequest): boolean => {
  const path = pathIn(url)
  return paths.some(({ isOpen, methods, pattern }) => !isOpen && methods.includes(method) && pattern.test(path))
}

/** Builds the routes into one effect that answers a request, and the short way beside them. */
export const build = Effect.fnUntraced(function* (options: RoutesOptions) {
  const jobs = HttpJobs.make(options)
  const callers = callersOf(options.keys)
  const feed = yield* HttpFeed.make(options.engine, options.leaving)
  const routes = yield* HttpRouter.toHttpEffect(layer(options, jobs, callers, feed))
  const fast = HttpFast.make({ ...options, jobs, authenticate: callers.known }, yield* Effect.context<never>())
  return { routes: guarded(routes, options, callers), fast }
})
