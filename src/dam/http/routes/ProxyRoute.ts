/**
 * The proxy of the official clients, opened in process: only the path of `target_url` is read, nothing is called.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { Api } from "../../api/Api.ts"
import { allowed, denied as notLetIn, Envelope } from "../../api/ProxyShapes.ts"
import { ListQuery } from "../../api/JobShapes.ts"
import { type Answer, json, ofRefusal, settled, toResponse } from "../door/Answer.ts"
import { bodyFor, respond } from "../door/Asked.ts"
import type { Callers } from "../door/Callers.ts"
import type { Reading } from "../door/Request.ts"
import { type Enveloped, enveloped, routeOf } from "../door/RouteTable.ts"
import type { Jobs } from "./JobRoutes.ts"
import type { Secrets } from "./SecretRoutes.ts"
import { readJson } from "../../intake/Body.ts"
import { badField, refused, type Refused } from "../../intake/Refusal.ts"
import type { Limits } from "../../intake/Limits.ts"

/** Where the calls go. */
export interface ProxyOptions {
  readonly jobs: Jobs
  readonly secrets: Secrets
  readonly limits: Limits
}

/** Opens an envelope for a customer, and puts what is answered into one. */
export type Proxy = (customer: string, body: Uint8Array) => Effect.Effect<Answer, Refused>

/** Makes the handler of an envelope. */
export const make = (options: ProxyOptions): Proxy => {
  const handlers = handlersOf(options)
  return Effect.fnUntraced(function* (customer: string, body: Uint8Array) {
    const call = yield* Effect.fromResult(read(body, options.limits))
    return wrapped(yield* settled(dispatch(handlers, customer, call)))
  })
}

/** The route. */
export const group = (proxy: Proxy, callers: Callers, reading: Reading) =>
  HttpApiBuilder.group(Api, "proxy", (handlers) =>
    handlers.handleRaw("call", ({ request }) =>
      Effect.matchEffect(callers.customerOf(request), {
        onFailure: (refusal) => Effect.succeed(toResponse(wrapped(ofRefusal(refusal)))),
        onSuccess: (customer) =>
          respond(
            Effect.flatMap(bodyFor(routeOf("POST /api/v1/proxy"), request, reading), (body) => proxy(customer, body))
          )
      })
    )
  )

/** The proxy's answer to what the service answered. */
const wrapped = (answer: Answer): Answer => {
  switch (answer.status) {
    case 401:
    case 403:
      return json(200, notLetIn(errorIn(answer)))
    case 429:
      return answer
    default:
      return json(
        200,
        allowed({
          status_code: answer.status,
          headers: { "content-type": "application/json", ...answer.headers },
          body: answer.body
        })
      )
  }
}

interface Call {
  readonly method: string
  readonly path: string
  readonly search: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

const read = (body: Uint8Array, limits: Limits): Result.Result<Call, Refused> =>
  Result.flatMap(readJson(body, limits), (envelope) =>
    Result.flatMap(
      Result.mapError(decodeEnvelope(envelope), badEnvelope),
      ({ headers, method, target_url, ...rest }) => {
        const url = URL.parse(target_url)
        return url === null
          ? Result.fail(badField("target_url", "Expected an absolute URL"))
          : Result.succeed({
              method: method.toUpperCase(),
              path: url.pathname,
              search: url.searchParams,
              headers: lowerCase(headers ?? {}),
              body: new TextEncoder().encode(rest.body ?? "")
            })
      }
    )
  )

type Handler = (customer: string, call: Call, id: string) => Effect.Effect<Answer, Refused>

const handlersOf = ({ jobs, secrets }: ProxyOptions): Readonly<Record<Enveloped, Handler>> => ({
  "POST /api/v1/jobs": (customer, { body, headers }) => jobs.submit({ customer, body, headers }),
  "GET /api/v1/jobs": (customer, { search }) =>
    Effect.flatMap(Effect.fromResult(listQuery(search)), (query) => jobs.list(customer, query)),
  "GET /api/v1/jobs/:id": (customer, _, id) => jobs.get(customer, id),
  "GET /api/v1/jobs/:id/explain": (customer, _, id) => jobs.explain(customer, id),
  "POST /api/v1/jobs/:id/cancel": (customer, _, id) => jobs.cancel(customer, id),
  "POST /api/v1/jobs/:id/run-now": (customer, _, id) => jobs.runNow(customer, id),
  "POST /api/v1/jobs/:id/rerun": (customer, _, id) => jobs.rerun(customer, id),
  "POST /api/v1/webhook-secrets": (customer, { body }) => secrets.set(customer, body),
  "GET /api/v1/webhook-secrets": (customer) => secrets.get(customer),
  "DELETE /api/v1/webhook-secrets": (customer) => secrets.delete(customer)
})

const dispatch = (
  handlers: Readonly<Record<Enveloped, Handler>>,
  customer: string,
  call: Call
): Effect.Effect<Answer, Refused> => {
  const here = enveloped.filter(({ pattern }) => pattern.test(call.path))
  if (here.length === 0) {
    const problem = `the proxy leads to jobs and webhook secrets, not to ${call.path}`
    return Effect.fail(refused(404, "not_found", problem))
  }
  const route = here.find(({ method }) => method === call.method)
  if (route === undefined) {
    const allow = here.map(({ method }) => method).join(", ")
    return Effect.fail(refused(405, "method_not_allowed", `use ${allow} here`, { headers: { allow } }))
  }
  return handlers[route.name](customer, call, route.pattern.exec(call.path)?.[1] ?? "")
}

const listQuery = (search: URLSearchParams) =>
  Result.mapError(
    decodeQuery(Object.fromEntries([...new Set(search.keys())].map((name) => [name, single(search.getAll(name))])), {
      onExcessProperty: "error"
    }),
    ({ issue }) => badField(pathOf(issue, "query"), "is no filter, or not a value of it")
  )

const single = (values: ReadonlyArray<string>) => (values.length === 1 ? values[0] : values)

const badEnvelope = ({ issue }: Schema.SchemaError): Refused =>
  badField(pathOf(issue, "envelope"), describe(issue).issues[0]?.message ?? "is not valid")

const pathOf = (issue: SchemaIssue.Issue, root: string): string => {
  const path = (describe(issue).issues[0]?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part))
  return path.length === 0 ? root : path.join(".")
}

const errorIn = ({ body }: Answer): string => {
  const { error }: { readonly error?: unknown } = JSON.parse(body)
  return String(error)
}

const lowerCase = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const decodeEnvelope = Schema.decodeUnknownResult(Envelope)
const decodeQuery = Schema.decodeUnknownResult(
  Schema.toCodecArrayFromSingle(Schema.toCodecStringTree(Schema.Struct(ListQuery)))
)
const describe = SchemaIssue.makeFormatterStandardSchemaV1()
