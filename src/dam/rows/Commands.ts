import type { SQLInputValue, SQLOutputValue } from "node:sqlite"
import type { commandsOver } from "../sqlite/Groups.ts"
import type * as Effect from "effect/Effect"
import type { StoreError } from "../store/StoreError.ts"

/** A row as SQLite answers it. */
export type Row = Record<string, SQLOutputValue>

/** A job to insert: one value for each of `jobColumns`, then what stands in tables of its own. */
export interface JobInsert {
  readonly columns: ReadonlyArray<SQLInputValue>
  readonly state: "scheduled" | "queued"
  readonly step: string
  readonly metadata: ReadonlyArray<readonly [name: string, value: string]>
}

/** A job with its payload and result in one row, and its attempts, oldest first. */
export interface LoadedJob {
  readonly job: Row
  readonly attempts: ReadonlyArray<Row>
}

/** The end of a job, to be written at once. */
export interface FinishInsert {
  readonly state: "succeeded" | "failed" | "cancelled"
  readonly at: number
  readonly result: string
  readonly bodies: Uint8Array
  readonly children: ReadonlyArray<JobInsert>
  readonly quorum: number | null
  readonly deliveries: ReadonlyArray<DeliveryInsert>
  readonly attempt: AttemptInsert | undefined
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
  readonly columns: ReadonlyArray<SQLInputValue>
  readonly body: Uint8Array
}

/** The columns of a job that its submission fills, besides `seq` and `state`, in the order of their values. */
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
  "deadline_at"
] as const

/** One of `jobColumns`. */
export type JobColumn = (typeof jobColumns)[number]

/** Why something could not be done. Plain data, since it travels from the writing thread. */
export interface Fault {
  readonly kind: "full" | "failed"
  readonly detail: string
  /** Whether only this operation is wrong, and others of its group may go on. */
  readonly local: boolean
}

/** What is known of an origin, as it travels: origin, key, when it was proved, another key, when it was revoked. */
export type TrustRow = readonly [
  origin: string,
  publicKey: string | null,
  provedAt: number | null,
  changedKey: string | null,
  revokedAt: number | null
]

/** Secrets of one customer as they travel: customer, primary, secondary. */
export type SecretsRow = readonly [customer: string, primary: string, secondary: string | null]

/** A setting as it travels. */
export type SettingRow = readonly [name: string, value: string]

/** A filter as it travels: `JobFilter` with its lists resolved and the cursor read. */
export interface Listing {
  readonly customer: string
  readonly states: ReadonlyArray<string>
  readonly deliveryStates: ReadonlyArray<string> | undefined
  readonly lane: string | undefined
  readonly account: string | undefined
  readonly createdFrom: number | undefined
  readonly createdTo: number | undefined
  readonly metadata: ReadonlyArray<readonly [name: string, value: string]>
  /** Jobs below this `seq` only. */
  readonly below: number
  readonly limit: number
}

/** A page, and the `seq` below which the next one lies. */
export interface ListedPage {
  readonly jobs: ReadonlyArray<LoadedJob>
  readonly next: number | undefined
}

/** A filter as it travels. */
export interface Wanted {
  readonly customer: string
  readonly deliveryId: string | undefined
  readonly jobId: string | undefined
  readonly host: string | undefined
  readonly since: number | undefined
  readonly until: number | undefined
}

/** Everything an engine can be told to do. */
export type Commands = Omit<ReturnType<typeof commandsOver>, "load">

/** Runs one command, durably done when it answers. */
export type Executor = <Name extends keyof Commands>(
  name: Name,
  ...args: Parameters<Commands[Name]>
) => Effect.Effect<ReturnType<Commands[Name]>, StoreError>
