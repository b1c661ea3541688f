/**
 * Follows redirects, the same way over every client.
 *
 * At most five, and for GET and HEAD only: any other method would have to be changed or sent twice, so its 3xx is the
 * answer, unless the 307 and 308 of every method are asked for. What could identify the caller stays with the origin it
 * was meant for.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { credentials } from "../engine/Idempotency.ts"
import { InvalidResponse, TransportError, Unsendable } from "../step/FailureModel.ts"
import type { Request } from "../step/Request.ts"
import { secretIn } from "../step/SecretHeader.ts"
import type { Response } from "../step/ReplyModel.ts"
import * as Direct from "./Direct.ts"
import type { Exchange, Exchanging } from "./HttpTransport.ts"
import { TimeLimit } from "./TimeLimit.ts"

/**
 * One request and its answer, redirects not followed. `isFirst`: not what a redirect leads to. `isOnce`: not to be sent
 * again over another connection when the first has broken.
 */
export type Call = (
  request: Request,
  limit: TimeLimit,
  isFirst: boolean,
  isOnce: boolean
) => Effect.Effect<Response, TransportError>

/** A call that is told in callbacks; it returns what stops it, which does nothing once it is done. */
export type ToldCall = (request: Request, limit: TimeLimit, how: How, done: Done) => () => void

/** What a call has to know of its exchange; as for {@link Call}. */
export interface How {
  readonly isFirst: boolean
  readonly isOnce: boolean
}

/** Takes the end of a call. */
export type Done = (result: Exit.Exit<Response, TransportError>) => void

/** A transport of one place out of a single call. */
export const exchanging = (call: Call, follows: Follows = true): Exchanging => ({
  kind: "exchanging",
  regions: Direct.nowhere,
  egress: () => "local",
  send: following(call, follows)
})

/** A transport of one place out of a call that is told in callbacks, which can do without fibers. */
export const told = (call: ToldCall, follows: Follows = true): Exchanging => {
  const inFiber: Call = (request, limit, isFirst, isOnce) =>
    Effect.callback<Response, TransportError>((resume) =>
      Effect.sync(call(request, limit, { isFirst, isOnce }, resume))
    )
  return Direct.begunBy(exchanging(inFiber, follows), ({ request, step, timeoutMillis }, fiber, done) => {
    const refused = refusal(request)
    if (refused !== undefined) {
      done(refused)
      return nothing
    }
    const limit = new TimeLimit(fiber, timeoutMillis)
    const statuses = followed(request.method, follows)
    return call(request, limit, step.retryUnsafe === false ? ONCE : FIRST, (result) => {
      if (statuses === undefined || Exit.isFailure(result) || !statuses.has(result.value.status)) return done(result)
      const hop: Hop = (redirected) => inFiber(redirected, limit, false, false)
      done(result, follow(hop, request, result.value, { statuses }))
    })
  })
}

/**
 * What is followed: `true` GET and HEAD, which may be asked twice; `sameRequest` the 307 and 308 of any method, which ask
 * for the same request elsewhere.
 */
export type Follows = boolean | "sameRequest"

/** Turns one call into an exchange, which follows redirects unless told not to. */
export const following =
  (call: Call, follows: Follows = true) =>
  ({ request, reveal, step, timeoutMillis }: Exchange): Effect.Effect<Response, TransportError> =>
    refusal(request) ??
    Effect.withFiber((fiber) => {
      const limit = new TimeLimit(fiber, timeoutMillis)
      const made: Call =
        reveal === undefined ? call : (named, ...how) => Effect.flatMap(reveal(named), (whole) => call(whole, ...how))
      const first = made(request, limit, true, step.retryUnsafe === false)
      const statuses = followed(request.method, follows)
      if (statuses === undefined) return first
      const hop: Hop = (redirected) => made(redirected, limit, false, false)
      return Effect.flatMap(first, (response) => follow(hop, request, response, { statuses }))
    })

