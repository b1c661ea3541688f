/**
 * The first attempt of a plain job, made straight: under the permit with which it was started, begun by a function and told
 * by a callback.
 *
 * Nothing is decided here. A 2xx ends the job; after anything else what happened is a history, and the interpreter goes on
 * from it in the surroundings of every other job.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { isSuccess } from "../../engine/Decide.ts"
import { begin, recorded } from "../../run/Execution.ts"
import * as Interpreter from "../../run/Interpreter.ts"
import * as Keys from "../../run/Keys.ts"
import { isGoodAttempt } from "../../run/GoodAttempt.ts"
import { readResponse } from "../../run/Reading.ts"
import * as Straight from "../../run/Straight.ts"
import * as Telemetry from "../../run/Telemetry.ts"
import type { TransportError } from "../../step/FailureModel.ts"
import type { History } from "../../step/HistoryModel.ts"
import { takes } from "../../step/Fills.ts"
import type { Outcome, StepError } from "../../step/Outcome.ts"
import type { Response } from "../../step/ReplyModel.ts"
import * as SecretHeader from "../../step/SecretHeader.ts"
import { check } from "../../step/StepRules.ts"
import { takenUp } from "../../step/TakenUp.ts"
import * as Direct from "../../transport/Direct.ts"
import type { Exchange } from "../../transport/HttpTransport.ts"
import * as Strategies from "../../transport/Strategies.ts"
import type { Permit } from "../lane/Permit.ts"
import * as JobHost from "./JobHost.ts"
import * as JobTransport from "./JobTransport.ts"
import { laneFor, letGo, type Run } from "./Run.ts"

/**
 * How the first call of a run is begun, where it can be made straight: by a plain step without limits of its own, that has
 * not been tried and still goes where it got its permit for.
 */
export const over = (self: Run, fiber: Fiber.Fiber<unknown, unknown>): Direct.Begin | undefined => {
  const { isLone, job, options, step, unused } = self
  const isPlain =
    fiber.cache.tracer === undefined &&
    isLone &&
    job.history.length === 0 &&
    step.limits.length === 0 &&
    unused?.draws.length === 0 &&
    Straight.isPlain(step) &&
    // what it names is looked up as it is sent
    !SecretHeader.names(step.request.headers) &&
    !takes(step) &&
    takenUp(step, fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()) === step &&
    check(step) === undefined &&
    fiber.getRef(Straight.Straight) &&
    laneFor(self, step.request) === job.lane
  return isPlain ? Direct.of(options.transport) : undefined
}

/** Runs a job whose first call is begun as {@link over} says. */
export const run = (
  self: Run,
  beginCall: Direct.Begin,
  fiber: Fiber.Fiber<unknown, unknown>
): Effect.Effect<Outcome, StepError> =>
  Effect.suspend(() => {
    const { job, options, unused: permit } = self
    if (permit === undefined) return Effect.never
    return Effect.flatMap(permit.depart(JobHost.mayLeave), (departed) =>
      departed
        ? Effect.flatMap(options.lanes.load(job.lane), (load) => call(self, { permit, load, fiber }, beginCall))
        : Effect.andThen(letGo(self), JobHost.comeBack(self))
    )
  })

/** With what a call leaves. */
interface Leaving {
  readonly permit: Permit
  readonly load: Readonly<Record<string, string>>
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

const call = (self: Run, leaving: Leaving, beginCall: Direct.Begin): Effect.Effect<Outcome, StepError> =>
  Effect.callback<Outcome, StepError>((resume) => {
    const { job, options } = self
    const { fiber, load, permit } = leaving
    const made = calling(self, leaving)
    const { exchange, sent } = made
    const headers = JobTransport.headersOf(exchange.request.headers, load, sent.nth)
    let isTold = false
    const stop = beginCall({ ...exchange, request: { ...exchange.request, headers } }, fiber, (result, more) => {
      isTold = true
      // read in the job's fiber: what cannot be read is a fault of this job, and nobody else's
      const went = Effect.suspend(() =>
        more === undefined && Exit.isSuccess(result) ? answered(made, result.value) : rest(made, more ?? result)
      )
      resume(Effect.onError(went, () => permit.release))
    })
    // from here on it is given back here
    self.unused = undefined
    return Effect.suspend(() => {
      // what it was resumed with may be interrupted too
      if (isTold) return Effect.void
      stop()
      const attempt = made.ended({ _tag: "Interrupted" }, undefined)
      return Effect.andThen(permit.release, Effect.ignore(options.store.record(job.id, job.epoch, attempt)))
    })
  })

/** A call that is made, and what is done with its end. */
interface Calling extends Leaving {
  readonly self: Run
  readonly exchange: Exchange
  readonly sent: JobTransport.Sent
  readonly asked: JobTransport.Asked
  readonly execution: { history: History }
  readonly ended: ReturnType<typeof begin>
  readonly read: ReturnType<typeof readResponse>
}

const calling = (self: Run, leaving: Leaving): Calling => {
  const { job, options, step } = self
  const { fiber } = leaving
  const request = Keys.requestFor(step, { hashKey: job.id })
  const sentAt = Number(fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe()) / 1e6
  const execution = { history: job.history }
  return {
    ...leaving,
    self,
    exchange: {
      request,
      region: undefined,
      step,
      timeoutMillis: JobHost.attemptMillis(options, step),
      attempt: `${job.id}/0.0.0`
    },
    sent: { nth: ++self.calls, sentAt },
    asked: { request, lane: job.lane, sentAt },
    execution,
    ended: begin(execution, step, Straight.first, fiber),
    read: readResponse(JobHost.refusals(self, request))
  }
}

/** A 2xx ends the job. */
const answered = (made: Calling, response: Response): Effect.Effect<Outcome, StepError> => {
  const { asked, ended, execution, fiber, permit, read, self } = made
  const { ending, response: told } = read(response, fiber.getRef(Clock.Clock).currentTimeMillisUnsafe())
  if (ending._tag !== "Answered" || !isSuccess(ending)) return rest(made, Effect.succeed(response))
  return Effect.uninterruptible(
    Effect.flatMap(JobTransport.learnt(self, asked, told), () => {
      const attempt = ended(ending, told)
      // it is stored with the end
      self.last = attempt
      self.unwritten = attempt
      const outcome = Straight.completed(self.step, execution, attempt)
      Telemetry.countStep(outcome, fiber.context)
      return Effect.as(permit.release, outcome)
    })
  )
}

/** What differs from a 2xx goes the way of every other job. */
const rest = (made: Calling, result: Effect.Effect<Response, TransportError>): Effect.Effect<Outcome, StepError> => {
  const { asked, ended, exchange, execution, fiber, permit, read, self, sent } = made
  const { step } = self
  const host = JobHost.make(self)
  const whole = JobTransport.wholly(self, exchange, sent, JobTransport.learning(self, asked, result))
  const attempt = recorded({ ended, read, record: host.record, fiber }, whole)
  const attempted = Effect.uninterruptibleMask((restore) =>
    Effect.ensuring(Effect.provideService(restore(attempt), JobTransport.Under, permit), permit.release)
  )
  return Effect.flatMap(attempted, (tried) =>
    isGoodAttempt(tried)
      ? Telemetry.step(step, Effect.succeed(Straight.completed(step, execution, tried)))
      : Interpreter.run(step, Strategies.only(JobTransport.make(self)), {
          ...host,
          history: execution.history,
          goesOn: true
        })
  )
}
