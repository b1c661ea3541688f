/**
 * What a database must do for the store, in plain data: one interface a port, and their sum.
 *
 * A command either does all of its work or throws, and depends on the database alone. Refusals that are part of the
 * contract (a key that is taken, an epoch that is over) are answers. SQLite answers in the thread that writes
 * (`sqlite/Groups`); `RowStore` makes the whole store over any executor of these.
 */
import type { Counted, Erased, Parking } from "../store/JobRecords.ts"
import type { EndpointRule, NextDelivery } from "../store/DeliveryRecords.ts"
import type { Ahead, LaneCounts, LaneLogEntry, StoredSteering } from "../store/LaneRecords.ts"
import type { Failures } from "../store/FailureRecords.ts"
import type { ChangeUpdate } from "./ChangeUpdate.ts"
import type { BatchCommands } from "./BatchCommands.ts"
import type { CredentialCommands } from "./CredentialCommands.ts"
import type { HistoryCommands } from "./HistoryCommands.ts"
import type { JoinCommands } from "./JoinCommands.ts"
import type { OrderCommands } from "./OrderCommands.ts"
import type { Cell, Row } from "./Row.ts"
import type { ScheduleCommands } from "./ScheduleCommands.ts"
import type { UpkeepCommands } from "./UpkeepCommands.ts"
import type { TrustCommands } from "./TrustCommands.ts"

export type { Cell, Row } from "./Row.ts"

/** Why something could not be done. Plain data, since it travels from the writing thread. */
export interface Fault {
  /** `lost`: the file is not where it was. `unknown`: the disk failed in a commit, which may be there or not. */
  readonly kind: "full" | "failed" | "lost" | "unknown"
  readonly detail: string
  /** Whether only this operation is wrong, and others of its group may go on. */
  readonly local: boolean
  /** Whether the connection to the database is of no more use. */
  readonly isGone?: boolean | undefined
}

/** What a store answers when it is no longer there. */
export const closed: Fault = { kind: "failed", detail: "it is closed", local: false }

/**
 * The columns of a job that its submission fills, besides `seq` and `state`, in the order of their values. `account` holds
 * the name of its queue.
 */
export const jobColumns = [
  "id",
  "customer",
  "dialect",
  "key_scope",
  "key",
  "key_given",
  "payload",
  "lane",
  "account",
  "isolated",
  "created_at",
  "not_before",
  "parent_id",
  "parent_relation",
  "rerun_of",
  "traceparent",
  "quorum",
  "due_at",
  "deadline_at",
  "start_before",
  "limits",
  "batch",
  "batch_line"
] as const

/** One of `jobColumns`. */
export type JobColumn = (typeof jobColumns)[number]

/** A job to insert: one value for each of `jobColumns`, then what stands in tables of its own. */
export interface JobInsert {
  readonly columns: ReadonlyArray<Cell>
  readonly state: "scheduled" | "queued"
  readonly step: string
  readonly metadata: ReadonlyArray<readonly [name: string, value: string]>
  /** The line that it stands in, if any. */
  readonly order: { readonly key: string; readonly stops: boolean } | undefined
  readonly debounce: { readonly key: string; readonly since: number } | undefined
  /** What identical calls have in common, where they share one answer. */
  readonly coalesce: string | undefined
}

/** A job with its payload and result in one row, and its attempts, oldest first. */
export interface LoadedJob {
  readonly job: Row
  readonly attempts: ReadonlyArray<Row>
}

/** An attempt to insert: itself without its answer, the answer without its body, the body. */
export interface AttemptInsert {
  readonly path: number
  readonly racer: number
  readonly attempt: string
  readonly response: string | null
  readonly body: Uint8Array | null
}

/** A delivery to insert: id, job id, customer, place, URL, regions as JSON, vote, lane. */
export interface DeliveryInsert {
  readonly columns: ReadonlyArray<Cell>
  readonly body: Uint8Array
}

/** The end of a job, to be written at once. */
export interface FinishInsert {
  readonly state: "succeeded" | "failed" | "cancelled"
  readonly at: number
  /** What it is grouped by among failures, where it is one. */
  readonly failure: { readonly status: number | null; readonly reason: string | null } | undefined
  readonly result: string
  readonly bodies: Uint8Array
  readonly children: ReadonlyArray<JobInsert>
  readonly quorum: number | null
  readonly deliveries: ReadonlyArray<DeliveryInsert>
  readonly attempt: AttemptInsert | undefined
}

/** `JobFilter` as it travels, with its lists resolved and the cursor read. */
export interface Listing {
  readonly customer: string
  readonly states: ReadonlyArray<string>
  readonly deliveryStates: ReadonlyArray<string> | undefined
  readonly lane: string | undefined
  /** A host, on any port. */
  readonly host: string | undefined
  /** How the id begins. */
  readonly id: string | undefined
  /** How path and query of the URL begin. */
  readonly path: string | undefined
  /** Text of the URL or of the error, in small letters; all of them must be there. */
  readonly texts: ReadonlyArray<string>
  readonly account: string | undefined
  readonly parent: string | undefined
  readonly rerunOf: string | undefined
  readonly order: string | undefined
  /** How the names of the queues end, empty for the usual one. */
  readonly priority: string | undefined
  readonly batch: string | undefined
  readonly createdFrom: number | undefined
  readonly createdTo: number | undefined
  readonly metadata: ReadonlyArray<readonly [name: string, value: string]>
  readonly oldestFirst: boolean
  /** Jobs behind this `seq` only: below it, or above it where the oldest come first. */
  readonly behind: number
  readonly limit: number
}