/** One more request of an exchange, to where a redirect leads. */
export type Hop = (request: Request) => Effect.Effect<Response, TransportError>

/** Tells whether the redirects of a method are followed. */
export const isFollowed = (method: string): boolean => method === "GET" || method === "HEAD"

/**
 * Goes where an answer leads, at most five times, and answers with the first that leads nowhere. `statuses` are followed;
 * `more` names headers that are credentials beside those that are known.
 */
export const follow = (
  hop: Hop,
  request: Request,
  response: Response,
  { more, statuses = REDIRECTS }: Partial<Pick<Way, "more" | "statuses">> = {}
): Effect.Effect<Response, TransportError> => arrive({ hop, statuses, more, followed: 0 }, request, response)

interface Way {
  readonly hop: Hop
  readonly statuses: ReadonlySet<number>
  readonly more?: ReadonlyArray<string> | undefined
  /** How many redirects lie behind. */
  readonly followed: number
}

const arrive = (way: Way, request: Request, response: Response): Effect.Effect<Response, TransportError> => {
  if (response.status < 300 || response.status > 308 || !way.statuses.has(response.status)) {
    return Effect.succeed(response)
  }
  const location = response.headers["location"]
  if (location === undefined) return Effect.succeed(response)
  const next = URL.parse(location, request.url)
  if (next === null || !HTTP.test(next.protocol) || next.username !== "" || next.password !== "") {
    return invalid(`status ${response.status} and a Location that is not an http:// or https:// URL`)
  }
  if (way.followed === MAX_REDIRECTS)
    return invalid(`status ${response.status} after ${MAX_REDIRECTS} redirects in a row`)
  const redirected = redirect(request, next, way.more)
  return Effect.flatMap(way.hop(redirected), (after) =>
    arrive({ ...way, followed: way.followed + 1 }, redirected, after)
  )
}

const redirect = (request: Request, to: URL, more: ReadonlyArray<string> = []): Request =>
  to.origin === new URL(request.url).origin
    ? { ...request, url: to.href }
    : { ...request, url: to.href, headers: withoutCredentials(request.headers, more) }

const withoutCredentials = (headers: Request["headers"], more: ReadonlyArray<string>): Request["headers"] =>
  Object.fromEntries(
    Object.entries(headers).filter(([header, value]) => {
      const lower = header.toLowerCase()
      // a secret says itself where it may go
      if (secretIn(value) !== undefined) return true
      return !PERSONAL.has(lower) && !more.some((name) => name.toLowerCase() === lower)
    })
  )

const refusal = ({ method, url }: Request) => {
  if (method === "CONNECT") return unsendable("CONNECT opens a tunnel, it is no call: no transport sends it")
  return url.includes("@") && hasCredentials(url)
    ? unsendable("the URL carries a user name or password: send an Authorization header instead")
    : undefined
}

/** The statuses that are followed; `undefined`: none is. */
const followed = (method: string, follows: Follows): ReadonlySet<number> | undefined => {
  if (follows === "sameRequest") return KEPT
  return follows && isFollowed(method) ? REDIRECTS : undefined
}

const hasCredentials = (url: string): boolean => {
  const parsed = URL.parse(url)
  return parsed !== null && (parsed.username !== "" || parsed.password !== "")
}

const invalid = (received: string) => Effect.fail(new TransportError({ reason: new InvalidResponse({ received }) }))

const unsendable = (problem: string) => Exit.fail(new TransportError({ reason: new Unsendable({ problem }) }))

const nothing = (): void => undefined
const FIRST: How = { isFirst: true, isOnce: false }
const ONCE: How = { isFirst: true, isOnce: true }
const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const KEPT = new Set([307, 308])
const HTTP = /^https?:$/
const PERSONAL: ReadonlySet<string> = new Set([...credentials, "proxy-authorization", "idempotency-key", "host"])
