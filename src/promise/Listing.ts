/**
 * Which jobs `listJobs` tells of, as callers write it.
 *
 * @since 0.1.0
 */
import type { DeliveryState, JobState } from "../engine/JobState.ts"
import type { JobFilter } from "../run/Service.ts"
import { EZThrottleError } from "./Errors.ts"
import * as Given from "./Given.ts"

/**
 * What `listJobs` selects by; what is left out does not restrict.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListJobsOptions {
  readonly status?: JobState | ReadonlyArray<JobState> | undefined
  /** What became of telling the result. */
  readonly deliveryStatus?: DeliveryState | ReadonlyArray<DeliveryState> | undefined
  /** The host that is called, as `host:port`. */
  readonly lane?: string | undefined
  readonly account?: string | undefined
  /** Epoch milliseconds, or a `Date`. */
  readonly createdFrom?: number | Date | undefined
  /** Epoch milliseconds, or a `Date`. */
  readonly createdTo?: number | Date | undefined
  /** Top-level fields of the metadata that must equal these texts. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /**
   * What a person would type: the beginning of an id, a host with or without a path, `name=value` of metadata, and text
   * of the URL or of the error. All of it must hold.
   */
  readonly q?: string | undefined
  /** Defaults to `newest`, which come first. */
  readonly sort?: "newest" | "oldest" | undefined
}

/** Reads the filter, or throws an `EZThrottleError` that names what cannot be. */
export const filterOf = (given: ListJobsOptions = {}): JobFilter => {
  Given.checkNames(given, known, "listJobs.")
  const { createdFrom, createdTo, deliveryStatus, q, sort, status, ...filter } = given
  return {
    ...filter,
    status: oneOf("status", status, states),
    deliveryStatus: oneOf("deliveryStatus", deliveryStatus, deliveryStates),
    createdFrom: moment("createdFrom", createdFrom),
    createdTo: moment("createdTo", createdTo),
    q: searched(q),
    sort: order(sort),
    limit: 100
  }
}

// the tables of the states, and all that is made of them, are more than their names
const states: ReadonlyArray<JobState> = ["scheduled", "queued", "running", "parked", "succeeded", "failed", "cancelled"]
const deliveryStates: ReadonlyArray<DeliveryState> = ["none", "pending", "delivered", "undelivered"]

const known = ["status", "deliveryStatus", "lane", "account", "createdFrom", "createdTo", "metadata", "q", "sort"]

const oneOf = <State extends string>(
  field: string,
  given: State | ReadonlyArray<State> | undefined,
  all: ReadonlyArray<State>
): ReadonlyArray<State> | undefined => {
  if (given === undefined) return undefined
  const wanted = typeof given === "string" ? [given] : given
  if (Array.isArray(wanted) && wanted.every((state) => all.includes(state))) return wanted
  throw new EZThrottleError(`listJobs.${field}: Expected ${all.join(", ")}`)
}

const searched = (q: unknown): string | undefined => {
  if (q === undefined || (typeof q === "string" && q.length <= 500)) return q
  throw new EZThrottleError("listJobs.q: Expected a text of at most 500 characters")
}

const order = (sort: unknown): "newest" | "oldest" | undefined => {
  if (sort === undefined || sort === "newest" || sort === "oldest") return sort
  throw new EZThrottleError("listJobs.sort: Expected newest, oldest")
}

const moment = (field: string, given: number | Date | undefined): number | undefined => {
  const at = given instanceof Date ? given.getTime() : given
  if (at === undefined || Number.isFinite(at)) return at
  throw new EZThrottleError(`listJobs.${field}: Expected epoch milliseconds or a Date`)
}
