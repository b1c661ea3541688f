/**
 * The proxy of the official clients, opened in process: only the path of `target_url` is read, nothing is called.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { Envelope } from "../../api/Api.ts"
import { ListQuery } from "../../api/JobShapes.ts"
import { type Answer, json, ofRefusal, settled } from "../door/Answer.ts"
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

/** Makes the handler of an envelope. */
export const make = (options: ProxyOptions) =>
  Effect.fnUntraced(function* (customer: string, body: Uint8Array): Effect.fn.Return<Answer, Refused> {
    const call = yield* Effect.fromResult(read(body, options.limits))
    return enveloped(yield* settled(dispatch(options, customer, call)))
  })

/** The proxy's answer to what the service answered. */
export const enveloped = (answer: Answer): Answer => {
  switch (answer.status) {
    case 401:
    case 403:
      return json(200, { status: "denied", error: errorIn(answer) })
    case 429:
      return answer
    default:
      return json(200, {
        status: "allowed",
        forwarded_response: {
          status_code: answer.status,
          headers: { "content-type": "application/json", ...answer.headers },
          body: answer.body
        }
      })
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

const dispatch = (
  { jobs, secrets }: ProxyOptions,
  customer: string,
  { body, headers, method, path, search }: Call
): Effect.Effect<Answer, Refused> => {
  const [, id = "", verb = ""] = ONE_JOB.exec(path) ?? []
  switch (id === "" ? path : `/${verb}`) {
    case "/api/v1/jobs":
      return by(method, {
        POST: () => jobs.submit({ customer, body, headers }),
        GET: () => Effect.flatMap(Effect.fromResult(listQuery(search)), (query) => jobs.list(customer, query))
      })
    case "/":
      return by(method, { GET: () => jobs.get(customer, id) })
    case "/explain":
      return by(method, { GET: () => jobs.explain(customer, id) })
    case "/cancel":
      return by(method, { POST: () => jobs.cancel(customer, id) })
    case "/run-now":
      return by(method, { POST: () => jobs.runNow(customer, id) })
    case "/rerun":
      return by(method, { POST: () => jobs.rerun(customer, id) })
    case "/api/v1/webhook-secrets":
      return by(method, {
        POST: () => secrets.set(customer, body),
        GET: () => secrets.get(customer),
        DELETE: () => secrets.delete(customer)
      })
    default:
      // waits and streams too: an envelope holds one whole answer, soon
      return Effect.fail(refused(404, "not_found", `the proxy leads to jobs and webhook secrets, not to ${path}`))
  }
}

const by = (
  method: string,
  handlers: Readonly<Record<string, () => Effect.Effect<Answer, Refused>>>
): Effect.Effect<Answer, Refused> => {
  const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined
  const allow = Object.keys(handlers).join(", ")
  return handler === undefined
    ? Effect.fail(refused(405, "method_not_allowed", `use ${allow} here`, { headers: { allow } }))
    : handler()
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

/** What an unauthenticated caller of the proxy is told. */
export const denied = (refusal: Refused): Answer => enveloped(ofRefusal(refusal))

const lowerCase = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const decodeEnvelope = Schema.decodeUnknownResult(Envelope)
const decodeQuery = Schema.decodeUnknownResult(
  Schema.toCodecArrayFromSingle(Schema.toCodecStringTree(Schema.Struct(ListQuery)))
)
const describe = SchemaIssue.makeFormatterStandardSchemaV1()
const ONE_JOB = /^\/api\/v1\/jobs\/([^/]+)(?:\/(cancel|explain|rerun|run-now))?$/
