/**
 * The way to EZThrottle: through the proxy for what concerns a plan, straight to the service for looking at jobs.
 *
 * One call is one request: nothing here repeats, waits or follows a redirect. Every answer is bounded in size and time,
 * and whatever comes back instead of one is a failure that names it. The API key is read when a call is made and
 * appears in the `Authorization` header only: an answer that quotes it is cleaned before it becomes an error.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as RetryAfter from "../engine/RetryAfter.ts"
import { type Failure, MissingApiKey, ServiceUnreachable, Unsendable } from "../step/FailureModel.ts"
import type { Request } from "../step/Request.ts"
import type { Call, Forwarded } from "../wire/Proxy.ts"
import { readAnswer, envelope } from "../wire/Proxy.ts"
import * as ClientCall from "./ClientCall.ts"
import * as DamAnswer from "./DamAnswer.ts"
import * as DamUrl from "./DamUrl.ts"
import * as FetchCall from "./FetchCall.ts"
import type { OpenCall, Opened } from "./OpenCall.ts"
import { cleaned, flatMapCleaned, oversized, readBody, readText, unreachable } from "./RemoteAnswer.ts"

/**
 * Where EZThrottle is and who is calling.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Without one, calls fail with `MissingApiKey`; building a client never does. */
  readonly apiKey?: Redacted.Redacted | undefined
  /**
   * Base URL of a dam, such as `http://127.0.0.1:8080`: both base URLs in one, and no key is needed on loopback. The
   * other two are not looked at then.
   */
  readonly dam?: string | undefined
  /** Base of the proxy. Defaults to `https://tracktags.fly.dev`. */
  readonly tracktagsUrl?: string | undefined
  /** Base of the service. Defaults to `https://ezthrottle.fly.dev`. */
  readonly ezthrottleUrl?: string | undefined
  /** Limit of one call, its whole answer included. Defaults to 30 seconds. */
  readonly timeout?: Duration.Input | undefined
  /** Passed on to `fetch` by clients made of it. Nothing by default. */
  readonly requestInit?: FetchCall.FetchInit | undefined
}

/**
 * The same for calls straight over `fetch`.
 *
 * @category models
 * @since 0.1.0
 */
export interface FetchOptions extends Options {
  /** Defaults to the platform's `fetch`, looked up at each call. */
  readonly fetch?: FetchCall.Fetch | undefined
}

/**
 * A call to the service behind the proxy.
 *
 * @category models
 * @since 0.1.0
 */
export interface ProxiedCall<A, E> extends Omit<Call, "targetUrl"> {
  /** Below the base of the service, from its first slash. */
  readonly path: string
  /** Reads what the service answered. */
  readonly read: (forwarded: Forwarded) => Result.Result<A, E>
  /** What the body holds that no error may repeat. */
  readonly secrets?: ReadonlyArray<Redacted.Redacted> | undefined
}

/**
 * What the service answered to a direct call.
 *
 * @category models
 * @since 0.1.0
 */
export interface DirectAnswer {
  readonly status: number
  readonly body: string
  /** When its `Retry-After` has passed, epoch milliseconds; `undefined` without one. */
  readonly retryAt: number | undefined
}

/**
 * A call straight to the service.
 *
 * @category models
 * @since 0.1.0
 */
export interface DirectCall<A, E> {
  /** Below the base of the service, from its first slash. */
  readonly path: string
  /** Defaults to `GET`. */
  readonly method?: "GET" | "PATCH" | "POST" | "PUT" | "DELETE" | undefined
  /** Beside those that every call has. Defaults to none. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Defaults to none. */
  readonly body?: string | undefined
  /** What of the body must stand in no error, should an answer quote it. Defaults to none. */
  readonly secrets?: ReadonlyArray<Redacted.Redacted> | undefined
  /** What the body is. Defaults to JSON. */
  readonly type?: string | undefined
  /** Reads what the service answered, whatever its status. */
  readonly read: (answer: DirectAnswer) => Result.Result<A, E>
}

/**
 * An event stream that the service opened, or the answer it gave instead.
 *
 * @category models
 * @since 0.1.0
 */
export type Attached =
  | {
      readonly _tag: "Events"
      /** The next piece of the stream's text; `undefined` at its end. */
      readonly next: Effect.Effect<string | undefined, Failure>
    }
  | { readonly _tag: "Answered"; readonly answer: DirectAnswer }

/**
 * Calls to EZThrottle, once each.
 *
 * @category services
 * @since 0.1.0
 */
