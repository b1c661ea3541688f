/**
 * The running dam, as its HTTP side and the embedded service see it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Explanation } from "../../wire/Explained.ts"
import type { DeadLetters } from "../deliver/DeadLetters.ts"
import type { EgressPolicy } from "../egress/EgressPolicy.ts"
import type { Limits } from "../intake/Limits.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import type { Links } from "../deliver/Links.ts"
import type { L8 } from "../l8/L8.ts"
import type { NamedSecrets } from "../secrets/NamedSecrets.ts"
import type { CallLimits } from "../lane/CallLimits.ts"
import type { LaneView } from "../lane/LaneView.ts"
import type { Permits } from "../lane/Permits.ts"
import type { Steering } from "../lane/Steering.ts"
import type { JobEvent, Recent } from "../observe/Events.ts"
import type { History } from "../observe/History.ts"
import type { Span } from "../observe/Stats.ts"
import type { Change, Enqueued } from "../store/JobRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { ShortageView } from "../lane/Shortages.ts"
import type { Overloaded } from "./Admission.ts"
import type { Batches } from "./Batches.ts"
import type { Bulk } from "./Bulk.ts"
import type { Notices } from "./Noticing.ts"
import type { Orders } from "./Orders.ts"
import type { Schedules } from "./Schedules.ts"
import type { Outdated, WrongState } from "./WrongState.ts"

/**
 * What holds wherever something comes into the dam or leaves it: said once, kept at the door and at the socket alike.
 *
 * @category models
 * @since 0.1.0
 */
export interface Terms {
  /** Where jobs and webhooks may go. */
  readonly egress: EgressPolicy
  /** Limits of what is submitted that differ from the default ones; `undefined`: none hold for submissions in process. */
  readonly limits: Partial<Limits> | undefined
  /** How long what is under way may take to end when the dam stops. */
  readonly drain: Duration.Duration
  /** Headers that are credentials beside those that always are. Defaults to none. */
  readonly credentials?: ReadonlyArray<string> | undefined
}

/**
 * The dam at work.
 *
 * @category services
 * @since 0.1.0
 */
export class Engine extends Context.Service<
  Engine,
  {
    /** Files a job (admission control, then the store) and lets its lane know. Answers after the commit. */
    readonly submit: (job: NewJob) => Effect.Effect<Enqueued, StoreError | Overloaded>
    /** Stops a job that is not final: what runs is interrupted, the job ends `cancelled` and its webhooks are told. */
    readonly cancel: (job: StoredJob) => Effect.Effect<StoredJob, StoreError | WrongState>
    /** Changes a job that waits. Fails with `Outdated` where it was changed since the revision that is named. */
    readonly change: (
      job: StoredJob,
      how: Pick<Change, "isRetimed" | "revision">
    ) => Effect.Effect<StoredJob, StoreError | WrongState | Outdated>
    /** Queues a job that is scheduled or parked, whatever it waits for. */
    readonly runNow: (job: StoredJob) => Effect.Effect<StoredJob, StoreError | WrongState>
    /** Files a finished job once more, as a job of its own outside the key index; its children run again too. */
    readonly rerun: (job: StoredJob) => Effect.Effect<NewJob, StoreError | Overloaded | WrongState>
    /** Something done to all jobs that a filter finds. */
    readonly bulk: Bulk
    /** The states a job goes through from now on; ends after a final one. A slow reader is cut off (the stream ends). */
    readonly events: (jobId: string) => Stream.Stream<JobEvent>
    /** What happened to jobs of all customers lately. */
    readonly recent: Recent
    /** How much went through in the last hour, and how fast. */
    readonly stats: Effect.Effect<ReadonlyArray<Span>>
    /** What went through a lane, or all of them, over some hours. */
    readonly history: History["read"]
    /** Every lane in memory. */
    readonly lanes: Effect.Effect<ReadonlyArray<LaneView & { readonly lane: string }>>
    /** Why a job waits and until when, computed from where it stands in its lane. */
    readonly explain: (job: StoredJob) => Effect.Effect<Explanation, StoreError>
    /** What operators do with lanes. */
    readonly steering: Steering
    /** Permits for calls that others make. */
    readonly permits: Permits
    /** The limits that calls draw on together. */
    readonly callLimits: CallLimits
    /** Lines of jobs that run one at a time. */
    readonly orders: Orders
    /** What customers have called at times of their own. */
    readonly schedules: Schedules
    /** Jobs that were handed in together. */
    readonly batches: Batches
    /** The public key of what deliveries are signed with, where they are: `whpk_` and base64. */
    readonly webhookKey: string | undefined
    /** L8, where it is on. */
    readonly l8: L8 | undefined
    /** Links to answers; `undefined`: none are made. */
    readonly links: Links | undefined
    /** What headers of calls may name; `undefined`: nothing. */
    readonly secrets: NamedSecrets | undefined
    /** What may be done with results that could not be told. */
    readonly deadLetters: DeadLetters
    /** What operators are told without asking. */
    readonly notices: Notices
    /** What this machine lacks to make calls; `undefined`: nothing. */
    readonly shortage: Effect.Effect<ShortageView | undefined>
    /** What holds at every way in. */
    readonly terms: Terms
    /** Numbers of admission control, as `/health` shows them. */
    readonly admission: Effect.Effect<Readonly<Record<string, number>>, StoreError>
    /**
     * Starts nothing any more, for a dam that is about to stop: what is taken is stored for the next start, and the time
     * that what runs has left begins to run.
     */
    readonly leave: Effect.Effect<void>
  }
>()("ezthrottle-effect/dam/Engine") {}
