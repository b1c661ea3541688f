/**
 * The short way for submissions: the same checks, reading and answers as by the routes of the API, without a router, a
 * scope and a request object for each. Half of what taking a job costs would go there otherwise.
 *
 * Whatever is unusual about the head of a request leaves it to the routes, which know how to refuse it.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http"
import { type Answer, NONE, ofRefusal, settled } from "./door/Answer.ts"
import type { Jobs } from "./routes/JobRoutes.ts"
import type { Caller } from "./door/Keys.ts"
import { collect, faultIn, faultInContent, type Reading, type Threshold } from "./door/Request.ts"
import { type Short, short } from "./door/RouteTable.ts"
import { faultInOrigin } from "./door/Session.ts"
import { refused, type Refused } from "../intake/Refusal.ts"
import type { Dialect } from "../job/Job.ts"

/** What the short way needs. */
export interface FastOptions extends Threshold, Reading {
  readonly jobs: Pick<Jobs, "begin">
  readonly authenticate: (authorization: string | undefined) => Caller | Refused
}

/** Takes a request, or leaves it to the routes. */
export type Fast = (request: IncomingMessage, response: ServerResponse) => boolean

/** Makes the short way; its effects run in the given context. */
export const make = (options: FastOptions, context: Context.Context<never>): Fast => {
  const run = Effect.runForkWith(context)

  const take = (request: IncomingMessage, response: ServerResponse, customer: string, dialect: Dialect): void => {
    const answered = (answer: Answer | Effect.Effect<Answer, Refused>): void => {
      if (!Effect.isEffect(answer)) return write(response, answer)
      run(settled(answer)).addObserver((exit) =>
        write(response, Exit.isSuccess(exit) ? exit.value : broken(exit.cause))
      )
    }
    collect(request, options, (body) => {
      if (!(body instanceof Uint8Array)) return write(response, ofRefusal(body))
      const submission = { customer, body, headers: single(request.headers) }
      const begun = Result.try(() => options.jobs.begin(answered, dialect, submission, context))
      if (Result.isFailure(begun)) write(response, broken(Cause.die(begun.failure)))
    })
  }

  const dialects: Readonly<Record<Short, Dialect>> = { "POST /api/v1/jobs": "cloud", "POST /jobs": "flat" }
  const byUrl = new Map(short.map(({ name, path }) => [path, dialects[name]]))

  const broken = (cause: Cause.Cause<never>): Answer => {
    if (!Cause.hasInterruptsOnly(cause)) run(Effect.logError("a submission failed", cause))
    return ofRefusal(refused(500, "internal", "something broke here; the log of the dam says what"))
  }

  return (request, response) => {
    if (request.method !== "POST") return false
    const dialect = byUrl.get(request.url ?? "")
    if (dialect === undefined || !isPlain(request, options)) return false
    const caller = options.authenticate(request.headers.authorization)
    if ("_tag" in caller) return false
    take(request, response, caller.customer, dialect)
    return true
  }
}

/** A body of known and bearable length, of the right type, behind a head without fault. */
const isPlain = (request: IncomingMessage, options: Threshold): boolean => {
  const length = request.headers["content-length"]
  return (
    length !== undefined &&
    Number(length) <= options.limits.bodyBytes &&
    faultInContent(request.headers) === undefined &&
    faultInOrigin("POST", request.headers) === undefined &&
    faultIn(request, options) === undefined
  )
}

/** Writes an answer; whoever has gone misses it. */
const write = (response: ServerResponse, { body, headers, status }: Answer): void => {
  if (response.destroyed || response.writableEnded) return
  const described = ["content-type", JSON_TYPE, "content-length", String(Buffer.byteLength(body))]
  // as a list: an object would be made into one
  response.writeHead(status, headers === NONE ? described : [...Object.entries(headers).flat(), ...described])
  response.end(body)
}

const JSON_TYPE = "application/json"

// Node gives a list for `set-cookie` only, which no request has a use for
const single = (headers: IncomingHttpHeaders) => headers as Readonly<Record<string, string>>
