/** What the API does with limits that calls draw on: show them, define them, take definitions back. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../../api/Api.ts"
import { LimitChoice, optionsOf, view } from "../../api/LimitShapes.ts"
import type { Limits as IntakeLimits } from "../../intake/Limits.ts"
import { badField, refused, type Refused } from "../../intake/Refusal.ts"
import type { LimitInUse } from "../../lane/CallLimits.ts"
import * as LimitOptions from "../../lane/LimitOptions.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import type { Asked, Call, Desk } from "../door/Asked.ts"
import { mayCall } from "../door/Callers.ts"
import { readChoice } from "../door/Choice.ts"
import type { Keys, Role } from "../door/Keys.ts"

type Caller = Pick<Call, "customer" | "role">

/** What the API does with limits; the customer of a change is who is noted down. */
export interface Limits {
  readonly list: (caller: Caller) => Effect.Effect<Answer>
  readonly get: (caller: Caller, name: string) => Effect.Effect<Answer, Refused>
  readonly set: (caller: Caller, name: string, body: Uint8Array) => Effect.Effect<Answer, Refused>
  readonly remove: (caller: Caller, name: string) => Effect.Effect<Answer, Refused>
}

/** Makes the handlers. */
export const make = (
  { callLimits }: Pick<Engine["Service"], "callLimits">,
  limits: IntakeLimits,
  keys: Pick<Keys, "nameOperators"> = { nameOperators: false }
): Limits => ({
  list: ({ role }) =>
    Effect.map(callLimits.list, (all) => json(200, { limits: all.map((one) => view(one, mayChange(role, keys))) })),
  get: ({ role }, name) =>
    Effect.flatMap(callLimits.get(name), (status) =>
      status === undefined ? Effect.fail(unknown()) : Effect.succeed(json(200, view(status, mayChange(role, keys))))
    ),
  set: Effect.fnUntraced(function* ({ customer }, name, body) {
    const options = optionsOf(yield* readChoice(LimitChoice, body, limits))
    const wrong = LimitOptions.problemIn(options)
    if (wrong !== undefined) {
      return yield* badField(wrong.path.map((part) => (part === "per" ? "per_ms" : part)).join("."), wrong.problem)
    }
    const status = yield* orRefused(callLimits.set(name, LimitOptions.make(options), customer))
    return json(200, view(status, true))
  }),
  remove: Effect.fnUntraced(function* (_, name) {
    if (!callLimits.isKnown(name)) return yield* unknown()
    const left = yield* orRefused(Effect.catchTag(callLimits.remove(name), "LimitInUse", (error) => inUse(error)))
    return json(200, { limit: left === undefined ? null : view(left, true) })
  })
})

/** The routes. */
export const group = (limits: Limits, { asking }: Desk) =>
  HttpApiBuilder.group(Api, "limits", (handlers) =>
    handlers
      .handleRaw(
        "list",
        asking((caller) => limits.list(caller))
      )
      .handleRaw(
        "get",
        asking((caller, { params }: OfOneLimit) => limits.get(caller, params.name))
      )
      .handleRaw(
        "set",
        asking((caller, { params }: OfOneLimit) => limits.set(caller, params.name, caller.body))
      )
      .handleRaw(
        "delete",
        asking((caller, { params }: OfOneLimit) => limits.remove(caller, params.name))
      )
  )

interface OfOneLimit extends Asked {
  readonly params: { readonly name: string }
}

/** Whoever may change a limit sees all of it. */
const mayChange = (role: Role, keys: Pick<Keys, "nameOperators">): boolean =>
  mayCall("operator, once there is one", { role }, keys)

const unknown = (): Refused => refused(404, "limit_not_found", "there is no limit of this name")

const inUse = ({ jobs, message }: LimitInUse) =>
  Effect.fail(refused(409, "limit_in_use", message, { extra: { current: jobs } }))
