/**
 * The last check, at the socket: a connection goes to an address that was judged for this very connection.
 *
 * What the door saw may be hours old when a job runs, and a name's owner may answer differently each time. So each new
 * connection resolves again, judges all answers, and hands the socket these addresses instead of the name. There is no
 * second lookup between check and connect that could be answered otherwise. Connections kept alive stay where they are.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import type * as Scope from "effect/Scope"
import type { LookupFunction } from "node:net"
import { Agent, buildConnector, type Dispatcher } from "undici"
import * as Interim from "../../transport/Interim.ts"
import { defaultPort } from "../../engine/HostName.ts"
import type { EgressPolicy } from "./EgressPolicy.ts"
import type { Proxy } from "./Region.ts"
import { type Addresses, type DnsFailed, resolve } from "./Resolver.ts"
import * as EgressTunnel from "./Tunnel.ts"
import { canonicalHost, type UrlDenied } from "./Url.ts"

/**
 * How connections are made.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectorOptions {
  /** How long a connection may take once its addresses are known. Defaults to 5 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
  /** Connects through this proxy. The policy judges the target as ever; the proxy itself is taken as allowed. */
  readonly proxy?: Proxy | undefined
}

/**
 * Makes a dispatcher for `UndiciTransport` that reaches what the policy allows and nothing else. Closed with the scope.
 *
 * **Details** — a refused call fails before anything is sent. HTTP/1.1 only.
 *
 * @category constructors
 * @since 0.1.0
 */
export const dispatcher = (
  policy: EgressPolicy,
  options: ConnectorOptions = {}
): Effect.Effect<Dispatcher, never, Dns.Dns | Scope.Scope> =>
  Effect.flatMap(connector(policy, options), (connect) =>
    Effect.acquireRelease(
      Effect.sync((): Dispatcher => new Agent({ allowH2: false, connect })),
      (agent) => Effect.promise(() => agent.destroy())
    )
  )

/**
 * Makes the `connect` function of an undici agent. Lookups under way end with the scope.
 *
 * **Details** — behind a proxy it is the proxy that connects: the name is resolved here all the same, and the proxy is
 * asked for the address, for http targets too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const connector = Effect.fnUntraced(function* (policy: EgressPolicy, options: ConnectorOptions = {}) {
  const run = yield* FiberSet.makeRuntime<Dns.Dns>()
  const limit = Duration.fromInputUnsafe(options.connectTimeout ?? Duration.seconds(5))
  const settings = { allowH2: false, maxCachedSessions: 0, timeout: Duration.toMillis(limit) }
  const { proxy } = options
  const connect: buildConnector.connector = (target, callback) => {
    const connected = (addresses: Addresses): Effect.Effect<void, Error> =>
      proxy === undefined
        ? Effect.sync(() => buildConnector({ ...settings, lookup: pinned(addresses) })(target, callback))
        : Effect.map(EgressTunnel.open(proxy, addresses, portOf(target), limit), (socket) =>
            target.protocol === "https:"
              ? buildConnector(settings)({ ...target, httpSocket: socket }, callback)
              : callback(null, socket)
          )
    const way = Effect.flatMap(Effect.mapError(addressesOf(policy, target), errorOf), connected)
    run(Effect.match(way, { onFailure: (error) => callback(error, null), onSuccess: () => undefined }))
  }
  return Interim.skipping(connect)
})

/**
 * Makes a `lookup` for a socket that knows these addresses only, whatever it is asked.
 *
 * **Details** — serves both shapes: since Node 20 a socket asks for all answers as a list, unless `autoSelectFamily` is
 * off.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pinned = (addresses: Addresses): LookupFunction => {
  const known = addresses.map((address) => ({
    address: NetAddress.formatIp(address),
    family: NetAddress.isIpv4Address(address) ? 4 : 6
  }))
  return (hostname, { all, family }, callback) => {
    const fitting = known.filter((answer) => isOf(family, answer.family))
    const first = fitting[0]
    if (first === undefined) callback(notFound(hostname, "no address of the family that the socket wants"), "")
    else if (all === true) callback(null, fitting)
    else callback(null, first.address, first.family)
  }
}

const addressesOf = (
  policy: EgressPolicy,
  target: buildConnector.Options
): Effect.Effect<Addresses, UrlDenied | DnsFailed, Dns.Dns> =>
  Effect.flatMap(Effect.fromResult(canonicalHost(target.hostname)), (host) =>
    resolve(policy, { host, port: portOf(target) })
  )

const portOf = ({ port, protocol }: buildConnector.Options): number =>
  port === "" ? defaultPort(protocol) : Number(port)

const isOf = (wanted: number | "IPv4" | "IPv6" | undefined, family: number): boolean =>
  wanted === undefined || wanted === 0 || wanted === family || wanted === `IPv${family}`

/** The codes that undici and Node use themselves, so that one table of causes reads them all. */
const errorOf = (refusal: UrlDenied | DnsFailed): Error => {
  if (refusal._tag === "DnsFailed") return coded("EAI_AGAIN", refusal.message, refusal)
  return refusal.reason === "NameNotResolved"
    ? notFound(refusal.host ?? "", refusal.message)
    : coded("UND_ERR_INVALID_ARG", refusal.message, refusal)
}

const notFound = (hostname: string, message: string): NodeJS.ErrnoException =>
  Object.assign(coded("ENOTFOUND", message), { hostname })

const coded = (code: string, message: string, cause?: Error): NodeJS.ErrnoException =>
  Object.assign(new Error(message, { cause }), { code })
