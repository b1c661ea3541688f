/**
 * Resolves a checked URL and judges every address behind it.
 *
 * One bad answer among good ones condemns the name: whoever controls it could serve the bad one to the next lookup.
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Dns from "effect/net/Dns"
import type * as NetAddress from "effect/net/NetAddress"
import * as Schema from "effect/Schema"
import { denialOf, type EgressPolicy } from "./EgressPolicy.ts"
import { type CheckedUrl, checkUrl, denied, type Destination, type UrlDenied } from "./Url.ts"

/**
 * The addresses that may be connected to, in the resolver's order.
 *
 * @category models
 * @since 0.1.0
 */
export type Addresses = Arr.NonEmptyReadonlyArray<NetAddress.IpAddress>

/**
 * The name server gave no answer: nothing is known about the name, and asking again may help.
 *
 * @category errors
 * @since 0.1.0
 */
export class DnsFailed extends Schema.TaggedError<DnsFailed>()("DnsFailed", {
  host: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the name server gave no answer about ${this.host} (${this.detail}); try again later`
  }
}

/**
 * How long a lookup may take.
 *
 * @category bounds
 * @since 0.1.0
 */
export const LOOKUP_LIMIT: Duration.Duration = Duration.seconds(5)

/**
 * How many addresses a name may have.
 *
 * @category bounds
 * @since 0.1.0
 */
export const MAX_ADDRESSES = 32

/**
 * Finds the addresses of a destination; fails unless every one of them may be called.
 *
 * **Details** — an address stands for itself and is judged too. A lookup takes at most {@link LOOKUP_LIMIT}.
 * **Gotchas** — the next lookup may answer something else: connect to what this one returned, as `EgressConnector` does.
 *
 * @category verbs
 * @since 0.1.0
 */
export const resolve = (
  policy: EgressPolicy,
  destination: Destination
): Effect.Effect<Addresses, UrlDenied | DnsFailed, Dns.Dns> => {
  const { host, port } = destination
  if (typeof host !== "string") return judge(policy, destination, [host])
  return Dns.Dns.use((dns) => dns.lookup(host)).pipe(
    Effect.mapError((error) =>
      error.reason === "NotFound" || error.reason === "BadName"
        ? denied("NameNotResolved", host)
        : new DnsFailed({ host, detail: error.reason })
    ),
    Effect.timeoutOrElse({
      duration: LOOKUP_LIMIT,
      orElse: () => Effect.fail(new DnsFailed({ host, detail: `within ${Duration.format(LOOKUP_LIMIT)}` }))
    }),
    Effect.flatMap((addresses) => judge(policy, { host, port }, addresses))
  )
}

/**
 * The whole door: checks the URL as it is written, resolves its name and judges the addresses.
 *
 * @category verbs
 * @since 0.1.0
 */
export const admit = (policy: EgressPolicy, raw: string): Effect.Effect<CheckedUrl, UrlDenied | DnsFailed, Dns.Dns> =>
  Effect.flatMap(Effect.fromResult(checkUrl(policy, raw)), (checked) => Effect.as(resolve(policy, checked), checked))

const judge = (
  policy: EgressPolicy,
  { host, port }: Destination,
  addresses: Addresses
): Effect.Effect<Addresses, UrlDenied> => {
  if (addresses.length > MAX_ADDRESSES) return Effect.fail(denied("TooManyAddresses", host))
  const name = typeof host === "string" ? host : undefined
  for (const address of addresses) {
    const reason = denialOf(policy, { name, port }, address)
    if (reason !== undefined) return Effect.fail(denied(reason, host))
  }
  return Effect.succeed(addresses)
}
