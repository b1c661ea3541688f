/** What a service said instead of doing it, in one line with the next step. */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type ConnectionFailed, excerpt, type Failure, type TlsError } from "../../step/Failure.ts"
import { ApiError } from "../../dam/api/RefusalShapes.ts"
import { type Problem, problem, snake } from "../output/Problem.ts"
import { cloudUrl, type Target } from "./Target.ts"

/** The cloud takes jobs and keeps secrets; it shows neither jobs nor lanes. */
export const notOffered = (target: Target, path: string): Problem =>
  problem(
    "failed",
    `${target.url} has no route ${routeOf(path)}: EZThrottle Cloud takes jobs and keeps webhook secrets, no more`,
    {
      next: "let a webhook tell the result, or use a dam (`ezthrottle dam`) and name it with --url",
      code: "not_offered"
    }
  )

/** No connection, in words; what the network layer said stands in the details. */
export const ofConnection = (target: Target, failure: ConnectionFailed): Problem => {
  const where = `${target.url} (${target.from.url})`
  const text = {
    refused: `nothing listens at ${where}`,
    notFound: `there is no such host: ${where}`,
    unreachable: `there is no way to ${where}`,
    reset: `the connection to ${where} broke off`,
    shortage: `no connection to ${where}: ${failure.detail}`,
    other: `no connection to ${where}`
  }[failure.kind]
  return problem("unreachable", text, {
    next:
      target.url === cloudUrl
        ? "check the network"
        : "start a dam with `ezthrottle dam`, or name another service with --url",
    code: "unreachable",
    details: [failure.message],
    passesAfter: 0
  })
}

/** A connection that cannot be trusted. */
export const ofTls = (target: Target, { message }: TlsError): Problem =>
  problem("unreachable", `no secure connection to ${target.url} (${target.from.url})`, {
    next: "check its certificate, or whether it speaks http:// and not https://",
    code: "unreachable",
    details: [message]
  })

/** The network, or the way through the proxy. */
export const ofFailure = (target: Target, failure: Failure): Problem => {
  switch (failure._tag) {
    case "ServiceUnreachable":
      return problem("unreachable", `no usable answer from ${target.url} (${target.from.url})`, {
        next: "try again, or look with `ezthrottle doctor`",
        code: "unreachable",
        details: [failure.detail],
        passesAfter: 0
      })
    case "MissingApiKey":
      return problem(
        "denied",
        `${failure.after === undefined ? "" : `${failure.after}; `}${target.url} needs an API key`,
        {
          next: "set EZTHROTTLE_API_KEY",
          code: "missing_api_key"
        }
      )
    case "ServiceDenied":
      return denied(target, failure.detail)
    case "ServiceRateLimited":
      return problem("failed", `${target.url} asks to slow down: ${failure.detail}`, {
        next: "try again later",
        code: "rate_limited",
        passesAfter: 1000
      })
    case "Unsendable":
      return problem("usage", failure.problem, { code: "unsendable" })
    default:
      return problem("failed", `${target.url}: ${failure.message}`, { code: snake(failure._tag) })
  }
}

const { code, error, field } = ApiError.fields

/** The cloud gives no codes. */
const ErrorBody = Schema.Struct({ error, code: Schema.optionalKey(code), field })

const decodeError = Schema.decodeUnknownResult(Schema.fromJsonString(ErrorBody))

/** An answer that is no 2xx. */
export const ofAnswer = (
  target: Target,
  path: string,
  { body, status }: { readonly status: number; readonly body: string },
  retryAfter: Duration.Duration | undefined
): Problem => {
  const said = Result.getOrElse(decodeError(body), () => undefined)
  const details = [`status ${status}`, excerpt(body)]
  const code = said?.code ?? `http_${status}`
  const text = said?.error ?? `status ${status} from ${target.url}`
  const later = retryAfter === undefined ? "try again later" : `try again in ${Duration.format(retryAfter)}`
  switch (status) {
    case 401:
    case 403:
      return code === "operator_required"
        ? problem("denied", text, { next: nextOf[code], code, details })
        : denied(target, text, details)
    case 404:
      return said?.code === undefined
        ? problem("failed", `${target.url} has no route ${routeOf(path)}`, {
            next: "check that it is a dam, and its version",
            code: "no_such_route",
            details
          })
        : problem("notFound", text, { next: nextOf[said.code], code, details })
    case 421:
      return problem("denied", text, {
        next: "a dam without keys answers to names of its own machine only: use 127.0.0.1, or give it keys",
        code,
        details
      })
    case 429:
    case 503:
      return problem("failed", text, {
        next: nextOf[code] ?? later,
        code,
        details,
        passesAfter: retryAfter === undefined ? 1000 : Duration.toMillis(retryAfter)
      })
    case 502:
    case 504:
      return problem("unreachable", text, { next: later, code, details, passesAfter: 0 })
    default:
      return problem("failed", text, { next: nextOf[code], code, details })
  }
}

const nextOf: Readonly<Record<string, string>> = {
  job_not_found: "look for it with `ezthrottle jobs list`; jobs are removed some time after their end",
  batch_not_found: "look for it with `ezthrottle batches list`; batches are removed some time after their end",
  secrets_not_found: "set one with `ezthrottle secrets create`",
  wrong_state: "look at it with `ezthrottle jobs show`",
  operator_required: "ask whoever runs the dam, or use a key that its keys file marks with :operator",
  storage_full: "free space on the disk of the dam; it goes on by itself"
}

const denied = (target: Target, text: string, details: ReadonlyArray<string> = []): Problem =>
  problem("denied", `${target.url} refuses the caller: ${text}`, {
    next:
      target.apiKey === undefined
        ? "set EZTHROTTLE_API_KEY, or write api_key into the configuration file"
        : `the key from ${target.from.apiKey} is not one of its keys, or its plan is used up`,
    code: "denied",
    details
  })

const routeOf = (path: string): string => path.replace(/\?.*/, "")
