/** Why a schedule is not what a client wants it to be. */
import { TaggedError } from "../step/TaggedError.ts"

/**
 * A schedule that cannot be: `field` is the path of what is wrong with it, in the protocol's spelling.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidSchedule extends TaggedError("InvalidSchedule")<{
  readonly field: string
  readonly problem: string
}> {
  override get message() {
    return `${this.field}: ${this.problem}`
  }
}

/**
 * The service has no schedule of this name.
 *
 * @category errors
 * @since 0.1.0
 */
export class ScheduleNotFound extends TaggedError("ScheduleNotFound")<{ readonly schedule: string }> {
  override get message() {
    return `there is no schedule ${JSON.stringify(this.schedule)}`
  }
}

/**
 * A caller has as many schedules as one may have.
 *
 * @category errors
 * @since 0.1.0
 */
export class TooManySchedules extends TaggedError("TooManySchedules")<{
  readonly limit: number
  readonly current: number
}> {
  override get message() {
    return `there are ${this.current} schedules of ${this.limit}; delete one before another is made`
  }
}
