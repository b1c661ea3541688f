/** Schedules as a client in the dam's own process has them: by the same rules as those over HTTP. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Schedule, ScheduleOptions, Schedules as Offered } from "../../run/Service.ts"
import { InvalidSchedule, ScheduleNotFound, ServiceError, TooManySchedules } from "../../run/Service.ts"
import { ServiceFailed, ServiceRateLimited } from "../../step/Failure.ts"
import { invalid } from "../../step/StepIssue.ts"
import type { Step } from "../../step/StepModel.ts"
import * as Job from "../../wire/Job.ts"
import * as Wire from "../../wire/Schedules.ts"
import { definitionOf, name as nameRule, ReadSchedule, viewed } from "../api/ScheduleShapes.ts"
import type { Refused } from "../intake/Refusal.ts"
import { breachOfFirings, breachOfTiming } from "../intake/ScheduleRules.ts"
import { nodesOf } from "../intake/Tree.ts"
import { localCustomer } from "../job/JobKey.ts"
import type { ScheduleDefinition, StoredSchedule } from "../store/ScheduleRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Overloaded } from "./Admission.ts"
import type * as Schedules from "./Schedules.ts"
import { timingOf } from "./Schedules.ts"

/** Makes them over a dam at work; `breach` says what no job of this dam may be. */
export const make = (
  schedules: Schedules.Schedules,
  breach: (step: Step, now: number) => Refused | undefined
): Offered => {
  const found = (name: string, schedule: Effect.Effect<StoredSchedule | undefined, Trouble>) =>
    Effect.flatMap(told(schedule), (stored) =>
      stored === undefined ? unknown(name) : Effect.flatMap(Clock.currentTimeMillis, (now) => show(stored, now))
    )
  return {
    put: Effect.fnUntraced(function* (name, options) {
      const now = yield* Clock.currentTimeMillis
      const definition = yield* Effect.mapError(
        Effect.fromResult(read(name, options, (step) => breach(step, now))),
        (reason) => new ServiceError({ reason })
      )
      return yield* found(name, schedules.set(localCustomer, name, definition))
    }),
    get: (name) => found(name, schedules.get(localCustomer, name)),
    list: Effect.flatMap(told(schedules.list(localCustomer)), (all) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.forEach(all, (one) => show(one, now)))
    ),
    delete: (name) =>
      Effect.flatMap(told(schedules.remove(localCustomer, name)), (was) => (was ? Effect.void : unknown(name))),
    pause: (name) => found(name, schedules.pause(localCustomer, name)),
    resume: (name) => found(name, schedules.resume(localCustomer, name)),
    runNow: (name) => found(name, schedules.runNow(localCustomer, name))
  }
}

/** Those of a service that is built when it is first used. */
export const lazily = (
  use: <A>(call: (schedules: Offered) => Effect.Effect<A, ServiceError>) => Effect.Effect<A, ServiceError>
): Offered => ({
  put: (name, schedule) => use(({ put }) => put(name, schedule)),
  get: (name) => use(({ get }) => get(name)),
  list: use(({ list }) => list),
  delete: (name) => use((of) => of.delete(name)),
  pause: (name) => use(({ pause }) => pause(name)),
  resume: (name) => use(({ resume }) => resume(name)),
  runNow: (name) => use(({ runNow }) => runNow(name))
})

type Trouble = StoreError | Overloaded | Schedules.TooManySchedules

const told = <A>(effect: Effect.Effect<A, Trouble>): Effect.Effect<A, ServiceError> =>
  effect.pipe(
    Effect.catch((error) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(new ServiceError({ reason: reasonOf(error, now) })))
    )
  )

const reasonOf = (error: Trouble, now: number): ServiceError["reason"] => {
  switch (error._tag) {
    case "TooManySchedules":
      return new TooManySchedules({ limit: error.limit, current: error.current })
    case "Overloaded":
      return new ServiceRateLimited({ detail: error.message, retryAt: now + error.retryAfterSeconds * 1000 })
    default:
      return new ServiceFailed({ status: 503, received: error.message })
  }
}

const unknown = (schedule: string) => Effect.fail(new ServiceError({ reason: new ScheduleNotFound({ schedule }) }))

/** A definition goes the way that it would go to a dam elsewhere, so that both take the same. */
const read = (
  name: string,
  options: ScheduleOptions,
  breach: (step: Step) => Refused | undefined
): Result.Result<ScheduleDefinition, ServiceError["reason"]> =>
  Result.gen(function* () {
    yield* checked("name", Schema.decodeUnknownResult(nameRule.name)(name))
    const choice = yield* checked("", Schema.decodeUnknownResult(ReadSchedule)(yield* Wire.encode(options)))
    const definition = definitionOf(choice)
    yield* allowed(breachOfTiming(definition.timing))
    const step = yield* Result.mapError(
      Job.decode(choice.job),
      ({ field, problem }) => new InvalidSchedule({ field: `job.${field}`, problem })
    )
    const nodes = nodesOf(step, { treeDepth: Infinity, treeNodes: Infinity })
    yield* allowed("_tag" in nodes ? nodes : breachOfFirings(nodes))
    yield* allowed(breach(step), "job.")
    return { ...definition, step }
  })

const checked = <A>(field: string, decoded: Result.Result<A, Schema.SchemaError>): Result.Result<A, InvalidSchedule> =>
  Result.mapError(decoded, ({ issue }) => new InvalidSchedule(invalid(field, issue)))

const allowed = (breach: Refused | undefined, at = ""): Result.Result<void, InvalidSchedule> => {
  if (breach === undefined) return Result.void
  const { field = "", problem } = breach
  return Result.fail(
    new InvalidSchedule({
      field: `${at}${field}`,
      problem: problem.startsWith(`${field}: `) ? problem.slice(field.length + 2) : problem
    })
  )
}

const show = (schedule: StoredSchedule, now: number): Effect.Effect<Schedule, ServiceError> =>
  Effect.orDie(Effect.fromResult(Wire.shown(viewed(schedule, timingOf(schedule), now))))