export class EzthrottleApi extends Context.Service<
  EzthrottleApi,
  {
    /** Limit of one call, its whole answer included. */
    readonly timeout: Duration.Duration
    /** Calls the service through the proxy. */
    readonly proxied: <A, E>(call: ProxiedCall<A, E>) => Effect.Effect<A, E | Failure>
    /** Asks the service itself. */
    readonly direct: <A, E>(call: DirectCall<A, E>) => Effect.Effect<A, E | Failure>
    /** Opens an event stream at the service itself; it closes with the scope. The time limit ends with the head. */
    readonly events: (path: string, lastEventId?: string) => Effect.Effect<Attached, Failure, Scope.Scope>
  }
>()("ezthrottle-effect/transport/EzthrottleApi") {}

/**
 * The most an answer of the proxy may hold: 1 MiB.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxProxiedBytes = 1_048_576

/**
 * The most a direct answer may hold: 8 MiB, because a job carries the answer of its target, up to 1 MiB, in JSON.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxDirectBytes = 8_388_608

/**
 * Makes the calls over any `HttpClient`.
 *
 * **Details** — the client's own span and `traceparent` are switched off for these calls, so that no tracer sees their
 * headers, and clients made of `fetch` follow no redirect. A client with a `followRedirects` of its own keeps it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (client: HttpClient.HttpClient, options: Options = {}): EzthrottleApi["Service"] =>
  over(ClientCall.opening(client, options.requestInit), options)

/**
 * Makes the calls straight over `fetch`: the leanest way to have them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeFetch = (options: FetchOptions = {}): EzthrottleApi["Service"] =>
  over(FetchCall.opening(options.fetch ?? FetchCall.platform, options.requestInit ?? {}), options)

const over = (send: OpenCall, options: Options): EzthrottleApi["Service"] => {
  const dam = options.dam === undefined ? undefined : base(options.dam)
  const proxyUrl = `${dam ?? base(options.tracktagsUrl ?? defaultTracktagsUrl)}/api/v1/proxy`
  const serviceUrl = dam ?? base(options.ezthrottleUrl ?? defaultEzthrottleUrl)
  const limit = Duration.fromInputUnsafe(options.timeout ?? Duration.seconds(30))

  const open = ({ headers, ...request }: Request) =>
    Effect.flatMap(keyOf(options), (key) =>
      Effect.mapError(
        send({
          ...request,
          headers: key === undefined ? headers : { ...headers, authorization: `Bearer ${Redacted.value(key)}` }
        }),
        (failure) => (dam === undefined ? unreachable(failure) : DamAnswer.silenceOf(dam, failure))
      )
    )

  const inTime = within(limit)
  const read = readingWhole(options)

  const call = (request: Request, maxBytes: number) =>
    open(request).pipe(
      Effect.flatMap((answer) => read(answer, maxBytes)),
      // whatever is left of the answer is not wanted any more
      Effect.scoped,
      inTime
    )

  return {
    timeout: limit,
    proxied: ({ body, headers, method, path, read: readForwarded, secrets = [] }) =>
      call(
        {
          method: "POST",
          url: proxyUrl,
          headers: { "content-type": "application/json" },
          body: envelope({ targetUrl: serviceUrl + path, method, body, headers })
        },
        maxProxiedBytes
      ).pipe(
        flatMapCleaned([options.apiKey, ...secrets], (answer) => {
          const stranger = dam === undefined ? undefined : DamAnswer.strangerAt(dam, answer)
          return stranger === undefined ? Result.flatMap(readAnswer(answer), readForwarded) : Result.fail(stranger)
        })
      ),
    direct: ({ body, headers, method = "GET", path, read: readDirect, secrets = [], type = "application/json" }) =>
      call(
        {
          method,
          url: serviceUrl + path,
          headers: {
            accept: "application/json",
            ...(body === undefined ? {} : { "content-type": type }),
            ...headers
          },
          body
        },
        maxDirectBytes
      ).pipe(flatMapCleaned([options.apiKey, ...secrets], readDirect)),
    events: (path, lastEventId) =>
      open(
        get(serviceUrl + path, {
          accept: "text/event-stream",
          ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId })
        })
      ).pipe(
        Effect.flatMap((answer): Effect.Effect<Attached, Failure> =>
          isEventStream(answer)
            ? Effect.succeed({ _tag: "Events", next: readText(answer) })
            : Effect.map(read(answer, maxDirectBytes), (answered) => ({
                // only errors are made of it
                _tag: "Answered",
                answer: { ...answered, body: cleaned(answered.body, [options.apiKey]) }
              }))
        ),
        inTime
      )
  }
}

const within =
  (limit: Duration.Duration) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | ServiceUnreachable, R> =>
    Effect.timeoutOrElse(effect, {
      duration: limit,
      orElse: () => {
        const detail = `no complete answer within ${Duration.toMillis(limit)} ms`
        return Effect.fail(new ServiceUnreachable({ detail, maybeAccepted: true }))
      }
    })

/** A refusal may be cut where the limit is: what it says stands at its beginning. */
const readingWhole = ({ apiKey }: Options) =>
  Effect.fnUntraced(function* (answer: Opened, maxBytes: number) {
    const { body, isWhole } = yield* readBody(answer, maxBytes)
    if (!isWhole && isSuccess(answer.status)) {
      return yield* Effect.fail(oversized(cleaned(body, [apiKey]), maxBytes))
    }
    const now = yield* Clock.currentTimeMillis
    const pause = RetryAfter.parse(answer.headers, now)
    return { status: answer.status, body, retryAt: pause && now + Duration.toMillis(pause) }
  })

