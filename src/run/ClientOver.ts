/** A client over whatever interprets its steps. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Accepted, Outcome, StepError } from "../step/Outcome.ts"
import type { Step } from "../step/StepModel.ts"
import type { Delegating } from "../transport/HttpTransport.ts"
import type { Strategies } from "../transport/Strategies.ts"
import type { EZThrottle } from "./ClientService.ts"
import { AwaitTimedOut, type Service, ServiceError } from "./Service.ts"

/** What runs steps, and hands them over. */
export interface Interpreting {
  readonly run: (step: Step, strategies: Strategies["Service"]) => Effect.Effect<Outcome, StepError>
  readonly submit: (step: Step, service: Delegating) => Effect.Effect<Accepted, StepError>
}

/** Builds the client. */
export const make = (
  { run, submit }: Interpreting,
  strategies: Strategies["Service"],
  service: Service["Service"]
): EZThrottle["Service"] => ({
  execute: (step) => run(step, strategies),
  submit: (step) => submit(step, service.transport),
  job: service.job,
  explain: service.explain,
  runNow: service.runNow,
  change: service.change,
  cancel: service.cancel,
  rerun: service.rerun,
  erase: service.erase,
  list: service.list,
  failures: service.failures,
  many: service.many,
  awaitJob: (jobId, options) => {
    const limit = Duration.fromInputUnsafe(options?.timeout ?? Duration.minutes(5))
    return Effect.flatMap(Effect.timeoutOption(service.results.await(jobId), limit), (result) =>
      Option.isSome(result)
        ? Effect.succeed(result.value)
        : Effect.fail(new ServiceError({ reason: new AwaitTimedOut({ jobId, afterMillis: Duration.toMillis(limit) }) }))
    )
  },
  secrets: service.secrets,
  schedules: service.schedules,
  credentials: service.credentials,
  orders: service.orders
})
