/**
 * Where the dam keeps its truth. A port: what a store must do is said by its conformance suite.
 *
 * Every method is one transaction, durable when it answers; concurrent calls may share a commit. Reads see every write
 * that was answered before they began. Writes of an execution carry its epoch, and a store refuses an older one with
 * `StaleEpoch`, so that an owner that was thought dead cannot overwrite its successor.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Attempt } from "../../step/History.ts"
import type { Ahead, LaneLogEntry, StoredSteering, LaneCounts, StoredPace } from "./LaneRecords.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import type { DeliveryAttempt, Endpoint, DeadReason, DeadLetter, StoredDelivery } from "../job/Delivery.ts"
import type { StaleEpoch, StoreError } from "./StoreError.ts"
import type { Enqueued, Finish, JobFilter, Ticket } from "./JobRecords.ts"
import type { DeadLetterFilter, DueDelivery, EndpointRule, Settlement } from "./DeliveryRecords.ts"
import type { StoredSecrets } from "./SecretRecords.ts"
import type { StoredTrust } from "./TrustRecords.ts"
import type { StoreStats } from "./Upkeep.ts"

/**
 * The durable store of the dam.
 *
 * @category services
 * @since 0.1.0
 */
export class JobStore extends Context.Service<
  JobStore,
  {
    /** Files a job unless its key is known. Answers after the commit. A job with `rerunOf` skips the key index. */
    readonly enqueue: (job: NewJob) => Effect.Effect<Enqueued, StoreError>
    readonly get: (id: string) => Effect.Effect<StoredJob | undefined, StoreError>
    /** A page of jobs. It may end before `limit` when its jobs are large; without a `cursor` it is the last. */
    readonly list: (
      filter: JobFilter
    ) => Effect.Effect<{ readonly jobs: ReadonlyArray<StoredJob>; readonly cursor: string | undefined }, StoreError>

    /** Lanes that have queued jobs. */
    readonly lanes: Effect.Effect<ReadonlyArray<string>, StoreError>
    /** The accounts of a lane that have queued jobs, so that each gets its turn however long the queue of another is. */
    readonly accounts: (lane: string) => Effect.Effect<ReadonlyArray<string>, StoreError>
    /** The next queued jobs of one account in a lane behind `after`, in order; ids only. */
    readonly page: (
      lane: string,
      account: string,
      after: number,
      limit: number
    ) => Effect.Effect<ReadonlyArray<Ticket>, StoreError>
    /** queued -> running with the next epoch; `undefined` when it is not queued any more. */
    readonly start: (id: string, at: number) => Effect.Effect<StoredJob | undefined, StoreError>
    /** Adds an attempt to the history of a running job. */
    readonly record: (id: string, epoch: number, attempt: Attempt) => Effect.Effect<void, StoreError | StaleEpoch>
    /** running -> parked until `dueAt`. `heldSince` notes the job's own first 429; a later one changes nothing. */
    readonly park: (
      id: string,
      epoch: number,
      dueAt: number,
      heldSince: number | undefined
    ) => Effect.Effect<void, StoreError | StaleEpoch>
    /** Ends a running job: result, children and deliveries in one transaction. */
    readonly finish: (id: string, epoch: number, finish: Finish) => Effect.Effect<void, StoreError | StaleEpoch>
    /** Ends a job that is not running (cancelled, deadline passed). `false` when it is running or final. */
    readonly finishIdle: (id: string, finish: Finish) => Effect.Effect<boolean, StoreError>
    /**
     * scheduled and parked jobs whose time has come -> queued, in their old place; answers the lanes concerned and when
     * the next is due. Many are released in portions: `nextDueAt` is not after `now` while there are more.
     */
    readonly release: (
      now: number
    ) => Effect.Effect<{ readonly lanes: ReadonlyArray<string>; readonly nextDueAt: number | undefined }, StoreError>
    /**
     * Jobs that are not running and whose `onFailureTimeout` has passed, the longest overdue first; it counts from
     * acceptance, or from `notBefore` where that is later. Answers when the next one will be.
     */
    readonly overdue: (
      now: number,
      limit: number
    ) => Effect.Effect<{ readonly ids: ReadonlyArray<string>; readonly nextAt: number | undefined }, StoreError>
    /** After a crash: everything running is queued again with its history, in its old place. Answers how many. */
    readonly recover: Effect.Effect<number, StoreError>
    /** How many queued jobs a lane has. */
    readonly depth: (lane: string) => Effect.Effect<number, StoreError>
    /** How many queued jobs of the lane stand before this one. */
    readonly position: (id: string) => Effect.Effect<number | undefined, StoreError>

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
      next:
        /** `spends`: whether the attempt counts for the schedule; one that does not is kept all the same. */
        | { readonly _tag: "Again"; readonly dueAt: number; readonly spends: boolean }
        | { readonly _tag: "Delivered" }
        | { readonly _tag: "Dead"; readonly reason: DeadReason; readonly at: number },
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

    readonly secrets: (customer: string) => Effect.Effect<StoredSecrets | undefined, StoreError>
    readonly everySecret: Effect.Effect<ReadonlyArray<StoredSecrets & { readonly customer: string }>, StoreError>
    /** A setting of the dam itself. */
    readonly setting: (name: string) => Effect.Effect<string | undefined, StoreError>
    /** Sets secrets and settings together; of what they replace nothing is left on disk. */
    readonly putSecrets: (
      secrets: ReadonlyArray<StoredSecrets & { readonly customer: string }>,
      settings: ReadonlyArray<readonly [name: string, value: string]>
    ) => Effect.Effect<void, StoreError>
    readonly setSecrets: (customer: string, secrets: StoredSecrets | undefined) => Effect.Effect<void, StoreError>

    /**
     * Remembers a nonce of L8 for `keepMillis`. `Seen`: it is remembered already; `Full`: so many others are, `most` of
     * them, and this one is not.
     */
    readonly takeL8Nonce: (
      nonce: string,
      now: number,
      keepMillis: number,
      most: number
    ) => Effect.Effect<"Taken" | "Seen" | "Full", StoreError>
    readonly l8Trust: (origin: string) => Effect.Effect<StoredTrust | undefined, StoreError>
    /** What is known of origins, by their names. */
    readonly l8Trusts: (limit: number) => Effect.Effect<ReadonlyArray<StoredTrust>, StoreError>
    readonly saveL8Trust: (trust: StoredTrust) => Effect.Effect<void, StoreError>
    /** Answers whether anything was known. */
    readonly forgetL8Trust: (origin: string) => Effect.Effect<boolean, StoreError>

    readonly paces: Effect.Effect<ReadonlyArray<StoredPace>, StoreError>
    readonly savePace: (pace: StoredPace) => Effect.Effect<void, StoreError>

    /** The unfinished jobs of every lane that has any, from counts that are kept: no job is read. */
    readonly laneCounts: Effect.Effect<ReadonlyArray<readonly [lane: string, counts: LaneCounts]>, StoreError>
    /** What stands before a job that waits; `undefined` when it does not wait. */
    readonly ahead: (id: string) => Effect.Effect<Ahead | undefined, StoreError>
    readonly steering: Effect.Effect<ReadonlyArray<StoredSteering>, StoreError>
    /** Notes what an operator did, and what holds from now on (`undefined`: nothing); `forgets` what the lane was taught. */
    readonly steer: (
      entry: LaneLogEntry,
      steering: StoredSteering | undefined,
      forgets: boolean
    ) => Effect.Effect<void, StoreError>
    /** What operators did with a lane, newest first. */
    readonly laneLog: (lane: string, limit: number) => Effect.Effect<ReadonlyArray<LaneLogEntry>, StoreError>

    /**
     * Deletes finished jobs whose end, and whose last delivery's end, came before the moment, at most `limit`; answers
     * how many. Forgets paces not seen since that moment too.
     */
    readonly sweep: (endedBefore: number, limit: number) => Effect.Effect<number, StoreError>
    readonly stats: Effect.Effect<StoreStats, StoreError>
  }
>()("ezthrottle-effect/dam/JobStore") {}
