/**
 * How the calls of a stored job leave: with our headers, what an answer teaches learnt before anybody else is let through,
 * and redirects followed like everywhere else.
 *
 * Each hop of a redirect passes the egress policy, and the lane of its host with a permit of its own; the one of the call
 * that led there is given back first, so that a host which allows one call at a time may lead to itself.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Breaker from "../../engine/Breaker.ts"
import { TransportError, Unsendable } from "../../step/Failure.ts"
import type { Response } from "../../step/Reply.ts"
import * as SecretHeader from "../../step/SecretHeader.ts"
import type { Request } from "../../step/Request.ts"
import type { Exchange, Exchanging } from "../../transport/HttpTransport.ts"
import * as Redirects from "../../transport/Redirects.ts"
import * as TimeLimit from "../../transport/TimeLimit.ts"
import { checkUrl } from "../egress/Url.ts"
import { callIn, laneFor, type Run } from "./Run.ts"
import type { Permit } from "../lane/Permit.ts"
import * as Shortages from "../lane/Shortages.ts"
import type { Revealed } from "../secrets/NamedSecrets.ts"

/** The permit under which an exchange has begun. */
export const Under = Context.Reference<Pick<Permit, "release" | "settle">>("ezthrottle-effect/dam/work/Under", {
  defaultValue: () => ({ release: Effect.void, settle: () => Effect.void })
})

/**
 * Makes the transport of a run.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (self: Run): Exchanging => {
  const { transport } = self.options
  const made: Exchanging = {
    ...transport,
    keepsLimits: true,
    keepsOrder: true,
    keepsSecrets: true,
    send: (exchange) =>
      Clock.clockWith((clock) => {
        const call = { ...exchange, attempt: exchange.attempt && `${self.job.id}/${exchange.attempt}` }
        const nth = ++self.calls
        return wholly(self, call, { nth, sentAt: monotonic(clock) }, once(self, call, nth))
      })
  }
  // then one call is ended by whoever makes it, and what follows on it here: nobody need race with either
  return TimeLimit.keepingLike(made, [transport])
}

/** A call that was sent: which one of the job's it is, and when it was, in monotonic milliseconds. */
export interface Sent {
  readonly nth: number
  readonly sentAt: number
}

/** Follows a call where its answer leads elsewhere, within what is left of its limit. */
export const wholly = (
  self: Run,
  call: Exchange,
  { nth, sentAt }: Sent,
  first: Effect.Effect<Response, TransportError>
): Effect.Effect<Response, TransportError> => {
  if (!Redirects.isFollowed(call.request.method)) return first
  const until = sentAt + call.timeoutMillis
  return Effect.flatMap(first, (response) =>
    response.status < 300 || response.status > 308
      ? Effect.succeed(response)
      : Clock.clockWith((clock) =>
          TimeLimit.within(
            followed(self, call, { nth, response, until }),
            Math.max(1, until - monotonic(clock)),
            call.timeoutMillis
          )
        )
  )
}

const once = (self: Run, exchange: Exchange, nth: number): Effect.Effect<Response, TransportError> =>
  Clock.clockWith((clock) => {
    const { job, options } = self
    const { request } = exchange
    const lane = laneFor(self, request)
    self.lane = lane
    const sentAt = monotonic(clock)
    const secrets = SecretHeader.names(request.headers) ? options.secrets?.call(job.customer) : undefined
    const call = Effect.flatMap(options.lanes.load(lane), (load) =>
      options.transport.send({
        ...exchange,
        request: { ...request, headers: headersOf(request.headers, load, nth) },
        reveal: secrets?.reveal ?? exchange.reveal
      })
    )
    const limit = exchange.timeoutMillis
    const again = () => TimeLimit.within(call, Math.max(1, sentAt + limit - monotonic(clock)), limit)
    const sent = secrets === undefined ? call : renewing(secrets, call, again)
    return learning(self, { request, lane, sentAt }, sent)
  })

/**
 * A target that does not accept a token any more has done nothing: the call is made again with another, once, and within
 * what is left of its limit.
 */
const renewing = <E>(
  { refused }: Revealed,
  call: Effect.Effect<Response, E>,
  again: () => Effect.Effect<Response, E>
): Effect.Effect<Response, E> =>
  Effect.flatMap(call, (response) =>
    response.status === 401
      ? Effect.flatMap(refused, (helps) => (helps ? again() : Effect.succeed(response)))
      : Effect.succeed(response)
  )

