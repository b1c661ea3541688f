/**
 * The regions of a dam: which way a name leaves, and which names nobody configured.
 *
 * A name that is not configured leaves from here. Names that leave the same way are one place: they are one start of a
 * race, and no reroute of each other.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Dns from "effect/net/Dns"
import type * as Scope from "effect/Scope"
import * as Direct from "../../transport/Direct.ts"
import type { Exchanging } from "../../transport/HttpTransport.ts"
import * as RegionalTransport from "../../transport/RegionalTransport.ts"
import * as TimeLimit from "../../transport/TimeLimit.ts"
import * as UndiciTransport from "../../transport/UndiciTransport.ts"
import { userAgent } from "../../transport/Version.ts"
import * as EgressConnector from "./Connector.ts"
import type { EgressPolicy } from "./EgressPolicy.ts"
import * as Region from "./Region.ts"
import * as RegionDam from "./OtherDam.ts"

/**
 * What the regions of a dam are made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegionsOptions {
  /** The configured names. Defaults to none. */
  readonly regions?: { readonly [name: string]: Region.RegionOptions } | undefined
  readonly egress: EgressPolicy
  /** Largest answer to a job that is kept, in bytes. Defaults to 1 MiB. */
  readonly maxResponseBytes?: number | undefined
  /** Follows the 307 and 308 of webhooks, with the same bytes. Defaults to `false`. */
  readonly webhookRedirects?: boolean | undefined
  /** How long a connection may take, a proxy's included. Defaults to 5 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
}

/**
 * The ways out of a dam.
 *
 * @category models
 * @since 0.1.0
 */
export interface Regions {
  /** Calls targets. */
  readonly transport: Exchanging
  /** Calls webhooks, of whose answers little is kept. */
  readonly webhooks: Exchanging
  /** Asks receivers to prove themselves: 16 KiB of an answer, each call made once. */
  readonly proofs: Exchanging
  /** The configured names and what they are. */
  readonly configured: Readonly<Record<string, Region.Kind>>
  /** Names that jobs and webhooks used and nobody configured, 32 at most. */
  readonly unconfigured: () => ReadonlyArray<string>
}

/**
 * Makes the ways out; their connections are closed with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: RegionsOptions
): Effect.fn.Return<Regions, RegionalTransport.InvalidRegion, Dns.Dns | Scope.Scope> {
  const ways = new Map<string, Ways>()
  const open = Effect.fnUntraced(function* (way: Region.Way) {
    const identity = Region.identityOf(way)
    const known = ways.get(identity) ?? (yield* waysOf(way, options))
    ways.set(identity, known)
    return known
  })
  const here = yield* open({ _tag: "Direct" })
  const pairs: Array<readonly [string, Ways]> = []
  for (const [name, region] of Object.entries(options.regions ?? {})) {
    pairs.push([name, yield* open(yield* Effect.fromResult(Region.parse(name, region)))])
  }
  const regional = (of: keyof Ways) =>
    RegionalTransport.make(Object.fromEntries(pairs.map(([name, pair]) => [name, pair[of]])), { default: here[of] })

  const configured = new Map(Object.entries(options.regions ?? {}).map(([name, it]) => [name, Region.kindOf(it)]))
  const unconfigured = new Set<string>()
  const note = (region: string | undefined): void => {
    if (region === undefined || configured.has(region) || unconfigured.size >= maxNoted) return
    unconfigured.add(region.slice(0, longestNoted))
  }
  // a race of names that leave from here sends one of them only, but asks for the place of each
  const noting = (transport: Exchanging): Exchanging => {
    const { egress = itself, send, ...rest } = transport
    const made: Exchanging = {
      ...rest,
      egress: (region) => {
        note(region)
        return egress(region)
      },
      send: (exchange) => {
        note(exchange.region)
        return send(exchange)
      }
    }
    // what names no region is not noted
    return TimeLimit.keepingLike(Direct.begunLike(made, transport), [transport])
  }
  return {
    transport: noting(yield* regional("transport")),
    webhooks: noting(yield* regional("webhooks")),
    proofs: yield* regional("proofs"),
    configured: Object.fromEntries(configured),
    unconfigured: () => [...unconfigured]
  }
})

/** One way out, for targets, for webhooks and for proofs of receivers: the same connections, other limits. */
interface Ways {
  readonly transport: Exchanging
  readonly webhooks: Exchanging
  readonly proofs: Exchanging
}

const waysOf = Effect.fnUntraced(function* (way: Region.Way, options: RegionsOptions) {
  const maxResponseBytes = options.maxResponseBytes ?? 1_048_576
  if (way._tag === "Dam") {
    const transport = yield* RegionDam.make(way, maxResponseBytes)
    return { transport, webhooks: transport, proofs: yield* RegionDam.make(way, proofBytes) }
  }
  const dispatcher = yield* EgressConnector.dispatcher(options.egress, {
    connectTimeout: options.connectTimeout,
    proxy: way._tag === "Proxy" ? way : undefined
  })
  const over = (limit: number, atLeastOnce: boolean, followRedirects: false | "sameRequest" = false) =>
    UndiciTransport.make({ dispatcher, followRedirects, maxResponseBytes: limit, atLeastOnce, userAgent })
  return {
    transport: yield* over(maxResponseBytes, false),
    webhooks: yield* over(webhookBytes, true, options.webhookRedirects === true && "sameRequest"),
    proofs: yield* over(proofBytes, false)
  }
})

const itself = (region: string): string => region

const webhookBytes = 4096
const proofBytes = 16_384
const maxNoted = 32
const longestNoted = 64
