/** The schedules of a caller, at a dam. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { excerpt, type Unsendable } from "../step/FailureModel.ts"
import type { DirectAnswer, DirectCall, EzthrottleApi } from "../transport/EzthrottleApi.ts"
import { parse } from "../wire/Proxy.ts"
import * as Wire from "../wire/Schedules.ts"
import { isId, type Reason, refusalOf } from "./RemoteJobs.ts"
import type { Schedules } from "./Service.ts"
import { InvalidSchedule, NotOffered, ScheduleNotFound, ServiceError, TooManySchedules } from "./Service.ts"

type Refusal = Reason | NotOffered | InvalidSchedule | ScheduleNotFound | TooManySchedules

/** Makes the calls. */
export const make = (api: EzthrottleApi["Service"]): Schedules => {
  const one = <A, E extends Refusal>(
    name: string,
    read: (body: string) => Result.Result<A, E>,
    { below = "", ...call }: Pick<DirectCall<A, E>, "body" | "method"> & { readonly below?: string } = {}
  ): Effect.Effect<A, ServiceError> =>
    Effect.mapError(
      isId(name)
        ? api.direct({ ...call, path: `${all}/${encodeURIComponent(name)}${below}`, read: reading(name, read) })
        : Effect.fail<Refusal>(new InvalidSchedule({ field: "name", problem: "Expected no part of a path" })),
      (reason) => new ServiceError({ reason })
    )
  const change = (below: string) => (name: string) => one(name, Wire.read, { method: "POST", below })
  return {
    put: (name, options) =>
      Result.match(Wire.encode(options), {
        onFailure: (reason: Unsendable) => Effect.fail(new ServiceError({ reason })),
        onSuccess: (body) => one(name, Wire.read, { method: "PUT", body: JSON.stringify(body) })
      }),
    get: (name) => one(name, Wire.read),
    list: Effect.mapError(
      api.direct({ path: all, read: reading("", Wire.readAll) }),
      (reason) => new ServiceError({ reason })
    ),
    delete: (name) => one(name, () => Result.succeed(undefined), { method: "DELETE" }),
    pause: change("/pause"),
    resume: change("/resume"),
    runNow: change("/run")
  }
}

const all = "/api/v1/schedules"

const reading =
  <A, E extends Refusal>(name: string, read: (body: string) => Result.Result<A, E>) =>
  (answer: DirectAnswer): Result.Result<A, Refusal> => {
    const refusal = ofSchedule(name, answer) ?? refusalOf(name, answer)
    if (refusal?._tag === "CannotAwait") return Result.fail(new NotOffered({ operation: "schedules" }))
    return refusal === undefined ? read(answer.body) : Result.fail(refusal)
  }

/** What a dam says of schedules alone; `undefined`: anything else. */
const ofSchedule = (name: string, { body, status }: DirectAnswer): Refusal | undefined => {
  if (status < 400) return undefined
  const answer = Result.getOrUndefined(said(parse(body)))
  if (answer === undefined) return undefined
  const { code, current = 0, error = "", field = "", limit = 0 } = answer
  if (status === 404 && code === "schedule_not_found") return new ScheduleNotFound({ schedule: name })
  if (status === 429 && code === "too_many_schedules") return new TooManySchedules({ limit, current })
  if (field === "" || !(status === 400 || status === 413 || status === 422)) return undefined
  const problem = error.startsWith(`${field}: `) ? error.slice(field.length + 2) : error
  return new InvalidSchedule({ field, problem: excerpt(problem) })
}

const said = Schema.decodeUnknownResult(
  Schema.Struct({
    code: Schema.optionalKey(Schema.String),
    error: Schema.optionalKey(Schema.String),
    field: Schema.optionalKey(Schema.String),
    limit: Schema.optionalKey(Schema.Number),
    current: Schema.optionalKey(Schema.Number)
  })
)
