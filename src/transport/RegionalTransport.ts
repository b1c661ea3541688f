/**
 * Gives regions a place each: a transport, or a base URL that stands in for the target's origin.
 *
 * A region whose last exchange brought no answer is listed behind the others for ten seconds. It can still be asked
 * for: health orders regions, it never refuses one.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { hadNoAnswer } from "../engine/Forward.ts"
import { type Failure, TransportError, Unsendable } from "../step/FailureModel.ts"
import type { Response } from "../step/ReplyModel.ts"
import { type Exchange, type Exchanging, HttpTransport } from "./HttpTransport.ts"
import * as Direct from "./Direct.ts"
import * as LocalTransport from "./LocalTransport.ts"
import * as TimeLimit from "./TimeLimit.ts"

/**
 * Where a region leaves from.
 *
 * **Details** — with a `baseUrl`, `https://api.example.com/users?page=2` is asked for at
 * `https://iad.example.net/eu/users?page=2` when the base is `https://iad.example.net/eu`. Headers go along unchanged.
 *
 * @category models
 * @since 0.1.0
 */
export type Place = Exchanging | { readonly baseUrl: string }

/**
 * What the transport takes besides its regions.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegionalOptions {
  /** Carries the calls of regions given as a base URL. Defaults to the platform's `fetch`. */
  readonly over?: Exchanging | undefined
  /** Takes exchanges that name no region, or one that is not in the list. Without it the first healthy region and `Unsendable`. */
  readonly default?: Exchanging | undefined
  /** How long a region without an answer is listed last. Defaults to 10 seconds. */
  readonly unhealthyFor?: Duration.Input | undefined
}

