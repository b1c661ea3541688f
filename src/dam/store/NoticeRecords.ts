/**
 * What operators were told as the store knows it, and the port to it.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { NewJob } from "../job/Job.ts"
import type { Finish } from "./JobRecords.ts"
import type { StoreError } from "./StoreError.ts"

/**
 * Something that began and is not over, and that was told.
 *
 * @category models
 * @since 0.1.0
 */
export interface Told {
  /** What it is about: a mark, a lane, an endpoint. */
  readonly subject: string
  /** How far it has come: `failing` or `disabled` of an endpoint, else `begun`. */
  readonly phase: string
  /** Epoch milliseconds of its beginning. */
  readonly since: number
}

/**
 * What is told at one moment: what began or went on to another phase, what is over, and the notices that say so, each a
 * job that has ended and whose deliveries stand in the outbox.
 *
 * @category models
 * @since 0.1.0
 */
export interface Telling {
  readonly begun: ReadonlyArray<Told>
  readonly over: ReadonlyArray<string>
  readonly notices: ReadonlyArray<{ readonly job: NewJob; readonly finish: Finish }>
}

/**
 * An endpoint in trouble.
 *
 * @category models
 * @since 0.1.0
 */
export interface Troubled {
  readonly customer: string
  readonly url: string
  readonly status: "enabled" | "disabled"
  readonly reason: "gone" | "failing" | undefined
  readonly failures: number
  readonly failingSince: number
}

/**
 * What operators were told, and what only they are told of.
 *
 * @category ports
 * @since 0.1.0
 */
export interface NoticePort {
  /** What was told and is not over. */
  readonly told: Effect.Effect<ReadonlyArray<Told>, StoreError>
  /** Notes what is told and files its deliveries, all or nothing. */
  readonly tell: (telling: Telling) => Effect.Effect<void, StoreError>
  /**
   * Endpoints of all customers but one that are disabled, have failed so often in a row, or were told of; those that were
   * told of first, at most 1,000.
   */
  readonly troubled: (failures: number, but: string) => Effect.Effect<ReadonlyArray<Troubled>, StoreError>
  /** Dead letters of a customer. */
  readonly deadOf: (customer: string) => Effect.Effect<number, StoreError>
}

/** What an endpoint is called among what was told. The store keeps one that was told of until it is over. */
export const endpointSubject = (customer: string, url: string): string => `endpoint ${customer} ${url}`
