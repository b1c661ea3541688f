/**
 * Which internet addresses there are to call: the public ones, the private ones an operator may open, and the rest.
 *
 * The lists are the IANA special-purpose registries as the egress policy states them. What is not known to be public is
 * refused, so a range that is assigned one day stays closed until somebody opens it.
 *
 * @since 0.1.0
 */
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"

/**
 * What an address is good for.
 *
 * **Details** — `private`: this machine and the networks behind it, what `--allow-private` opens. `embedded`: an IPv6
 * address that carries an IPv4 one, which some gateway would unwrap. `special`: link-local and metadata services,
 * multicast, documentation, carrier-grade NAT and whatever else is nobody's web server.
 *
 * @category models
 * @since 0.1.0
 */
export type AddressKind = "public" | "private" | "embedded" | "special"

/**
 * Tells what an address is good for.
 *
 * @category accessors
 * @since 0.1.0
 */
export const kindOf = (address: NetAddress.IpAddress): AddressKind =>
  NetAddress.isIpv4Address(address) ? kindOfIpv4(address) : kindOfIpv6(address)

/**
 * Tells whether one of the ranges holds the address.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isWithin = (ranges: ReadonlyArray<IpNetwork.IpNetwork>, address: NetAddress.IpAddress): boolean =>
  ranges.some((range) => IpNetwork.contains(range, address))

const kindOfIpv4 = (address: NetAddress.Ipv4Address): AddressKind => {
  if (isWithin(PRIVATE_V4, address)) return "private"
  return isWithin(SPECIAL_V4, address) ? "special" : "public"
}

const kindOfIpv6 = (address: NetAddress.Ipv6Address): AddressKind => {
  if (isWithin(PRIVATE_V6, address)) return isWithin(METADATA_V6, address) ? "special" : "private"
  if (NetAddress.isUnspecified(address)) return "special"
  if (isWithin(EMBEDDING, address) || isIsatap(address)) return "embedded"
  return isWithin(GLOBAL_V6, address) && !isWithin(SPECIAL_V6, address) ? "public" : "special"
}

/** RFC 5214: under any prefix, the lower half names an IPv4 address behind a tunnel. */
const isIsatap = (address: NetAddress.Ipv6Address): boolean => {
  const segments = NetAddress.ipv6ToSegments(address)
  return (segments[4] & ~0x0200) === 0 && segments[5] === 0x5efe
}

const ranges = (...texts: ReadonlyArray<string>) => texts.map(IpNetwork.fromStringUnsafe)

const PRIVATE_V4 = ranges("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")

const SPECIAL_V4 = ranges(
  "0.0.0.0/8",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  // a cloud's own platform service, reachable from every machine in it
  "168.63.129.16/32"
)

const PRIVATE_V6 = ranges("::1/128", "fc00::/7")

// clouds put what hands out credentials inside the private range too
const METADATA_V6 = ranges("fd00:ec2::/32", "fd20:ce::/32")

const GLOBAL_V6 = ranges("2000::/3")

const SPECIAL_V6 = ranges("2001::/23", "2001:db8::/32", "3fff::/20")

const EMBEDDING = ranges(
  "::/96", // compatible
  "::ffff:0:0/96", // mapped
  "::ffff:0:0:0/96", // translated
  "64:ff9b::/96", // NAT64
  "64:ff9b:1::/48", // NAT64 of a network's own
  "2001::/32", // Teredo
  "2002::/16" // 6to4
)
