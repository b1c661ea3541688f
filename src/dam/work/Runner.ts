/**
 * Runs one stored job with the interpreter: every exchange behind a permit of its host's lane, every attempt stored
 * before the next decision, long pauses left to the store.
 *
 * A 429, or what stands for one, is no result here unless the step itself speaks of it: it holds the lane, and the call
 * is repeated without spending anything until a day after the job's own first.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Interpreter from "../../run/Interpreter.ts"
import { takes } from "../../step/Fills.ts"
import type { Outcome, StepError } from "../../step/Outcome.ts"
import * as Strategies from "../../transport/Strategies.ts"
import type { StoredJob } from "../job/Job.ts"
import type { Permit } from "../lane/Permit.ts"
import { untilWritten } from "../store/StoreError.ts"
import * as JobHost from "./JobHost.ts"
import * as JobTransport from "./JobTransport.ts"
import * as Runs from "./Run.ts"
import * as StraightRun from "./StraightRun.ts"

/**
 * Runs a job to its end, or to a pause that the store shall keep. What it answers is not written yet; the attempts are.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (options: Runs.RunnerOptions, job: StoredJob, first: Permit): Effect.Effect<Runs.RunEnd> =>
  Effect.withFiber((fiber) => {
    const self = Runs.make(options, job, first)
    const walk = Effect.suspend(() => {
      const beginCall = StraightRun.over(self, fiber)
      return beginCall === undefined ? walked(self) : StraightRun.run(self, beginCall, fiber)
    })
    const ended = Effect.map(Effect.exit(walk), (exit) => endOf(self, exit))
    return (self.isLone ? ended : Effect.raceFirst(ended, Deferred.await(self.stopped))).pipe(
      // called off between its last answer and its end: that there was a call is not forgotten
      Effect.onInterrupt(() =>
        self.unwritten === undefined
          ? Effect.void
          : Effect.ignore(options.store.record(job.id, job.epoch, self.unwritten))
      ),
      Effect.ensuring(Runs.letGo(self))
    )
  })

const walked = (self: Runs.Run): Effect.Effect<Outcome, StepError> => {
  const { job, options, step } = self
  const over = Strategies.only(JobTransport.make(self))
  return takes(step)
    ? Effect.flatMap(givenTo(options, job), (given) => Interpreter.run(step, over, JobHost.make(self, given)))
    : Interpreter.run(step, over, JobHost.make(self))
}

/** What a job that could not be filled when it was made was to take from: it is told once more why. */
const givenTo = Effect.fnUntraced(function* ({ store }: Runs.RunnerOptions, { id, parent }: StoredJob) {
  const before = parent && (yield* untilWritten(id, store.get(parent.id)))
  return { response: before?.result?.response, metadata: before?.step.metadata ?? {} }
})

const endOf = ({ children, stoppedWith, unwritten }: Runs.Run, exit: Exit.Exit<Outcome, StepError>): Runs.RunEnd => {
  if (stoppedWith !== undefined) return stoppedWith
  const end = Exit.isSuccess(exit) ? exit.value : Option.getOrUndefined(Exit.findErrorOption(exit))
  // nothing here is handed over, so nothing is merely accepted
  if (end !== undefined && end._tag !== "Accepted") return { _tag: "Ended", end, children, attempt: unwritten }
  return { _tag: "Broken", problem: Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "" }
}