/** A page, and the `seq` behind which the next one lies. */
export interface ListedPage {
  readonly jobs: ReadonlyArray<LoadedJob>
  readonly next: number | undefined
}

/** `Parking` as it travels: where the job is queued next as lane, queue, and what it draws on as it stands beside a job. */
export interface ParkingUpdate extends Omit<Parking, "next"> {
  readonly next: readonly [lane: string, queue: string, limits: string | null] | undefined
}

/** What jobs need. Where an epoch is told, `false` says that it is over. */
export interface JobCommands {
  /** Answers the job that has the key already, or that the new one stands behind others of its order. */
  readonly enqueue: (job: JobInsert) => LoadedJob | "behind" | undefined
  /** Answers too how many unfinished jobs its customer has, where there may be no more. */
  readonly enqueueBelow: (job: JobInsert, most: number) => LoadedJob | "behind" | number | undefined
  /** Answers too that another one waits than was thought. */
  readonly enqueueOver: (
    job: JobInsert,
    over: { readonly id: string; readonly finish: FinishInsert } | null,
    most: number | null
  ) => LoadedJob | "behind" | "moved" | number | undefined
  readonly get: (id: string) => LoadedJob | undefined
  readonly list: (filter: Listing) => ListedPage
  readonly count: (filter: Listing) => Counted
  readonly start: (id: string, at: number) => LoadedJob | undefined
  /** `start` for a job whose contents are known: answers the epoch. */
  readonly begin: (id: string, at: number) => number | undefined
  readonly record: (id: string, epoch: number, attempt: AttemptInsert) => boolean
  readonly park: (id: string, epoch: number, parking: ParkingUpdate) => boolean
  readonly hasten: (id: string, now: number) => { readonly lane: string; readonly queue: string } | undefined
  readonly change: (id: string, change: ChangeUpdate) => "Changed" | "Stale" | "Settled"
  readonly lift: (lane: string, now: number) => number
  /** Answers whether none of the endpoints is disabled to which it is told; `undefined` where the epoch is over. */
  readonly finish: (id: string, epoch: number, finish: FinishInsert) => boolean | undefined
  readonly finishIdle: (id: string, finish: FinishInsert) => boolean
  readonly erase: (id: string, at: number) => Erased | undefined
}

/** `FailureFilter` as it travels, with its defaults. */
export interface FailureQuery {
  readonly customer: string | undefined
  readonly host: string | undefined
  readonly from: number
  readonly to: number
  readonly sort: "newest" | "largest"
  readonly limit: number
}

/** What failures need. */
export interface FailureCommands {
  /** A row of a group holds what is common to it, and id, customer and message of its newest job. */
  readonly failures: (query: FailureQuery) => Omit<Failures, "groups"> & { readonly groups: ReadonlyArray<Row> }
}

/** An attempt to deliver as it travels: as JSON, and what matters of it to the database. */
export interface DeliveryAttemptInsert {
  readonly json: string
  readonly at: number
  readonly isGone: boolean
}

/** `DeadLetterFilter` as it travels. */
export interface Wanted {
  readonly customer: string
  readonly deliveryId: string | undefined
  readonly jobId: string | undefined
  readonly host: string | undefined
  readonly since: number | undefined
  readonly until: number | undefined
  readonly url: string | undefined
  readonly endedSince: number | undefined
  /** A JSON array. */
  readonly reasons: string | undefined
}

/** Which deliveries are asked for: those due at a moment, of one lane or of all, but for a JSON array of ids. */
export interface Due {
  readonly now: number
  readonly limit: number
  readonly except: string
  readonly lane: string | null
}

/** Which dead letters are delivered once more: from behind a place, the first at `now`, each further one `spacing` later. */
export interface Replay {
  readonly wanted: Wanted
  readonly above: number
  readonly limit: number
  readonly now: number
  readonly spacing: number
}

/** What deliveries and the endpoints they go to need. */
export interface DeliveryCommands {
  readonly deliveryLanes: () => ReadonlyArray<Row>
  readonly dueDeliveries: (due: Due) => {
    readonly deliveries: ReadonlyArray<Row>
    readonly nextDueAt: number | undefined
  }
  readonly deliveries: (jobId: string) => ReadonlyArray<Row>
  readonly settleDelivery: (
    id: string,
    attempt: DeliveryAttemptInsert | undefined,
    next: NextDelivery,
    rule: EndpointRule
  ) => {
    readonly deliveryState: string
    readonly endpoint: "enabled" | "disabled" | undefined
    readonly recoveredFrom?: number | undefined
  }
  readonly deadLetters: (
    wanted: Wanted,
    below: number,
    limit: number
  ) => { readonly rows: ReadonlyArray<Row>; readonly next: number | undefined }
  readonly replay: (replay: Replay) => {
    readonly replayed: number
    readonly lanes: ReadonlyArray<string>
    readonly next: number | undefined
  }
  readonly purge: (wanted: Wanted, limit: number) => number
  readonly endpoints: (customer: string) => ReadonlyArray<Row>
  /** Answers what was known of it: one row, or none. */
  readonly enableEndpoint: (customer: string, url: string, now: number) => ReadonlyArray<Row>
  readonly holdEndpoint: (customer: string, url: string, until: number) => void
}

