/**
 * The dam over HTTP: both dialects on one port.
 *
 * Without keys it serves this machine only: it listens on a loopback address, and only to requests whose `Host` says so,
 * because a web page of a stranger can reach loopback through a name of its own.
 *
 * @since 0.1.0
 */
import * as NodeHttpPlatform from "@effect/platform-node/NodeHttpPlatform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Etag from "effect/http/Etag"
import { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import type * as Dns from "effect/net/Dns"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Http from "node:http"
import type { Duplex } from "node:stream"
import * as EgressDoor from "../egress/Door.ts"
import * as EgressPolicy from "../egress/EgressPolicy.ts"
import * as Intake from "../intake/Intake.ts"
import * as Limits from "../intake/Limits.ts"
import { refused, type Refused } from "../intake/Refusal.ts"
import { JobStore } from "../store/JobStore.ts"
import { Engine } from "../work/Engine.ts"
import { build } from "./Routes.ts"
import { orRefused } from "./door/Answer.ts"
import type { Keys } from "./door/Keys.ts"
import { isUnhurried } from "./door/Lines.ts"
import * as Proxied from "./door/Proxied.ts"
import type { BackupOptions } from "./routes/BackupRoutes.ts"
import * as HttpL8 from "./routes/TrustRoutes.ts"

/**
 * How the dam is served.
 *
 * @category models
 * @since 0.1.0
 */
export interface HttpOptions {
  /** Address to listen on. Defaults to `127.0.0.1`; anything but loopback needs keys. */
  readonly host?: string | undefined
  /** Port to listen on; `0` takes a free one. Defaults to `8080`. */
  readonly port?: number | undefined
  /** Who may call. Without, everybody who reaches it is the customer `local`. */
  readonly keys?: Keys | undefined
  /** Names besides loopback ones that `Host` may say while there are no keys. Defaults to none. */
  readonly allowedHosts?: ReadonlyArray<string> | undefined
  /** Takes webhooks over https only. Defaults to `false`. */
  readonly httpsWebhooks?: boolean | undefined
  /** Where backups go that are asked for over HTTP, and what makes them. Defaults to none: they are refused. */
  readonly backups?: BackupOptions | undefined
  /** What else `/health` tells. */
  readonly health?: Effect.Effect<Readonly<Record<string, Schema.Json>>> | undefined
}

/**
 * A dam must not listen beyond this machine without keys.
 *
 * @category errors
 * @since 0.1.0
 */
export class KeysRequired extends Schema.TaggedError<KeysRequired>()("KeysRequired", { host: Schema.String }) {
  override get message() {
    return `to listen on ${this.host}, beyond this machine, the dam needs API keys (--keys-file or EZTHROTTLE_DAM_KEYS); without them use 127.0.0.1`
  }
}

/**
 * The server, where it is reached.
 *
 * @category services
 * @since 0.1.0
 */
export class DamHttp extends Context.Service<
  DamHttp,
  {
    readonly host: string
    readonly port: number
    /** Base of every route, without a trailing slash. */
    readonly url: string
  }
>()("ezthrottle-effect/dam/DamHttp") {}

/**
 * Serves the dam for as long as the scope lasts, on the terms of its engine: egress policy, limits and drain are said to
 * the dam and nowhere else.
 *
 * **Details** — when the scope ends no connection is accepted any more, waits and event streams are ended, and answers
 * under way are finished within the dam's `drain`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: HttpOptions = {}
): Effect.fn.Return<DamHttp["Service"], KeysRequired | ServeError, Scope.Scope | Engine | JobStore | Dns.Dns> {
  const host = options.host ?? "127.0.0.1"
  if (options.keys === undefined && !isLoopback(host)) return yield* Effect.fail(new KeysRequired({ host }))
  const engine = yield* Engine
  const store = yield* JobStore
  const { credentials, drain, egress } = engine.terms
  const limits = Limits.make(engine.terms.limits)
  const door = yield* EgressDoor.make(egress)
  const leaving = yield* Deferred.make<void>()
  const { fast, routes } = yield* Effect.provide(
    build({
      engine,
      store,
      limits,
      leaving,
      intake: Intake.make({
        limits,
        door,
        httpsWebhooks: options.httpsWebhooks,
        credentials,
        callLimits: engine.callLimits
      }),
      keys: options.keys,
      hosts: options.keys === undefined ? namesOf(options.allowedHosts) : undefined,
      streamPatience,
      backups: options.backups,
      health: healthOf(options, engine, store)
    }),
    httpServices
  )
  const fibers = yield* Scope.make()
  const handler = yield* NodeHttpServer.makeHandler(routes, { scope: fibers })
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const isHidden = Proxied.makeNotice()
  const server = Http.createServer(
    {
      maxHeaderSize: limits.requestHeaderBytes,
      headersTimeout: limits.headTimeout,
      requestTimeout: limits.requestTimeout,
      connectionsCheckingInterval: Math.max(50, Math.min(1000, limits.headTimeout / 2)),
      keepAliveTimeout: 65_000,
      noDelay: true
    },
    (request, response) => {
      if (isHidden(request)) run(Effect.logWarning(Proxied.warning))
      if (!fast(request, response)) handler(request, response)
    }
  )
  server.on("clientError", patiently)
  // Node would keep the first thousands and drop the rest without a word; they are counted at the door
  server.maxHeadersCount = 0
  const address = yield* Effect.acquireRelease(listen(server, host, options.port ?? 8080), () =>
    Effect.gen(function* () {
      yield* Deferred.succeed(leaving, undefined)
      yield* stop(server, drain)
      yield* Scope.close(fibers, Exit.void)
    })
  )
  return { host: address.address, port: address.port, url: `http://${inUrl(address.address)}:${address.port}` }
})

/**
 * Provides the server.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: HttpOptions = {}
): Layer.Layer<DamHttp, KeysRequired | ServeError, Engine | JobStore | Dns.Dns> => Layer.effect(DamHttp, make(options))

/** What `/health` tells. */
const healthOf = (
  { health = Effect.succeed({}), keys }: HttpOptions,
  { admission, l8, shortage, terms }: Engine["Service"],
  store: Pick<JobStore["Service"], "stats">
): Effect.Effect<Readonly<Record<string, Schema.Json>>, Refused> =>
  Effect.gen(function* () {
    const { fault } = yield* orRefused(store.stats)
    const lacking = yield* shortage
    const told = {
      ...(lacking === undefined ? {} : { status: "degraded", shortage: { ...lacking } }),
      ...(yield* health),
      ...(l8 === undefined ? {} : yield* HttpL8.health(l8)),
      authentication: keys === undefined ? "none" : "keys",
      egress: EgressPolicy.describe(terms.egress),
      admission: yield* orRefused(admission),
      limits: Limits.toJson(Limits.make(terms.limits))
    }
    if (fault === undefined) return told
    yield* Effect.logError(`nothing can be stored: ${fault}`)
    return yield* Effect.fail(refused(503, "storage_failed", `nothing can be stored: ${fault}`))
  })

interface Bound {
  readonly address: string
  readonly port: number
}

const listen = (server: Http.Server, host: string, port: number): Effect.Effect<Bound, ServeError> =>
  Effect.callback((resume) => {
    const onError = (cause: Error) => resume(Effect.fail(new ServeError({ cause })))
    server.once("error", onError)
    server.listen({ host, port }, () => {
      server.off("error", onError)
      const bound = server.address()
      resume(Effect.succeed(typeof bound === "object" && bound !== null ? bound : { address: host, port }))
    })
  })

const stop = (server: Http.Server, drain: Duration.Duration): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
  }).pipe(
    // a connection that is busy now is kept open by Node after its answer
    Effect.raceFirst(
      Effect.forever(
        Effect.andThen(
          Effect.sync(() => server.closeIdleConnections()),
          Effect.sleep(25)
        )
      )
    ),
    Effect.timeoutOrElse({ duration: drain, orElse: () => Effect.sync(() => server.closeAllConnections()) })
  )

