/**
 * What the API does with permits: grant them, let their calls depart, hear what was answered, take them back.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../../api/Api.ts"
import {
  DepartChoice,
  ended,
  held,
  PermitChoice,
  PermitReport,
  RenewChoice,
  usualLease
} from "../../api/PermitShapes.ts"
import { breachIn } from "../../intake/Draws.ts"
import type { Limits } from "../../intake/Limits.ts"
import { badField, later, refused, type Refused } from "../../intake/Refusal.ts"
import { scopeOf } from "../../job/JobKey.ts"
import { accountOf, canonicalLane, hostIn, isReceiverLane } from "../../job/LaneName.ts"
import type { NoTurn, TooManyPermits, UnknownPermit } from "../../lane/Permits.ts"
import * as Reply from "../../../step/Reply.ts"
import type { IsCopy } from "../../store/StoreError.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json } from "../door/Answer.ts"
import type { Call, Desk, OfOneJob } from "../door/Asked.ts"
import { readChoice } from "../door/Choice.ts"

/** What the handlers work with. */
export interface Host {
  readonly engine: Pick<Engine["Service"], "callLimits" | "permits">
  readonly limits: Limits
  /** Done when the dam goes down: whoever waits is answered. */
  readonly leaving: Deferred.Deferred<void>
}

type Given = Pick<Call, "body" | "customer">

/** What the API does with permits, for a customer. */
export interface Permits {
  readonly acquire: (given: Given) => Effect.Effect<Answer, Refused>
  readonly renew: (given: Given, id: string) => Effect.Effect<Answer, Refused>
  readonly depart: (given: Given, id: string) => Effect.Effect<Answer, Refused>
  readonly report: (given: Given, id: string) => Effect.Effect<Answer, Refused>
  readonly giveBack: (given: Given, id: string) => Effect.Effect<Answer, Refused>
}

/** Makes the handlers. */
export const make = ({ engine: { callLimits, permits }, leaving, limits }: Host): Permits => {
  const waitOf = (asked: number = limits.waitMillis): number => Math.min(asked, limits.waitMillis)
  // whoever waits is told to come to the dam that follows
  const orLeft = <A, E>(wait: Effect.Effect<A, E>): Effect.Effect<A, E | Refused> =>
    Effect.raceFirst(wait, Effect.andThen(Deferred.await(leaving), Effect.fail(goingDown())))
  return {
    acquire: Effect.fnUntraced(function* ({ body, customer }) {
      const given = yield* readChoice(PermitChoice, body, limits)
      const { account, depart, headers = {}, lease_ms, limits: drawn = [], wait_ms } = given
      const draws = drawn.map(({ cost = 1, key = "", name }) => ({ name, key, cost }))
      const lane = yield* laneIn(permits, given)
      const breach = breachIn(draws, callLimits)
      if (breach !== undefined) return yield* breach
      const ask = {
        customer,
        lane,
        draws,
        account: accountOf(scopeOf(customer, account), headers),
        waitMillis: waitOf(wait_ms),
        leaseMillis: lease_ms ?? usualLease,
        departs: depart === true
      }
      return json(200, held(yield* orToldWhy(orLeft(permits.acquire(ask)))))
    }),
    renew: Effect.fnUntraced(function* ({ body, customer }, id) {
      const { lease_ms } = yield* readChoice(RenewChoice, body, limits)
      return json(200, held(yield* orToldWhy(permits.renew({ customer, id }, lease_ms))))
    }),
    depart: Effect.fnUntraced(function* ({ body, customer }, id) {
      const { wait_ms } = yield* readChoice(DepartChoice, body, limits)
      return json(200, held(yield* orToldWhy(orLeft(permits.depart({ customer, id }, waitOf(wait_ms))))))
    }),
    report: Effect.fnUntraced(function* ({ body, customer }, id) {
      const { headers = {}, sent_at: sentAt, status, ...said } = yield* readChoice(PermitReport, body, limits)
      const response = status === undefined ? undefined : Reply.response(status, lowerCase(headers), said.body)
      return json(200, ended(id, yield* orToldWhy(permits.report({ customer, id }, { response, sentAt }))))
    }),
    giveBack: ({ customer }, id) =>
      Effect.map(orToldWhy(permits.giveBack({ customer, id })), (after) => json(200, ended(id, after)))
  }
}

/** The routes. */
export const group = (permits: Permits, { asking }: Desk) => {
  const ofOne = (answer: (given: Given, id: string) => Effect.Effect<Answer, Refused>) =>
    asking((call, { params }: OfOneJob) => answer(call, params.id))
  return HttpApiBuilder.group(Api, "permits", (handlers) =>
    handlers
      .handleRaw(
        "acquire",
        asking((call) => permits.acquire(call))
      )
      .handleRaw("renew", ofOne(permits.renew))
      .handleRaw("depart", ofOne(permits.depart))
      .handleRaw("report", ofOne(permits.report))
      .handleRaw("giveBack", ofOne(permits.giveBack))
  )
}

const laneIn = (
  permits: Pick<Engine["Service"]["permits"], "laneOf">,
  choice: typeof PermitChoice.Type
): Effect.Effect<string, Refused> => {
  const { headers = {}, lane, method = "GET", url } = choice
  if (lane !== undefined && url !== undefined) return Effect.fail(badField("lane", "Expected url or lane, not both"))
  if (lane !== undefined) {
    const found = canonicalLane(lane)
    // keys within a host are the dam's to give, and receivers are told by the dam alone
    return found === undefined || isReceiverLane(found) || hostIn(found) !== found
      ? Effect.fail(badField("lane", "Expected a host or host:port"))
      : Effect.succeed(found)
  }
  if (url === undefined) return Effect.fail(badField("url", "Expected url or lane"))
  const target = URL.parse(url)
  return target === null || canonicalLane(target.origin) === undefined
    ? Effect.fail(badField("url", "Expected an absolute http or https URL"))
    : Effect.succeed(permits.laneOf({ url: target.href, method, headers }))
}

const lowerCase = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

type PermitError = IsCopy | NoTurn | Refused | TooManyPermits | UnknownPermit

const orToldWhy = <A>(effect: Effect.Effect<A, PermitError>): Effect.Effect<A, Refused> =>
  Effect.mapError(effect, refusalOf)

const refusalOf = (error: PermitError): Refused => {
  switch (error._tag) {
    case "Refused":
      return error
    case "IsCopy":
      return refused(503, "is_copy", error.message, { extra: { copied_at: error.copiedAt } })
    case "UnknownPermit":
      return refused(404, "unknown_permit", error.message)
    // its place is given up, so that nothing goes on which a 202 would speak of
    case "NoTurn":
      return later({
        status: 429,
        code: "no_turn",
        problem: error.message,
        after: error.retryAfter / 1000,
        extra: { retry_after_ms: error.retryAfter }
      })
    case "TooManyPermits":
      return later({
        status: 429,
        code: "too_many_permits",
        problem: error.message,
        after: 1,
        extra: { limit_reason: "permits", limit: error.limit, current: error.current, retry_after_ms: 1000 }
      })
  }
}

const goingDown = (): Refused =>
  later({ status: 503, code: "leaving", problem: "the dam is about to stop; ask the one that follows", after: 1 })