/** A learnt pace as it travels. */
export interface PaceInsert {
  readonly lane: string
  readonly account: string
  readonly rps: number | null
  readonly maxConcurrent: number | null
  readonly accountQueues: number | null
  readonly heldUntil: number | null
  readonly seenAt: number
  readonly heldBy: string | null
  readonly taughtAt: number | null
  readonly kept: string | null
}

/** What lanes need. */
export interface LaneCommands {
  readonly lanes: () => ReadonlyArray<Row>
  readonly queues: (lane: string) => ReadonlyArray<Row>
  readonly page: (lane: string, queue: string, after: number, limit: number) => ReadonlyArray<Row>
  readonly depth: (lane: string) => number
  readonly position: (id: string) => number | undefined
  readonly ahead: (id: string) => Ahead | undefined
  readonly queueLengths: (lane: string, most: number) => Ahead["others"]
  readonly laneCounts: () => ReadonlyArray<readonly [lane: string, counts: LaneCounts]>
  readonly paces: () => ReadonlyArray<Row>
  readonly savePace: (pace: PaceInsert) => void
  readonly steering: () => ReadonlyArray<Row>
  readonly steer: (entry: LaneLogEntry, steering: StoredSteering | undefined, forgets: boolean) => void
  readonly laneLog: (lane: string, limit: number) => ReadonlyArray<Row>
}

/** Secrets of one customer as they travel: customer, primary, secondary. */
export type SecretsRow = readonly [customer: string, primary: string, secondary: string | null]

/** A setting as it travels. */
export type SettingRow = readonly [name: string, value: string]

/** What secrets of customers and settings of the dam itself need. */
export interface SecretCommands {
  readonly secrets: (customer: string) => Row | undefined
  /** Without a primary one they are forgotten. */
  readonly setSecrets: (customer: string, primary: string | null, secondary: string | null) => void
  /** Replaces these secrets, or none, by others; `false` where they are not what is there. */
  readonly replaceSecrets: (
    customer: string,
    known: readonly [primary: string, secondary: string | null] | null,
    primary: string,
    secondary: string | null
  ) => boolean
  readonly everySecret: () => ReadonlyArray<Row>
  readonly setting: (name: string) => Row | undefined
  readonly putSecrets: (rows: ReadonlyArray<SecretsRow>, settings: ReadonlyArray<SettingRow>) => void
  /** Leaves nothing of what was replaced on disk. Not to be run beside others in a transaction. */
  readonly foldLog: () => void
}

/** What is left of a limit for one key: name, key, level, moment. */
export type LevelRow = readonly [name: string, key: string, level: number, at: number]

/** What limits need. */
export interface LimitCommands {
  readonly limits: () => ReadonlyArray<Row>
  /** Name, definition as JSON, moment, who. */
  readonly saveLimit: (...row: readonly [name: string, definition: string, at: number, by: string]) => void
  readonly removeLimit: (name: string) => void
  readonly drawing: (name: string) => number
  readonly levels: () => { readonly others: "full" | "unknown" | number; readonly levels: ReadonlyArray<Row> }
  readonly saveLevels: (
    rows: ReadonlyArray<LevelRow>,
    how: { readonly others: "full" | "unknown" | number; readonly isAll: boolean }
  ) => void
}

/** What is told at one moment, as it travels; a row is subject, phase, beginning. */
export interface TellingInsert {
  readonly begun: ReadonlyArray<readonly [subject: string, phase: string, since: number]>
  readonly over: ReadonlyArray<string>
  readonly notices: ReadonlyArray<{ readonly id: string; readonly job: JobInsert; readonly finish: FinishInsert }>
}

/** What operators are told. */
export interface NoticeCommands {
  readonly told: () => ReadonlyArray<Row>
  readonly tell: (telling: TellingInsert) => void
  readonly troubled: (failures: number, but: string) => ReadonlyArray<Row>
  readonly deadOf: (customer: string) => number
}

/** What batches need of jobs. */
export interface BatchForms {
  readonly insert: JobInsert
  readonly loaded: LoadedJob
  readonly finish: FinishInsert
}

/** Everything a database can be told to do. */
export interface Commands
  extends
    JobCommands,
    BatchCommands<BatchForms>,
    FailureCommands,
    DeliveryCommands,
    LaneCommands,
    LimitCommands,
    ScheduleCommands,
    OrderCommands,
    JoinCommands,
    HistoryCommands,
    SecretCommands,
    CredentialCommands,
    TrustCommands,
    NoticeCommands,
    UpkeepCommands {}
