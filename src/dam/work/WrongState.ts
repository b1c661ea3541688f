/**
 * What is not done, because of where something is.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { states } from "../../engine/JobState.ts"
import { batchStates } from "../store/BatchRecords.ts"

/**
 * The job is not in a state in which this can be done.
 *
 * @category errors
 * @since 0.1.0
 */
export class WrongState extends Schema.TaggedError<WrongState>()("WrongState", {
  jobId: Schema.String,
  /** `unknown` for one that was removed meanwhile. */
  state: Schema.Literals([...states, ...batchStates, "unknown"]),
  wanted: Schema.String,
  /** What it is. Defaults to a job. */
  kind: Schema.optionalKey(Schema.Literal("batch"))
}) {
  override get message() {
    return `${this.kind ?? "job"} ${this.jobId} is ${this.state}; ${this.wanted}`
  }
}

/**
 * The job was changed since whoever wants to change it has looked at it.
 *
 * @category errors
 * @since 0.1.0
 */
export class Outdated extends Schema.TaggedError<Outdated>()("Outdated", { jobId: Schema.String }) {
  override get message() {
    return `job ${this.jobId} was changed meanwhile; look at it again`
  }
}