/**
 * A region is given in a way that cannot work.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidRegion extends Schema.TaggedError<InvalidRegion>()("InvalidRegion", {
  region: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `region ${this.region}: ${this.problem}`
  }
}

/**
 * Makes a transport out of a map from region to place. Names with the same place share an egress.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  places: { readonly [region: string]: Place },
  options: RegionalOptions = {}
): Effect.fn.Return<Exchanging, InvalidRegion> {
  const over = options.over ?? LocalTransport.makeFetch()
  const egresses = new Map<string, string>()
  const transports = new Map<string, Exchanging>()
  const firstAt = new Map<Exchanging | string, string>()
  for (const [region, place] of Object.entries(places)) {
    const at = "baseUrl" in place ? yield* baseOf(region, place.baseUrl) : place
    transports.set(region, typeof at === "string" ? rebased(over, at) : at)
    // a region with the default's place is no other place
    if (!firstAt.has(at)) firstAt.set(at, at === options.default ? ELSEWHERE : region)
    egresses.set(region, firstAt.get(at) ?? region)
  }

  const unhealthyMillis = Duration.toMillis(options.unhealthyFor ?? Duration.seconds(10))
  const unhealthyUntil = new Map<string, number>()
  const egress = (region: string): string => egresses.get(region) ?? ELSEWHERE
  const regions = Effect.map(Clock.currentTimeMillis, (now) => {
    const isHealthy = (region: string) => (unhealthyUntil.get(egress(region)) ?? 0) <= now
    const names = [...transports.keys()]
    return [...names.filter(isHealthy), ...names.filter((region) => !isHealthy(region))]
  })

  const watched = (region: string, transport: Exchanging, exchange: Exchange) =>
    Effect.flatMap(Clock.currentTimeMillis, (started) =>
      Effect.onExit(transport.send(exchange), (exit) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          if (isSilent(exit, now - started, exchange.timeoutMillis)) {
            unhealthyUntil.set(egress(region), now + unhealthyMillis)
          } else if (Exit.isSuccess(exit)) unhealthyUntil.delete(egress(region))
        })
      )
    )

  const send = (exchange: Exchange): Effect.Effect<Response, TransportError> => {
    const { region } = exchange
    const transport = region === undefined ? undefined : transports.get(region)
    if (region !== undefined && transport !== undefined) return watched(region, transport, exchange)
    if (options.default !== undefined) return options.default.send(exchange)
    if (region !== undefined) return unsendable(`no transport for region ${region}; ${known([...transports.keys()])}`)
    return Effect.flatMap(regions, ([first]) =>
      first === undefined ? unsendable(known([])) : send({ ...exchange, region: first })
    )
  }

  const all = [...transports.values(), ...(options.default === undefined ? [] : [options.default])]
  const keepsLimits = all.length > 0 && all.every((transport) => transport.keepsLimits === true)
  const made: Exchanging = {
    kind: "exchanging",
    // where there is nothing to choose from, nobody need look
    regions: transports.size === 0 ? Direct.nowhere : regions,
    egress,
    home: options.default && ELSEWHERE,
    keepsLimits,
    send
  }
  if (transports.size === 0 && options.default !== undefined) Direct.begunLike(made, options.default)
  return TimeLimit.keepingLike(made, all)
})

/**
 * Provides the transport. A region may be a layer of its own here, for instance `LocalTransport.layerFetch()`; it is
 * built once and released with this one.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <E = never, R = never>(
  places: { readonly [region: string]: Place | Layer.Layer<HttpTransport, E, R> },
  options?: RegionalOptions
): Layer.Layer<HttpTransport, InvalidRegion | E, R> =>
  Layer.effect(
    HttpTransport,
    Effect.gen(function* () {
      const built: Record<string, Place> = {}
      for (const [region, place] of Object.entries(places)) {
        built[region] = isPlace(place) ? place : yield* exchangingOf(region, place)
      }
      return yield* make(built, options)
    })
  )

const isPlace = <E, R>(place: Place | Layer.Layer<HttpTransport, E, R>): place is Place => !Layer.isLayer(place)

const exchangingOf = Effect.fnUntraced(function* <E, R>(region: string, layer: Layer.Layer<HttpTransport, E, R>) {
  const transport = Context.get(yield* Layer.build(layer), HttpTransport)
  if (transport.kind === "exchanging") return transport
  return yield* new InvalidRegion({ region, problem: "a service takes whole steps; a region needs what makes calls" })
})

/** The interpreter ends an attempt by interrupting it; one that loses a race is interrupted earlier than that. */
const isSilent = (exit: Exit.Exit<Response, TransportError>, tookMillis: number, limitMillis: number): boolean => {
  if (Exit.isSuccess(exit)) return false
  if (Exit.hasInterrupts(exit)) return tookMillis >= limitMillis
  return exit.cause.reasons.some((reason) => reason._tag === "Fail" && isRegions(reason.error.reason))
}

/** No answer, for a reason that may be the region's: what is lacking here says nothing of it. */
const isRegions = (failure: Failure): boolean =>
  hadNoAnswer(failure) && !(failure._tag === "ConnectionFailed" && failure.kind === "shortage")

const baseOf = (region: string, baseUrl: string): Effect.Effect<string, InvalidRegion> => {
  const url = URL.parse(baseUrl)
  const isBase =
    url !== null &&
    (url.protocol === "http:" || url.protocol === "https:") &&
    url.search + url.hash + url.username + url.password === ""
  return isBase
    ? Effect.succeed(url.origin + url.pathname.replace(/\/+$/, ""))
    : Effect.fail(
        new InvalidRegion({
          region,
          problem: "the base URL is not an absolute http:// or https:// URL without credentials, query and fragment"
        })
      )
}

const rebased = (over: Exchanging, base: string): Exchanging =>
  TimeLimit.keepingLike(
    {
      ...over,
      send: (exchange) => {
        const { pathname, search } = new URL(exchange.request.url)
        return over.send({ ...exchange, request: { ...exchange.request, url: base + pathname + search } })
      }
    },
    [over]
  )

const unsendable = (problem: string) => Effect.fail(new TransportError({ reason: new Unsendable({ problem }) }))

const known = (regions: ReadonlyArray<string>): string =>
  regions.length === 0 ? "no region is configured" : `the configured regions are ${regions.join(", ")}`

// no region can be named like this by accident
const ELSEWHERE = "*"
