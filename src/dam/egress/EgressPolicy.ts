/**
 * Where the dam may call: the one rule that jobs, fallbacks, children and webhooks obey.
 *
 * By default it is the public web and nothing else: http and https, on web ports, at public addresses, under public
 * names. An operator opens more, and never by accident: private addresses as a whole, a host by its name, or a range.
 * What is opened is open on any port. How a URL must be written is not for sale: the form rules hold always.
 *
 * @since 0.1.0
 */
import * as Host from "effect/net/Host"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { isWithin, kindOf } from "./Address.ts"

/**
 * Where the dam may call.
 *
 * @category models
 * @since 0.1.0
 */
export interface EgressPolicy {
  /** Private and loopback addresses, and the local names that resolve to them. */
  readonly allowPrivate: boolean
  /** Names whose public and private addresses are open. Lower case, without a trailing dot. */
  readonly hosts: ReadonlySet<string>
  /** Addresses that are open, whatever they are. */
  readonly ranges: ReadonlyArray<IpNetwork.IpNetwork>
}

/**
 * What an operator opens.
 *
 * @category models
 * @since 0.1.0
 */
export interface EgressOptions {
  /** Private and loopback addresses and the local names that resolve to them, any port. Defaults to `false`. */
  readonly allowPrivate?: boolean | undefined
  /**
   * Hosts and ranges, any port: `billing.corp`, `10.1.2.3`, `10.1.0.0/16`, `fd12::/48`. A name opens its private
   * addresses too; link-local and other special addresses are opened by a range only. Defaults to none.
   */
  readonly allowEgress?: ReadonlyArray<string> | undefined
}

/**
 * Why a destination is refused.
 *
 * @category errors
 * @since 0.1.0
 */
export const DenialReason = Schema.Literals([
  "InvalidUrl",
  "SchemeNotAllowed",
  "CredentialsInUrl",
  "NonCanonicalHost",
  "PortNotAllowed",
  "DeniedAddress",
  "EmbeddedIPv4",
  "NameNotAllowed",
  "NameNotResolved",
  "TooManyAddresses"
])

/**
 * Why a destination is refused.
 *
 * @category errors
 * @since 0.1.0
 */
export type DenialReason = typeof DenialReason.Type

/**
 * An entry of `allowEgress` that names neither a host nor a range.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidEgressEntry extends Schema.TaggedError<InvalidEgressEntry>()("InvalidEgressEntry", {
  entry: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `allow-egress ${JSON.stringify(this.entry)}: ${this.problem}; expected a host name, an address, or a range such as 10.1.0.0/16`
  }
}

/**
 * Makes a policy; fails with the first entry that cannot be read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: EgressOptions = {}): Result.Result<EgressPolicy, InvalidEgressEntry> =>
  Result.map(Result.all((options.allowEgress ?? []).map(opening)), (openings) => ({
    allowPrivate: options.allowPrivate ?? false,
    hosts: new Set(openings.filter((opened) => typeof opened === "string")),
    ranges: openings.filter((opened) => typeof opened !== "string")
  }))

/**
 * The public web and nothing else: what holds for jobs that came over HTTP until an operator says otherwise.
 *
 * @category constants
 * @since 0.1.0
 */
export const publicOnly: EgressPolicy = { allowPrivate: false, hosts: new Set(), ranges: [] }

/**
 * Every address, name and port: for an engine in process, whose caller could call them himself.
 *
 * @category constants
 * @since 0.1.0
 */
export const open: EgressPolicy = {
  allowPrivate: true,
  hosts: new Set(),
  ranges: ["0.0.0.0/0", "::/0"].map(IpNetwork.fromStringUnsafe)
}

/**
 * Says in a line what is open, for the log of a start and for `/health`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const describe = (self: EgressPolicy): string => {
  const ranges = self.ranges.map(IpNetwork.format)
  if (ranges.includes("0.0.0.0/0") && ranges.includes("::/0")) return EVERYTHING
  return ["public addresses", ...(self.allowPrivate ? ["private addresses"] : []), ...self.hosts, ...ranges].join(", ")
}

/**
 * Tells why one address of a destination is refused; `undefined` when it may be called.
 *
 * **Details** — `name` is the canonical name that the address was resolved from, `undefined` for an address that was
 * written in the URL itself.
 *
 * @category accessors
 * @since 0.1.0
 */
export const denialOf = (
  self: EgressPolicy,
  { name, port }: { readonly name: string | undefined; readonly port: number },
  address: NetAddress.IpAddress
): DenialReason | undefined => {
  if (isWithin(self.ranges, address)) return undefined
  const kind = kindOf(address)
  const isNamed = name !== undefined && self.hosts.has(name)
  if (kind === "private" && (self.allowPrivate || isNamed)) return undefined
  if (!isNamed) {
    if (!WEB_PORTS.has(port)) return "PortNotAllowed"
    if (name !== undefined && isLocalName(name)) return "NameNotAllowed"
  }
  if (kind === "embedded") return "EmbeddedIPv4"
  return kind === "public" ? undefined : "DeniedAddress"
}

/**
 * Tells why a name is refused whatever it resolves to; `undefined` when its addresses decide.
 *
 * @category accessors
 * @since 0.1.0
 */
export const denialOfName = (self: EgressPolicy, name: string, port: number): DenialReason | undefined => {
  if (self.allowPrivate || self.ranges.length > 0 || self.hosts.has(name)) return undefined
  if (!WEB_PORTS.has(port)) return "PortNotAllowed"
  return isLocalName(name) ? "NameNotAllowed" : undefined
}

/**
 * Tells whether the operator opened this very host: by its name, by its address, or with everything.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isOpened = (self: EgressPolicy, host: NetAddress.IpAddress | string): boolean =>
  typeof host === "string" ? self.hosts.has(host) || isEverything(self) : isWithin(self.ranges, host)

/**
 * Tells whether there is nothing that it refuses.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isEverything = (self: EgressPolicy): boolean => describe(self) === EVERYTHING

/** Names that mean something in one network only, or nothing anywhere. */
const isLocalName = (name: string): boolean =>
  !name.includes(".") || LOCAL_NAMES.some((local) => name === local || name.endsWith(`.${local}`))

type Opening = string | IpNetwork.IpNetwork

const opening = (entry: string): Result.Result<Opening, InvalidEgressEntry> =>
  Result.mapError(
    entry.includes("/") ? IpNetwork.fromString(entry) : hostOrAddress(entry),
    ({ message }) => new InvalidEgressEntry({ entry, problem: message })
  )

const hostOrAddress = (entry: string): Result.Result<Opening, NetAddress.NetAddressError> =>
  Result.flatMap(Host.hostFromString(entry), (host): Result.Result<Opening, NetAddress.NetAddressError> => {
    if (typeof host !== "string") return IpNetwork.make(host, NetAddress.width(host))
    return Host.isDomainName(host)
      ? Result.succeed(Host.toRelative(host))
      : Result.fail(new NetAddress.NetAddressError({ input: entry, message: "zones are not supported" }))
  })

const EVERYTHING = "every address"

const WEB_PORTS: ReadonlySet<number> = new Set([80, 443, 8080, 8443])

const LOCAL_NAMES = [
  "localhost",
  "local",
  "internal",
  "home.arpa",
  "lan",
  "intranet",
  "corp",
  "onion",
  "test",
  "invalid"
]