/** A call to a lane, and when it was sent. */
export interface Asked {
  readonly request: Request
  readonly lane: string
  readonly sentAt: number
}

/** Learns from what a call ends with, before anybody else is let through. */
export const learning = (
  self: Run,
  asked: Asked,
  sent: Effect.Effect<Response, TransportError>
): Effect.Effect<Response, TransportError> =>
  sent.pipe(
    Effect.tap((response) => learnt(self, asked, response)),
    Effect.tapError(({ reason }) =>
      Shortages.isShortage(reason)
        ? Shortages.note(self.options.shortages, self.options.lanes, {
            lane: asked.lane,
            account: self.job.account,
            jobId: self.job.id,
            detail: reason.message
          })
        : Breaker.saidBy({ _tag: "Failed", failure: reason }) === "down"
          ? self.options.lanes.failed({ lane: asked.lane, jobId: self.job.id, sentAt: asked.sentAt })
          : Effect.void
    )
  )

/** Learns from an answer. */
export const learnt = (self: Run, { lane, request, sentAt }: Asked, response: Response): Effect.Effect<void> => {
  const { job, options } = self
  Shortages.over(options.shortages, lane)
  const spokenOf = options.names.heard(callIn(job, request), response.headers)
  self.lane = spokenOf
  // where it names another, that is where the next one like it waits
  if (self.next.lane === lane && spokenOf !== lane) self.next = { ...self.next, lane: spokenOf }
  const answer = { lane: spokenOf, account: job.account, response, jobId: job.id, sentAt }
  const observed = options.lanes.observe(answer)
  return self.next.draws.length === 0 ? observed : Effect.andThen(observed, settled(response))
}

/** An answer to the n-th call that leads elsewhere, and the monotonic millisecond at which the exchange ends. */
interface Redirected {
  readonly nth: number
  readonly response: Response
  readonly until: number
}

/** What an answer says of its cost corrects what was drawn for it. */
const settled = (response: Response): Effect.Effect<void> => Effect.flatMap(Under, ({ settle }) => settle(response))

const followed = Effect.fnUntraced(function* (
  self: Run,
  exchange: Exchange,
  { nth, response, until }: Redirected
): Effect.fn.Return<Response, TransportError> {
  const { job, options } = self
  let hops = 0
  let { status } = response
  const hop: Redirects.Hop = Effect.fnUntraced(function* (request) {
    const checked = checkUrl(options.egress, request.url)
    if (Result.isFailure(checked)) {
      const problem = `its redirect (${status}) leads to where the dam may not call: ${checked.failure.message}`
      return yield* new TransportError({ reason: new Unsendable({ problem }) })
    }
    yield* (yield* Under).release
    hops++
    return yield* Effect.acquireUseRelease(
      options.lanes.acquire(laneFor(self, request), job.account, { jobId: job.id }),
      ({ depart }) =>
        Effect.gen(function* () {
          yield* depart()
          const timeoutMillis = Math.max(1, until - monotonic(yield* Clock.Clock))
          const attempt = exchange.attempt && `${exchange.attempt}/${hops}`
          const answer = yield* once(self, { ...exchange, request, attempt, timeoutMillis }, nth)
          status = answer.status
          return answer
        }),
      ({ release }) => release
    )
  })
  return yield* Redirects.follow(hop, exchange.request, response, { more: options.credentials })
})

/**
 * Tells a target how many calls of this job there were, this one included. It grows with every call, also after a crash
 * that left the last one unrecorded; numbers may be left out.
 */
const attemptHeader = "X-EZThrottle-Attempt"

/** The headers of a call with ours; whatever has the name of one of them gives way, except where a dam stands before. */
export const headersOf = (
  given: Readonly<Record<string, string>>,
  load: Readonly<Record<string, string>>,
  attempt: number
): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = { ...load, [attemptHeader]: String(attempt) }
  for (const name in given) {
    const lower = name.toLowerCase()
    if (lower.startsWith("x-aqueduct-") && Object.keys(load).some((own) => own.toLowerCase() === lower)) continue
    if (lower === attemptHeader.toLowerCase()) delete headers[attemptHeader]
    headers[name] = given[name] ?? ""
  }
  return headers
}

const monotonic = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
