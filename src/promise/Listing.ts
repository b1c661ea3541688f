/**
 * Which jobs `listJobs` tells of and which `listFailures` groups, as callers write it.
 *
 * @since 0.1.0
 */
import type { DeliveryState, JobState } from "../engine/JobState.ts"
import type { FailureFilter, JobFilter } from "../run/Service.ts"
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
  /** The id of the job that started them. */
  readonly parent?: string | undefined
  /** The id of the job that they run again. */
  readonly rerunOf?: string | undefined
  /** The key of the order that they stand in. */
  readonly order?: string | undefined
  readonly priority?: "high" | "normal" | "low" | undefined
  /** The id of the batch that they were handed in with. */
  readonly batch?: string | undefined
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

/**
 * What `listFailures` groups; what is left out does not restrict.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListFailuresOptions {
  /** Those that failed from then on: epoch milliseconds, or a `Date`. */
  readonly from?: number | Date | undefined
  /** Those that failed until then: epoch milliseconds, or a `Date`. */
  readonly to?: number | Date | undefined
  /** A host with its port, or without for all its ports. */
  readonly host?: string | undefined
  /** `newest`: what failed last comes first. `largest`: what failed most often. Defaults to `newest`. */
  readonly sort?: "newest" | "largest" | undefined
  /** How many groups, 1 to 200. Defaults to 50. */
  readonly limit?: number | undefined
}

/** Reads the filter, or throws an `EZThrottleError` that names what cannot be. */
export const filterOf = (given: ListJobsOptions = {}): JobFilter => {
  Given.checkNames(given, known, "listJobs.")
  const { createdFrom, createdTo, deliveryStatus, q, sort, status, ...filter } = given
  return {
    ...filter,
    status: oneOf("status", status, states),
    deliveryStatus: oneOf("deliveryStatus", deliveryStatus, deliveryStates),
    createdFrom: moment("listJobs.createdFrom", createdFrom),
    createdTo: moment("listJobs.createdTo", createdTo),
    q: searched(q),
    sort: order("listJobs.sort", sort, ["newest", "oldest"]),
    limit: 100
  }
}

/** Reads the filter of failures, or throws an `EZThrottleError` that names what cannot be. */
export const failureFilterOf = (given: ListFailuresOptions = {}): FailureFilter => {
  Given.checkNames(given, ["from", "to", "host", "sort", "limit"], "listFailures.")
  const { from, host, limit, sort, to } = given
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= 200)) {
    throw new EZThrottleError("listFailures.limit: Expected a whole number from 1 to 200")
  }
  return {
    host,
    limit,
    from: moment("listFailures.from", from),
    to: moment("listFailures.to", to),
    sort: order("listFailures.sort", sort, ["newest", "largest"])
  }
}

// the tables of the states, and all that is made of them, are more than their names
const states: ReadonlyArray<JobState> = ["scheduled", "queued", "running", "parked", "succeeded", "failed", "cancelled"]
const deliveryStates: ReadonlyArray<DeliveryState> = ["none", "pending", "delivered", "undelivered"]

const known = [
  "status",
  "deliveryStatus",
  "lane",
  "account",
  "parent",
  "rerunOf",
  "order",
  "priority",
  "batch",
  "createdFrom",
  "createdTo",
  "metadata",
  "q",
  "sort"
]

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

const order = <Order extends string>(
  field: string,
  sort: Order | undefined,
  all: ReadonlyArray<Order>
): Order | undefined => {
  if (sort === undefined || all.includes(sort)) return sort
  throw new EZThrottleError(`${field}: Expected ${all.join(", ")}`)
}

const moment = (field: string, given: number | Date | undefined): number | undefined => {
  const at = given instanceof Date ? given.getTime() : given
  if (at === undefined || Number.isFinite(at)) return at
  throw new EZThrottleError(`${field}: Expected epoch milliseconds or a Date`)
}
