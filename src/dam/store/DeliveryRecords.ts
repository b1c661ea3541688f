/**
 * Deliveries as the store knows them, and the port to them.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { DeliveryState } from "../../engine/JobState.ts"
import type { DeliveryAttempt, Endpoint, DeadReason, DeadLetter, StoredDelivery } from "../job/Delivery.ts"
import type { StoreError } from "./StoreError.ts"

/**
 * What dead letters are selected by; what is left out does not restrict.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeadLetterFilter {
  readonly customer: string
  readonly deliveryId?: string | undefined
  readonly jobId?: string | undefined
  /** A host with its port, or without for all its ports. */
  readonly host?: string | undefined
  /** The endpoint, exactly. */
  readonly url?: string | undefined
  /** Given up at this moment or later, in epoch milliseconds. */
  readonly since?: number | undefined
  /** Given up at this moment or earlier. */
  readonly until?: number | undefined
  /** Of jobs that ended at this moment or later. */
  readonly endedSince?: number | undefined
  /** Given up for one of these reasons. */
  readonly reasons?: ReadonlyArray<DeadReason> | undefined
}

/**
 * When an endpoint is disabled, and how often it is probed then.
 *
 * @category models
 * @since 0.1.0
 */
export interface EndpointRule {
  /** Failed attempts in a row, at least. */
  readonly failures: number
  /** Milliseconds since the first of them, at least. */
  readonly failingMillis: number
  /** Milliseconds between two probes of a disabled endpoint. */
  readonly probeMillis: number
}

/**
 * What an attempt to deliver changed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settlement {
  /** The job's delivery state now. */
  readonly deliveryState: DeliveryState
  /** What became of the endpoint, where that changed. */
  readonly endpoint: "enabled" | "disabled" | undefined
  /** Since when the endpoint had failed that took this one, in epoch milliseconds; `undefined` where it had not. */
  readonly recoveredFrom?: number | undefined
}

/**
 * What follows from an attempt to deliver. `spends`: whether the attempt counts for the schedule; one that does not is
 * kept all the same.
 *
 * @category models
 * @since 0.1.0
 */
export type NextDelivery =
  | { readonly _tag: "Again"; readonly dueAt: number; readonly spends: boolean }
  | { readonly _tag: "Delivered" }
  | { readonly _tag: "Dead"; readonly reason: DeadReason; readonly at: number }

/**
 * A delivery that is due, and what is known of where it goes.
 *
 * @category models
 * @since 0.1.0
 */
export interface DueDelivery extends StoredDelivery {
  /** There where the endpoint is disabled. */
  readonly disabled: { readonly reason: "gone" | "failing"; readonly probeAt: number } | undefined
}

/**
 * The outbox: what is due, what became of it, dead letters, and the endpoints they go to.
 *
 * @category ports
 * @since 0.1.0
 */
export interface DeliveryPort {
  /** Lanes that have pending deliveries, due or not. */
  readonly deliveryLanes: Effect.Effect<ReadonlyArray<string>, StoreError>
  /** Pending deliveries that are due, oldest first, at most `limit`, leaving out the ids already under way; of one lane, or of all. */
  readonly dueDeliveries: (
    now: number,
    limit: number,
    except: ReadonlySet<string>,
    lane?: string
  ) => Effect.Effect<
    { readonly deliveries: ReadonlyArray<DueDelivery>; readonly nextDueAt: number | undefined },
    StoreError
  >
  /**
   * Notes an attempt, where there was one; `next` is the time of the next one, or the end. Settles the job's delivery
   * state by its quorum. A delivery that is settled stays as it is, and so does its endpoint.
   *
   * A good attempt forgets the failures of the endpoint and enables it; what waits for it is then due at once. Another
   * counts as a failure: by `rule` the endpoint is disabled, and what waits for it is not due before its next probe. A
   * 410 disables it at once, and what waits for it is due, to be given up.
   */
  readonly settleDelivery: (
    id: string,
    attempt: DeliveryAttempt | undefined,
    next: NextDelivery,
    rule: EndpointRule
  ) => Effect.Effect<Settlement, StoreError>
  readonly deliveries: (jobId: string) => Effect.Effect<ReadonlyArray<StoredDelivery>, StoreError>
  /** A page of dead letters, the newest job first; `cursor` as in `list`. */
  readonly deadLetters: (
    filter: DeadLetterFilter & { readonly cursor?: string | undefined; readonly limit: number }
  ) => Effect.Effect<
    { readonly deadLetters: ReadonlyArray<DeadLetter>; readonly cursor: string | undefined },
    StoreError
  >
  /**
   * dead -> pending for at most `limit` dead letters, oldest job first: the first is due at `now`, each further one
   * `spacing` milliseconds later. Their attempts are kept, their schedule begins anew, and their jobs are pending again
   * as far as a quorum is in reach. `cursor` goes on behind an earlier portion; without one there are no more.
   */
  readonly replay: (
    filter: DeadLetterFilter & { readonly cursor?: string | undefined; readonly limit: number },
    now: number,
    spacing: number
  ) => Effect.Effect<
    { readonly replayed: number; readonly lanes: ReadonlyArray<string>; readonly cursor: string | undefined },
    StoreError
  >
  /** Deletes at most `limit` dead letters; answers how many. Their jobs stay as they are. */
  readonly purge: (filter: DeadLetterFilter, limit: number) => Effect.Effect<number, StoreError>
  /** Endpoints of a customer that fail or are disabled, the disabled ones first, at most 1,000. */
  readonly endpoints: (customer: string) => Effect.Effect<ReadonlyArray<Endpoint>, StoreError>
  /** Forgets the failures of an endpoint; what waits for it is due at once. Answers what was known of it. */
  readonly enableEndpoint: (
    customer: string,
    url: string,
    now: number
  ) => Effect.Effect<Endpoint | undefined, StoreError>
  /** Moves the next probe of a disabled endpoint, and whatever of it is due before, to a moment. */
  readonly holdEndpoint: (customer: string, url: string, until: number) => Effect.Effect<void, StoreError>
}
