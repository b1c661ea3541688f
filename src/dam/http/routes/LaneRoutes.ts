/**
 * What the API does with lanes: show them, stop them, let them go on, set their pace and by what calls find them, take everything back.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../../api/Api.ts"
import { canonicalLane, hostIn, isReceiverLane } from "../../job/LaneName.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import type { Asked, Desk } from "../door/Asked.ts"
import { readChoice } from "../door/Choice.ts"
import { badField, type Refused } from "../../intake/Refusal.ts"
import type { Limits } from "../../intake/Limits.ts"
import type { LaneAction } from "../../lane/Steering.ts"
import { choiceIn, RuleChoice } from "../../api/LaneRuleShapes.ts"
import { BreakerChoice, log, NoChoice, PaceChoice, page, PauseChoice, view } from "../../api/LaneShapes.ts"

type Verb = "pause" | "resume" | "pace" | "reset" | "rule" | "breaker"

/** What the API does with lanes; `customer` is who is noted down. */
export interface Lanes {
  readonly list: (query: {
    readonly limit?: number
    readonly cursor?: string
    readonly prefix?: string
  }) => Effect.Effect<Answer, Refused>
  readonly get: (lane: string) => Effect.Effect<Answer, Refused>
  readonly change: (verb: Verb, customer: string, lane: string, body: Uint8Array) => Effect.Effect<Answer, Refused>
  readonly log: (lane: string) => Effect.Effect<Answer, Refused>
}

/** Makes the handlers. */
export const make = ({ steering }: Pick<Engine["Service"], "steering">, limits: Limits): Lanes => ({
  list: ({ cursor, limit = defaultPage, prefix }) =>
    Effect.map(orRefused(steering.list({ after: cursor, limit, prefix })), (listed) => json(200, page(listed))),
  get: (given) =>
    Effect.flatMap(named(given), (lane) =>
      Effect.map(orRefused(steering.get(lane)), (status) => json(200, view(status)))
    ),
  change: Effect.fnUntraced(function* (verb, customer, given, body) {
    const lane = yield* named(given)
    if (verb === "rule" && (hostIn(lane) !== lane || isReceiverLane(lane))) {
      return yield* Effect.fail(badField("lane", "Expected a host or host:port: its rule is of all its lanes"))
    }
    const action = yield* actionIn(verb, body, limits)
    return json(200, view(yield* orRefused(steering.change(lane, customer, action))))
  }),
  log: (given) =>
    Effect.flatMap(named(given), (lane) =>
      Effect.map(orRefused(steering.log(lane, logPage)), (entries) => json(200, log(entries)))
    )
})

/** The routes. */
export const group = (lanes: Lanes, { asking }: Desk) => {
  const steering = (verb: Verb) =>
    asking(({ body, customer }, { params }: OfOneLane) => lanes.change(verb, customer, params.lane, body))
  return HttpApiBuilder.group(Api, "lanes", (handlers) =>
    handlers
      .handleRaw(
        "list",
        asking((_, { query }) => lanes.list(query))
      )
      .handleRaw(
        "get",
        asking((_, { params }) => lanes.get(params.lane))
      )
      .handleRaw("pause", steering("pause"))
      .handleRaw("resume", steering("resume"))
      .handleRaw("pace", steering("pace"))
      .handleRaw("rule", steering("rule"))
      .handleRaw("breaker", steering("breaker"))
      .handleRaw("reset", steering("reset"))
      .handleRaw(
        "log",
        asking((_, { params }) => lanes.log(params.lane))
      )
  )
}

interface OfOneLane extends Asked {
  readonly params: { readonly lane: string }
}

/** The lane of a name that was given. */
export const named = (given: string): Effect.Effect<string, Refused> => {
  const lane = canonicalLane(given)
  return lane === undefined || given.length > 300
    ? Effect.fail(badField("lane", "Expected a host, host:port or host:port#key"))
    : Effect.succeed(lane)
}

const actionIn = (verb: Verb, body: Uint8Array, limits: Limits): Effect.Effect<LaneAction, Refused> => {
  switch (verb) {
    case "pause":
      return Effect.map(readChoice(PauseChoice, body, limits), ({ note }) => ({
        _tag: "Pause",
        note: note ?? undefined
      }))
    case "pace":
      return Effect.map(readChoice(PaceChoice, body, limits), ({ find, max_concurrent: most, rps }) => ({
        _tag: "Pace",
        rps: rps ?? undefined,
        maxConcurrent: most ?? undefined,
        find: find ?? undefined
      }))
    case "resume":
      return Effect.as(readChoice(NoChoice, body, limits), { _tag: "Resume" })
    case "rule":
      return Effect.map(readChoice(RuleChoice, body, limits), ({ parts }) => ({
        _tag: "Rule",
        choice: parts === null ? undefined : choiceIn(parts)
      }))
    case "breaker":
      return Effect.map(readChoice(BreakerChoice, body, limits), ({ note, state }) => ({
        _tag: "Breaker",
        to: state,
        note: note ?? undefined
      }))
    case "reset":
      return Effect.as(readChoice(NoChoice, body, limits), { _tag: "Reset" })
  }
}

const defaultPage = 100
const logPage = 200