/**
 * Reads the options from `EZTHROTTLE_API_KEY`, `EZTHROTTLE_DAM_URL`, `EZTHROTTLE_TRACKTAGS_URL` and `EZTHROTTLE_URL`.
 * None is required.
 *
 * @category configuration
 * @since 0.1.0
 */
export const config: Config.Config<Pick<Options, "apiKey" | "dam" | "ezthrottleUrl" | "tracktagsUrl">> =
  // marked pure as a whole, so that a bundle that reads no Config holds none
  /* @__PURE__ */ (() =>
    Config.all({
      apiKey: Config.map(Config.option(Config.Redacted("EZTHROTTLE_API_KEY")), Option.getOrUndefined),
      dam: Config.withDefault(Config.String("EZTHROTTLE_DAM_URL"), undefined),
      tracktagsUrl: Config.withDefault(Config.String("EZTHROTTLE_TRACKTAGS_URL"), undefined),
      ezthrottleUrl: Config.withDefault(Config.String("EZTHROTTLE_URL"), undefined)
    }))()

/**
 * Provides the calls over the `HttpClient` of the surroundings.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<EzthrottleApi, never, HttpClient.HttpClient> =>
  Layer.effect(
    EzthrottleApi,
    Effect.map(HttpClient.HttpClient, (client) => make(client, options))
  )

/**
 * Provides the calls as the environment says, see `config`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options?: Omit<Options, "apiKey" | "dam" | "ezthrottleUrl" | "tracktagsUrl">
): Layer.Layer<EzthrottleApi, Config.ConfigError, HttpClient.HttpClient> =>
  Layer.unwrap(Effect.map(config, (read) => layer({ ...options, ...read })))

const defaultTracktagsUrl = "https://tracktags.fly.dev"
const defaultEzthrottleUrl = "https://ezthrottle.fly.dev"

const base = (url: string): string => url.trim().replace(/\/+$/, "")

const isSuccess = (status: number): boolean => status >= 200 && status <= 299

const isEventStream = ({ headers, status }: Opened): boolean =>
  status === 200 && (headers["content-type"] ?? "").toLowerCase().startsWith("text/event-stream")

const get = (url: string, headers: Request["headers"]): Request => ({ method: "GET", url, headers, body: undefined })

const keyOf = ({ apiKey, dam }: Options): Effect.Effect<Redacted.Redacted | undefined, MissingApiKey | Unsendable> => {
  const problem = dam === undefined ? undefined : DamUrl.problemOf(dam)
  if (problem !== undefined) return Effect.fail(new Unsendable({ problem: `dam: ${problem}` }))
  if (apiKey === undefined || Redacted.value(apiKey).trim() === "") {
    if (dam !== undefined && DamUrl.isLoopback(dam)) return Effect.undefined
    return Effect.fail(new MissingApiKey({ variable: "EZTHROTTLE_API_KEY" }))
  }
  // an HTTP client would quote the header it refuses, and the key with it
  return /^[\x21-\x7e]+$/.test(Redacted.value(apiKey))
    ? Effect.succeed(apiKey)
    : Effect.fail(
        new Unsendable({
          problem: "the API key holds a space, a line break or another character that no header carries"
        })
      )
}
