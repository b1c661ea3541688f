/**
 * Failed jobs by what they have in common, and the port to them.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { StoreError } from "./StoreError.ts"

/**
 * Which failed jobs are grouped, and which groups come first.
 *
 * @category models
 * @since 0.1.0
 */
export interface FailureFilter {
  /** Whose they are. Defaults to everybody's. */
  readonly customer?: string | undefined
  /** A host with its port, or without for all its ports. */
  readonly host?: string | undefined
  /** Epoch milliseconds of their end. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** `newest`: what failed last. `largest`: what failed most often. */
  readonly sort: "newest" | "largest"
  /** 1 to 200 groups. */
  readonly limit: number
}

/**
 * Failed jobs of one lane that ended with the same status for the same reason.
 *
 * @category models
 * @since 0.1.0
 */
export interface FailureGroup {
  readonly lane: string
  /** Of the last answer; `undefined` where there was none. */
  readonly status: number | undefined
  /** The tag of the error. */
  readonly tag: string | undefined
  /** What kind of such an error it was, where there are several. */
  readonly kind: string | undefined
  readonly jobs: number
  /** When the first and the last of them failed, epoch milliseconds. */
  readonly firstAt: number
  readonly lastAt: number
  /** The one that failed last, whose it is, and its error in words. */
  readonly newest: { readonly id: string; readonly customer: string; readonly message: string | undefined }
}

/**
 * The groups that come first.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failures {
  readonly groups: ReadonlyArray<FailureGroup>
  /** How many groups there are, those beyond the limit included. */
  readonly groupCount: number
  /** How many failed jobs were looked at, of any host. */
  readonly lookedAt: number
  /** Whether these are all; otherwise they are the newest, and whatever failed after `since` is among them. */
  readonly isExact: boolean
  /** When the first of them failed; `undefined` where none has. */
  readonly since: number | undefined
}

/**
 * What failed.
 *
 * @category ports
 * @since 0.1.0
 */
export interface FailurePort {
  /** Groups failed jobs; a hundred thousand of them at most, the newest. */
  readonly failures: (filter: FailureFilter) => Effect.Effect<Failures, StoreError>
}
