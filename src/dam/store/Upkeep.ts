import type { JobState } from "../../engine/JobState.ts"

/**
 * Numbers for admission control and `/health`.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoreStats {
  readonly jobs: Readonly<Record<JobState, number>>
  readonly pendingDeliveries: number
  readonly deadDeliveries: number
  /** Endpoints that are disabled, of all customers. */
  readonly disabledEndpoints: number
  /** Bytes that the database holds, without room that was freed. */
  readonly bytes: number
}
