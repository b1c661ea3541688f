/**
 * What a receiver remembers: which events it has handled, what they said, and the steps that wait for them.
 *
 * An event is *claimed* before it is handled and *settled* after. A claim that nobody settles, because the process
 * died, ends by itself, and the sender's next attempt is handled as if it were the first. So an event is handled at
 * least once, one handler at a time, and never again once it was settled as handled.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * What claiming an event came to: this caller handles it; it was handled before; another is at it.
 *
 * @category models
 * @since 0.1.0
 */
export type Claim = "Claimed" | "Handled" | "Busy"

/**
 * An event to claim.
 *
 * @category models
 * @since 0.1.0
 */
export interface Claiming {
  readonly id: string
  /** The body of the webhook as it came: what waiters are told, also after a restart. */
  readonly body: string
  /** Names the caller among all that may claim; a claim is settled under the same token. */
  readonly token: string
  /** Epoch milliseconds. */
  readonly now: number
  /** Epoch milliseconds at which the claim ends by itself. */
  readonly claimedUntil: number
  /** Epoch milliseconds after which the event may be forgotten. */
  readonly keepUntil: number
}

/**
 * The store could not answer.
 *
 * @category errors
 * @since 0.1.0
 */
export class EventStoreFailed extends Schema.TaggedError<EventStoreFailed>()("EventStoreFailed", {
  problem: Schema.String
}) {
  override get message(): string {
    return `The store of received webhooks failed: ${this.problem}`
  }
}

/**
 * Where a receiver remembers.
 *
 * @category services
 * @since 0.1.0
 */
export interface EventStore {
  /** Whether what it holds outlives the process. Only then may steps be kept back from a job to be run here. */
  readonly isDurable: boolean
  /** Claims an event in one step that two callers cannot both take; forgets what is past its time. */
  readonly claim: (claiming: Claiming) => Effect.Effect<Claim, EventStoreFailed>
  /** Marks an event as handled for good, or gives the claim back. Without effect for another token. */
  readonly settle: (id: string, token: string, isHandled: boolean) => Effect.Effect<void, EventStoreFailed>
  /** The body of an event that came, handled or not. */
  readonly find: (id: string) => Effect.Effect<string | undefined, EventStoreFailed>
  /** Keeps a text under a name until a time; the same name again keeps the later time. */
  readonly keep: (name: string, text: string, keepUntil: number) => Effect.Effect<void, EventStoreFailed>
  /** What is kept under a name. */
  readonly kept: (name: string) => Effect.Effect<string | undefined, EventStoreFailed>
}
