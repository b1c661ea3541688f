/**
 * Every route of the dam, said once: what it takes, who may call it, and which other ways lead to it.
 *
 * The guard before the routes, the short way for submissions, the envelope of the official clients, and what is said to
 * those who ask for a path wrongly all read this table. A route of the API that has no row here does not compile.
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Struct from "effect/Struct"
import type { Api } from "../../api/Api.ts"
import { bounds } from "../../l8/Responder.ts"

/** What is known of a route besides its name, which is its method and path. */
interface Row {
  /** What body it takes; one that takes none leaves whatever is sent unread. */
  readonly takes: "nothing" | "json" | "json or nothing"
  /** Bytes of its body, where that is less than any may have. */
  readonly bodyBytes?: number
  /** Who may call. Strangers to a route of customers are refused before their parameters are looked at. */
  readonly by: "anyone" | "customer" | "operator, once there is one" | "operator"
  /** Whether the envelope of the official clients leads to it: one whole answer, soon. */
  readonly enveloped?: true
  /** Whether the short way takes it. */
  readonly short?: true
}

type Groups = (typeof Api)["groups"]
type EndpointIn<Group> = Group extends { readonly endpoints: infer All } ? All[keyof All] : never
type NameIn<Endpoint> = Endpoint extends { readonly method: infer Method; readonly path: infer Path }
  ? `${Method & string} ${Path & string}`
  : never
type OfApi = NameIn<EndpointIn<Groups[keyof Groups]>>

/** What is beside the API: its description, and the page with its way in and out. */
type Beside = "GET /openapi.json" | "GET /docs" | "GET /" | "GET /session" | "POST /session" | "DELETE /session"

type Rows = { readonly [Name in OfApi | Beside]?: Row }

const looked = { takes: "nothing", by: "customer" } as const
const steered = { takes: "json or nothing", by: "operator, once there is one" } as const
const chosen = { takes: "json", by: "customer" } as const
const shown = { takes: "nothing", by: "anyone" } as const

const ofJobs = {
  "POST /api/v1/jobs": { ...chosen, enveloped: true, short: true },
  "GET /api/v1/jobs": { ...looked, enveloped: true },
  "POST /api/v1/jobs/bulk": chosen,
  "GET /api/v1/jobs/:id": { ...looked, enveloped: true },
  "PATCH /api/v1/jobs/:id": chosen,
  "DELETE /api/v1/jobs/:id": looked,
  "GET /api/v1/jobs/:id/wait": looked,
  "GET /api/v1/jobs/:id/stream": looked,
  "GET /api/v1/jobs/:id/explain": { ...looked, enveloped: true },
  "POST /api/v1/jobs/:id/cancel": { ...looked, enveloped: true },
  "POST /api/v1/jobs/:id/run-now": { ...looked, enveloped: true },
  "POST /api/v1/jobs/:id/rerun": { ...looked, enveloped: true },

  // read by its own reader, a line at a time
  "POST /api/v1/batches": looked,
  "GET /api/v1/batches": looked,
  "GET /api/v1/batches/:id": looked,
  "GET /api/v1/batches/:id/wait": looked,
  "GET /api/v1/batches/:id/lines": looked,
  "POST /api/v1/batches/:id/cancel": looked,
  "POST /api/v1/batches/:id/rerun": looked,

  "GET /api/v1/failures": looked,

  "GET /api/v1/dead-letters": looked,
  "POST /api/v1/dead-letters/replay": chosen,
  "POST /api/v1/dead-letters/purge": chosen,
  "POST /api/v1/dead-letters/:delivery_id/replay": looked,
  "GET /api/v1/webhook-key": looked,
  "GET /api/v1/endpoints": looked,
  "POST /api/v1/endpoints/enable": chosen
} as const satisfies Rows

const ofSteering = {
  "GET /api/v1/lanes": looked,
  "GET /api/v1/lanes/:lane": looked,
  "POST /api/v1/lanes/:lane/pause": steered,
  "POST /api/v1/lanes/:lane/resume": steered,
  "POST /api/v1/lanes/:lane/pace": steered,
  "POST /api/v1/lanes/:lane/reset": steered,
  "POST /api/v1/lanes/:lane/rule": steered,
  "POST /api/v1/lanes/:lane/breaker": steered,
  "GET /api/v1/lanes/:lane/log": looked,

  "POST /api/v1/permits": chosen,
  "POST /api/v1/permits/:id/renew": { takes: "json or nothing", by: "customer" },
  "POST /api/v1/permits/:id/depart": { takes: "json or nothing", by: "customer" },
  "POST /api/v1/permits/:id/report": { takes: "json or nothing", by: "customer", bodyBytes: 131_072 },
  "DELETE /api/v1/permits/:id": looked,

  "GET /api/v1/limits": looked,
  "GET /api/v1/limits/:name": looked,
  "PUT /api/v1/limits/:name": { takes: "json", by: "operator, once there is one" },
  "DELETE /api/v1/limits/:name": { takes: "nothing", by: "operator, once there is one" },

  "GET /api/v1/credentials": looked,
  "GET /api/v1/credentials/:name": looked,
  "PUT /api/v1/credentials/:name": chosen,
  "DELETE /api/v1/credentials/:name": looked,
  "GET /api/v1/schedules": looked,
  "PUT /api/v1/schedules": chosen,
  "GET /api/v1/schedules/:name": looked,
  "PUT /api/v1/schedules/:name": chosen,
  "DELETE /api/v1/schedules/:name": looked,
  "POST /api/v1/schedules/:name/pause": looked,
  "POST /api/v1/schedules/:name/resume": looked,
  "POST /api/v1/schedules/:name/run": looked,

  "GET /api/v1/orders": looked,
  "GET /api/v1/orders/:key": looked,
  "POST /api/v1/orders/:key/resume": looked
} as const satisfies Rows

