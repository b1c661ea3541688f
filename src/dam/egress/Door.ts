/**
 * The egress policy at the door: judges the URLs of a submission before anything of it is stored.
 *
 * A busy dam hears of the same few hosts thousands of times a second, so the door remembers a name's addresses for some
 * seconds. That is safe here and only here: what is really connected to is resolved and judged again at the socket.
 *
 * @since 0.1.0
 */
import * as Cache from "effect/Cache"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Dns from "effect/net/Dns"
import type { EgressPolicy } from "./EgressPolicy.ts"
import { admit, type DnsFailed } from "./Resolver.ts"
import type { CheckedUrl, UrlDenied } from "./Url.ts"

/**
 * What a submission's URLs have to pass.
 *
 * @category models
 * @since 0.1.0
 */
export interface EgressDoor {
  /** The policy that holds. */
  readonly policy: EgressPolicy
  /** Checks a URL as it is written, its name and its addresses. */
  readonly admit: (raw: string) => Effect.Effect<CheckedUrl, UrlDenied | DnsFailed>
}

/**
 * Makes a door.
 *
 * **Details** — answers are remembered for 5 seconds, failures for 1, of 1,000 names at most; who asks for a name that is
 * being looked up waits for the same answer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (policy: EgressPolicy): Effect.fn.Return<EgressDoor, never, Dns.Dns> {
  const dns = yield* Dns.Dns
  const answers = yield* Cache.makeWith((name: string) => dns.lookup(name), {
    capacity: 1000,
    timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.seconds(5) : Duration.seconds(1))
  })
  const remembering = Dns.make({ lookup: (name) => Cache.get(answers, name) })
  return { policy, admit: (raw) => Effect.provideService(admit(policy, raw), Dns.Dns, remembering) }
})
