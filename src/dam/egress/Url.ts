/**
 * Reads the URL of a job or webhook under the egress policy.
 *
 * The raw text is looked at before any parser, because parsers repair: they drop line breaks, turn backslashes around,
 * and read `0x7f.1` as 127.0.0.1. Whatever is written so that two readers could see two destinations is refused.
 *
 * @since 0.1.0
 */
import * as Host from "effect/net/Host"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { DenialReason, denialOf, denialOfName, type EgressPolicy } from "./EgressPolicy.ts"
import { defaultPort } from "../../engine/HostName.ts"

/**
 * A URL that may be called, as far as can be told before its name is resolved.
 *
 * @category models
 * @since 0.1.0
 */
export interface CheckedUrl extends Destination {
  /** The URL in normal form: lower-case ASCII host without a trailing dot, no default port. */
  readonly url: string
  readonly protocol: "http:" | "https:"
}

/**
 * Where a connection goes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Destination {
  /** The address, or the name, in normal form. */
  readonly host: NetAddress.IpAddress | Host.DomainName
  /** The effective port. */
  readonly port: number
}

/**
 * A destination that the egress policy refuses.
 *
 * **Details** — `host` is the canonical host where one could be read. What a name resolved to is not told: it would
 * describe the operator's network to whoever asks.
 *
 * @category errors
 * @since 0.1.0
 */
export class UrlDenied extends Schema.TaggedError<UrlDenied>()("UrlDenied", {
  reason: DenialReason,
  host: Schema.UndefinedOr(Schema.String)
}) {
  override get message() {
    const { host, reason } = this
    const next = OPENED.has(reason) && host !== undefined ? `; ${openedBy(host)}` : ""
    return `${reason}: ${host ?? "the URL"} ${EXPLANATIONS[reason]}${next}`
  }
}

/**
 * Checks a URL without resolving its name.
 *
 * **Details** — an address written in the URL is judged at once; of a name, what its addresses cannot change.
 * **Gotchas** — only half of the door: `EgressResolver.resolve` judges the addresses.
 *
 * @category decoding
 * @since 0.1.0
 */
export const checkUrl = (policy: EgressPolicy, raw: string): Result.Result<CheckedUrl, UrlDenied> => {
  const written = raw.isWellFormed() && !UNFIT.test(raw) ? WRITTEN.exec(raw) : null
  const scheme = written?.groups?.["scheme"]?.toLowerCase()
  if (scheme === undefined) return deny("InvalidUrl")
  if (scheme !== "http" && scheme !== "https") return deny("SchemeNotAllowed")
  const authority = written?.groups?.["authority"]
  const url = authority ? URL.parse(raw) : null
  if (authority === undefined || url === null) return deny("InvalidUrl")
  if (authority.includes("@")) return deny("CredentialsInUrl")
  return Result.flatMap(hostOf(authority.replace(PORT, ""), url.hostname), (host) => {
    const protocol = scheme === "http" ? "http:" : "https:"
    const port = url.port === "" ? defaultPort(protocol) : Number(url.port)
    const reason =
      typeof host === "string" ? denialOfName(policy, host, port) : denialOf(policy, { name: undefined, port }, host)
    if (reason !== undefined) return deny(reason, host)
    if (url.hostname.endsWith(".")) url.hostname = url.hostname.slice(0, -1)
    return Result.succeed({ url: url.href, protocol, host, port })
  })
}

/**
 * Reads a host that a URL parser has put into normal form.
 *
 * @category decoding
 * @since 0.1.0
 */
export const canonicalHost = (hostname: string): Result.Result<Destination["host"], UrlDenied> => {
  // asked only where it may be one: to be told that a name is no address takes longer than all the rest
  if (ADDRESS.test(hostname)) {
    const address = NetAddress.ipFromString(hostname.startsWith("[") ? hostname.slice(1, -1) : hostname)
    if (Result.isSuccess(address)) return Result.succeed(address.success)
  }
  const name = hostname.endsWith(".") ? hostname.slice(0, -1) : hostname
  // a second trailing dot, like a dot alone, would leave an empty label
  return Host.isDomainName(name) && !Host.isFullyQualified(name) ? Result.succeed(name) : deny("InvalidUrl")
}

/**
 * Makes the refusal of a destination.
 *
 * @category constructors
 * @since 0.1.0
 */
export const denied = (reason: DenialReason, host: Destination["host"] | undefined): UrlDenied =>
  new UrlDenied({ reason, host: host === undefined ? undefined : Host.formatHost(host) })

const hostOf = (written: string, hostname: string): Result.Result<Destination["host"], UrlDenied> => {
  if (written.includes("%")) return deny("NonCanonicalHost")
  return Result.flatMap(canonicalHost(hostname), (host): Result.Result<Destination["host"], UrlDenied> => {
    if (typeof host === "string") return Result.succeed(host)
    if (NetAddress.isIpv4Address(host)) {
      return written === hostname ? Result.succeed(host) : deny("NonCanonicalHost", host)
    }
    return written.includes(".") ? deny("EmbeddedIPv4", host) : Result.succeed(host)
  })
}

const deny = (reason: DenialReason, host?: Destination["host"]) => Result.fail(denied(reason, host))

// control characters (C0, DEL, C1), anything that is or looks blank, and the backslash
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const UNFIT = /[\x00-\x1f\x7f-\x9f\s\\]/
const WRITTEN = /^(?<scheme>[a-z][a-z0-9+.-]*):(?:\/\/(?<authority>[^/?#]*))?/i
const ADDRESS = /^[\d.]+$|:/
const PORT = /:\d*$/

/** What an operator can open, and says so at the start of a dam. */
const OPENED: ReadonlySet<DenialReason> = new Set<DenialReason>(["PortNotAllowed", "DeniedAddress", "NameNotAllowed"])

// a target on the machine of whoever tries a dam is refused first of all
const openedBy = (host: string): string =>
  `to allow it, start the dam with --allow-egress ${host}${LOCAL.test(host) ? ", or with --allow-private for all private and loopback addresses" : ""}`

const LOCAL = /^(localhost|.*\.localhost|127\..*|10\..*|192\.168\..*|172\.(1[6-9]|2\d|3[01])\..*|\[(::1|f[cd].*)\])$/

const EXPLANATIONS: { readonly [reason in DenialReason]: string } = {
  InvalidUrl: "is not an absolute URL that every client reads alike",
  SchemeNotAllowed: "must begin with http:// or https://",
  CredentialsInUrl: "must not carry a user name or password; send an Authorization header instead",
  NonCanonicalHost: "must be written as a plain name, a.b.c.d or [IPv6], without percent-encoding",
  PortNotAllowed: "may be called on ports 80, 443, 8080 and 8443 only",
  DeniedAddress: "leads to an address that is not public",
  EmbeddedIPv4: "leads to an IPv6 address that carries an IPv4 one; use the IPv4 address itself",
  NameNotAllowed: "is a name of a local network",
  NameNotResolved: "has no address; check its spelling",
  TooManyAddresses: "has more than 32 addresses"
}