/** What Node does where nobody listens, but for a body that may take as long as it comes: its reader has a patience of its own. */
const patiently = (error: Error & { readonly code?: string }, socket: Duplex): void => {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && isUnhurried(socket)) return
  if (socket.writable && !hasBegun(socket)) socket.write(statusOf(error.code))
  socket.destroy(error)
}

/** Half an answer must not be followed by another. */
const hasBegun = (socket: Duplex): boolean =>
  "_httpMessage" in socket && (socket._httpMessage as Http.ServerResponse | null)?.headersSent === true

const statusOf = (code: string | undefined): string => {
  const status =
    code === "HPE_HEADER_OVERFLOW"
      ? 431
      : code === "HPE_CHUNK_EXTENSIONS_OVERFLOW"
        ? 413
        : code === "ERR_HTTP_REQUEST_TIMEOUT"
          ? 408
          : 400
  return `HTTP/1.1 ${status} ${Http.STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`
}

const httpServices = Layer.mergeAll(NodeHttpPlatform.layer, Etag.layerWeak, NodeServices.layer)

const LOOPBACK = ["localhost", "[::1]"]

/** Names as `Host` may say them; addresses of 127.0.0.0/8 are recognised by themselves. */
const namesOf = (allowed: ReadonlyArray<string> = []): ReadonlySet<string> =>
  new Set([...LOOPBACK, ...allowed.map((name) => name.toLowerCase())])

/**
 * Whether an address to listen on is reached from this machine only.
 *
 * @category guards
 * @since 0.1.0
 */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host)

const inUrl = (address: string): string => (address.includes(":") ? `[${address}]` : address)

/** Keep-alive comments come every 30 seconds: three of them unread are enough. */
const streamPatience = 90_000
