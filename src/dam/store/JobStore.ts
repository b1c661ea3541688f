/**
 * Where the dam keeps its truth: narrow ports, and their sum. Whoever needs one names that one; what a store must do
 * is said by its conformance suite.
 *
 * Every method is one transaction, durable when it answers; concurrent calls may share a commit. Reads see every write
 * that was answered before they began. Writes of an execution carry its epoch, and a store refuses an older one with
 * `StaleEpoch`, so that an owner that was thought dead cannot overwrite its successor.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { BatchPort } from "./BatchRecords.ts"
import type { CredentialPort } from "./CredentialRecords.ts"
import type { DeliveryPort } from "./DeliveryRecords.ts"
import type { FailurePort } from "./FailureRecords.ts"
import type { HistoryPort } from "./HistoryRecords.ts"
import type { JobPort } from "./JobRecords.ts"
import type { LanePort } from "./LaneRecords.ts"
import type { LimitPort } from "./LimitRecords.ts"
import type { NoticePort } from "./NoticeRecords.ts"
import type { JoinPort } from "./JoinRecords.ts"
import type { OrderPort } from "./OrderRecords.ts"
import type { SchedulePort } from "./ScheduleRecords.ts"
import type { SecretPort } from "./SecretRecords.ts"
import type { TrustPort } from "./TrustRecords.ts"
import type { UpkeepPort } from "./Upkeep.ts"

/**
 * Everything a store does.
 *
 * @category ports
 * @since 0.1.0
 */
export interface Store
  extends
    JobPort,
    BatchPort,
    FailurePort,
    DeliveryPort,
    LanePort,
    LimitPort,
    SchedulePort,
    OrderPort,
    JoinPort,
    HistoryPort,
    SecretPort,
    CredentialPort,
    TrustPort,
    NoticePort,
    UpkeepPort {}

/**
 * The durable store of the dam.
 *
 * @category services
 * @since 0.1.0
 */
export class JobStore extends Context.Service<JobStore, Store>()("ezthrottle-effect/dam/JobStore") {}
