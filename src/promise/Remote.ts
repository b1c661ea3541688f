/**
 * What only jobs need: reading them, handing them over, listing them. One part, because whoever needs some of it soon
 * needs most; loaded when the first of it is used, see `Later`.
 */
import type * as Result from "effect/Result"
import * as RemoteClient from "../run/RemoteClient.ts"
import type { Step } from "../step/StepModel.ts"
import type { InvalidJob } from "../wire/InvalidJob.ts"
import * as Job from "../wire/Job.ts"
import * as All from "./All.ts"
import * as Kept from "./Kept.ts"
import * as Listing from "./Listing.ts"
import * as Many from "./Many.ts"
import * as Schedules from "./Schedules.ts"

/** Makes the service behind a client. */
export const service = RemoteClient.make

/** Reads a job as a step. */
export const decode = (job: unknown): Result.Result<Step, InvalidJob> => Job.decode(job)

export const filterOf = Listing.filterOf

export const failureFilterOf = Listing.failureFilterOf

export const submitMany = Many.submitMany

export const submitAll = All.submitAll

export const bulkJobs = All.bulkJobs

export const schedules = Schedules.make

export const kept = Kept.make
