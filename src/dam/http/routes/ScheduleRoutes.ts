/** What the API does with schedules: show them, define them, stop them, let them go on, fire them now. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as Schema from "effect/Schema"
import type { Step } from "../../../step/StepModel.ts"
import { Api } from "../../api/Api.ts"
import { definitionOf, isName, ReadSchedule, ReadScheduleSet, viewed } from "../../api/ScheduleShapes.ts"
import { isObject } from "../../intake/Body.ts"
import type { Intake } from "../../intake/Intake.ts"
import type { Limits } from "../../intake/Limits.ts"
import { badField, refused, type Refused } from "../../intake/Refusal.ts"
import { breachOfFirings, breachOfTiming } from "../../intake/ScheduleRules.ts"
import { nodesOf } from "../../intake/Tree.ts"
import type { ScheduleDefinition, StoredSchedule } from "../../store/ScheduleRecords.ts"
import type { Engine } from "../../work/Engine.ts"
import { timingOf } from "../../work/Schedules.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import type { Asked, Desk } from "../door/Asked.ts"
import { readChoice } from "../door/Choice.ts"

type Verb = "pause" | "resume" | "runNow"

/** What the API does with the schedules of a customer. */
export interface Schedules {
  readonly list: (customer: string) => Effect.Effect<Answer, Refused>
  readonly get: (customer: string, name: string) => Effect.Effect<Answer, Refused>
  readonly set: (customer: string, name: string, body: Uint8Array) => Effect.Effect<Answer, Refused>
  readonly apply: (customer: string, body: Uint8Array) => Effect.Effect<Answer, Refused>
  readonly remove: (customer: string, name: string) => Effect.Effect<Answer, Refused>
  readonly change: (verb: Verb, customer: string, name: string) => Effect.Effect<Answer, Refused>
}

/** What the handlers work with. */
export interface Host {
  readonly engine: Pick<Engine["Service"], "schedules">
  readonly intake: Pick<Intake, "step">
  readonly limits: Limits
}

/** Makes the handlers. */
export const make = (host: Host): Schedules => {
  const { limits } = host
  const { schedules } = host.engine
  const show = (schedule: StoredSchedule | undefined): Effect.Effect<Answer, Refused> =>
    schedule === undefined
      ? Effect.fail(unknown())
      : Effect.map(Clock.currentTimeMillis, (now) => json(200, shown(schedule, now)))

  return {
    list: (customer) =>
      Effect.zipWith(orRefused(schedules.list(customer)), Clock.currentTimeMillis, (all, now) =>
        json(200, { schedules: all.map((one) => shown(one, now)) })
      ),
    get: (customer, name) => Effect.flatMap(orRefused(schedules.get(customer, name)), show),
    set: Effect.fnUntraced(function* (customer, name, body) {
      const definition = yield* readDefinition(host, customer, body)
      return yield* show(yield* orRefused(schedules.set(customer, name, definition)))
    }),
    apply: Effect.fnUntraced(function* (customer, body) {
      const said = yield* readChoice(ReadScheduleSet, body, limits)
      const wanted = new Map<string, ScheduleDefinition>()
      for (const [name, choice] of Object.entries(said.schedules)) {
        const at = `schedules.${name.slice(0, 128)}`
        if (!isName(name)) return yield* badField(at, "Expected a name of 1 to 128 characters without `:`")
        const read = readDefinition(host, customer, new TextEncoder().encode(JSON.stringify(choice)))
        wanted.set(name, yield* Effect.mapError(read, within(at)))
      }
      const dryRun = said.dry_run ?? false
      const applied = yield* orRefused(schedules.apply(customer, wanted, { deletes: said.delete ?? false, dryRun }))
      return json(200, { ...applied, dry_run: dryRun })
    }),
    remove: (customer, name) =>
      Effect.flatMap(orRefused(schedules.remove(customer, name)), (was) =>
        was ? Effect.succeed(json(200, { deleted: name })) : Effect.fail(unknown())
      ),
    change: (verb, customer, name) => Effect.flatMap(orRefused(schedules[verb](customer, name)), show)
  }
}

/** The routes. */
export const group = (schedules: Schedules, { asking }: Desk) => {
  const changing = (verb: Verb) =>
    asking(({ customer }, { params }: OfOneSchedule) => schedules.change(verb, customer, params.name))
  return HttpApiBuilder.group(Api, "schedules", (handlers) =>
    handlers
      .handleRaw(
        "list",
        asking(({ customer }) => schedules.list(customer))
      )
      .handleRaw(
        "get",
        asking(({ customer }, { params }: OfOneSchedule) => schedules.get(customer, params.name))
      )
      .handleRaw(
        "set",
        asking(({ body, customer }, { params }: OfOneSchedule) => schedules.set(customer, params.name, body))
      )
      .handleRaw(
        "apply",
        asking(({ body, customer }) => schedules.apply(customer, body))
      )
      .handleRaw(
        "delete",
        asking(({ customer }, { params }: OfOneSchedule) => schedules.remove(customer, params.name))
      )
      .handleRaw("pause", changing("pause"))
      .handleRaw("resume", changing("resume"))
      .handleRaw("run", changing("runNow"))
  )
}

interface OfOneSchedule extends Asked {
  readonly params: { readonly name: string }
}

const shown = (schedule: StoredSchedule, now: number) => viewed(schedule, timingOf(schedule), now)

/** A whole definition, and nothing that could not fire. */
const readDefinition = Effect.fnUntraced(function* (
  { intake, limits }: Host,
  customer: string,
  body: Uint8Array
): Effect.fn.Return<ScheduleDefinition, Refused> {
  const choice = yield* readChoice(ReadSchedule, body, limits)
  const { rules, timing } = definitionOf(choice)
  const wrong = breachOfTiming(timing)
  if (wrong !== undefined) return yield* wrong
  return { timing, rules, step: yield* stepOf(choice.job, { customer, intake, limits }) }
})

/** The step of a job as it was given: what it says of time counts from each firing. */
const stepOf = Effect.fnUntraced(function* (
  job: Schema.Json,
  { customer, intake, limits }: Pick<Host, "intake" | "limits"> & { readonly customer: string }
): Effect.fn.Return<Step, Refused> {
  if (!isObject(job)) return yield* badField("job", "Expected object")
  const body = new TextEncoder().encode(JSON.stringify(job))
  const step = yield* Effect.mapError(intake.step({ customer, body, headers: {} }), within("job"))
  const nodes = nodesOf(step, limits)
  const wrong = "_tag" in nodes ? nodes : breachOfFirings(nodes)
  return wrong === undefined ? step : yield* wrong
})

/** The refusal of a part as one of the body that it stands in. */
const within =
  (at: string) =>
  ({ code, extra, field, headers, problem, status }: Refused): Refused =>
    refused(status, code, field !== undefined && problem.startsWith(field) ? `${at}.${problem}` : `${at}: ${problem}`, {
      field: field === undefined ? undefined : `${at}.${field}`,
      headers,
      extra
    })

const unknown = (): Refused => refused(404, "schedule_not_found", "there is no schedule of this name")