const ofTheDam = {
  "GET /api/v1/events": looked,
  "GET /api/v1/stats": looked,
  "GET /api/v1/history": looked,
  "GET /metrics": looked,
  "POST /api/v1/backup": { takes: "nothing", by: "operator" },

  "POST /api/v1/webhook-secrets": { ...chosen, enveloped: true },
  "GET /api/v1/webhook-secrets": { ...looked, enveloped: true },
  "DELETE /api/v1/webhook-secrets": { ...looked, enveloped: true },

  "GET /api/v1/notices": { takes: "nothing", by: "operator" },
  "PUT /api/v1/notices": { takes: "json", by: "operator" },

  // strangers are told so in its envelope
  "POST /api/v1/proxy": { takes: "json", by: "anyone" },

  "POST /jobs": { ...chosen, short: true },
  "GET /jobs/:id": looked,
  "GET /jobs/:id/stream": looked,

  "GET /.well-known/l8": shown,
  "POST /l8/challenge": { takes: "json", by: "anyone", bodyBytes: bounds.bodyBytes },
  "GET /l8-spec": shown,
  "GET /api/v1/l8/trust": looked,
  "POST /api/v1/l8/trust/revoke": { takes: "json", by: "operator, once there is one" },
  "POST /api/v1/l8/trust/forget": { takes: "json", by: "operator, once there is one" },

  // its signature says who may
  "GET /api/v1/results/:id": shown,

  "GET /health": shown,

  "GET /openapi.json": shown,
  "GET /docs": shown,
  "GET /": shown,
  "GET /session": shown,
  "POST /session": { takes: "json", by: "anyone" },
  "DELETE /session": shown
} as const satisfies Rows

const table = { ...ofJobs, ...ofSteering, ...ofTheDam } satisfies Required<Rows>

/** The name of a route: its method and its path, as the API spells it. */
export type RouteName = keyof typeof table

type Marked<Mark extends "enveloped" | "short"> = {
  readonly [Name in RouteName]: (typeof table)[Name] extends { readonly [_ in Mark]: true } ? Name : never
}[RouteName]

/** The routes that the envelope leads to. */
export type Enveloped = Marked<"enveloped">

/** The routes that the short way takes. */
export type Short = Marked<"short">

/** A route. */
export interface Route extends Row {
  readonly name: RouteName
  readonly method: string
  readonly path: string
  /** What its path looks like, parameters and all. */
  readonly pattern: RegExp
}

const made = (name: RouteName): Route => {
  const [method = "", path = ""] = name.split(" ")
  const pattern = new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/:\w+/g, "([^/]+)")}$`)
  return { ...table[name], name, method, path, pattern }
}

/** All routes, in the order of the table. */
export const routes: ReadonlyArray<Route> = Struct.keys(table).map(made)

const named = new Map(routes.map((route) => [route.name, route]))

/** The route of a name. */
export const routeOf = (name: RouteName): Route => named.get(name) ?? made(name)

const isEnveloped = (route: Route): route is Route & { readonly name: Enveloped } => route.enveloped === true

/** The routes that the envelope leads to. */
export const enveloped = routes.filter(isEnveloped)

const isShort = (route: Route): route is Route & { readonly name: Short } => route.short === true

/** The routes that the short way takes. */
export const short = routes.filter(isShort)

/** All routes at a path; the router takes no notice of a slash at the end. */
export const routesAt = (path: string): ReadonlyArray<Route> => {
  const exact = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path
  return routes.filter(({ pattern }) => pattern.test(exact))
}

/** The methods that a route answers: whoever may read it may ask for its head alone. */
export const methodsOf = ({ method }: Route): ReadonlyArray<string> => (method === "GET" ? ["GET", "HEAD"] : [method])

/** The route that a request asks for. */
export const routeOfRequest = ({ method, url }: Pick<HttpServerRequest, "method" | "url">): Route | undefined =>
  routesAt(pathIn(url)).find((route) => methodsOf(route).includes(method))

/** The path of a request's target. */
export const pathIn = (url: string): string => url.replace(/[?#].*$/, "")
