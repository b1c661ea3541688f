/**
 * What the API does with dead letters and endpoints: list, replay, purge, enable.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as Schema from "effect/Schema"
import { Api } from "../../api/Api.ts"
import { type DeadLetterQuery, EndpointChoice, PurgeChoice, ReplayChoice } from "../../api/DeliveryShapes.ts"
import * as Shapes from "../../api/DeliveryShapes.ts"
import type { Limits } from "../../intake/Limits.ts"
import { refused, type Refused } from "../../intake/Refusal.ts"
import type { DeadLetterFilter } from "../../store/DeliveryRecords.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import type { Call, Desk } from "../door/Asked.ts"
import { readChoice } from "../door/Choice.ts"

/** What the API does with deliveries, for a customer. */
export interface Deliveries {
  readonly list: (customer: string, query: Query) => Effect.Effect<Answer, Refused>
  readonly replayOne: (customer: string, id: string) => Effect.Effect<Answer, Refused>
  readonly replay: (customer: string, body: Uint8Array) => Effect.Effect<Answer, Refused>
  readonly purge: (customer: string, body: Uint8Array) => Effect.Effect<Answer, Refused>
  readonly endpoints: (customer: string) => Effect.Effect<Answer, Refused>
  /** What receivers check `v1a` signatures with. */
  readonly webhookKey: Effect.Effect<Answer, Refused>
  readonly enable: (customer: string, body: Uint8Array) => Effect.Effect<Answer, Refused>
}

type Query = Schema.Struct<typeof DeadLetterQuery>["Type"]

/** Makes the handlers. */
export const make = (
  { deadLetters, webhookKey }: Pick<Engine["Service"], "deadLetters" | "webhookKey">,
  limits: Limits
): Deliveries => ({
  list: (customer, { limit = defaultPage, cursor, ...query }) =>
    Effect.map(orRefused(deadLetters.list({ ...filterOf(customer, query), cursor, limit })), (page) =>
      json(200, Shapes.deadLetterPage(page))
    ),
  replayOne: (customer, deliveryId) =>
    Effect.flatMap(orRefused(deadLetters.replay({ customer, deliveryId })), (replayed) =>
      replayed === 0 ? Effect.fail(unknown()) : Effect.succeed(json(200, Shapes.replayed(replayed)))
    ),
  replay: Effect.fnUntraced(function* (customer, body) {
    const { rps, ...query } = yield* readChoice(ReplayChoice, body, limits)
    return json(200, Shapes.replayed(yield* orRefused(deadLetters.replay(filterOf(customer, query), rps))))
  }),
  purge: Effect.fnUntraced(function* (customer, body) {
    const query = yield* readChoice(PurgeChoice, body, limits)
    return json(200, Shapes.purged(yield* orRefused(deadLetters.purge(filterOf(customer, query)))))
  }),
  webhookKey:
    webhookKey === undefined
      ? Effect.fail(refused(404, "key_not_found", "this dam signs with shared secrets only"))
      : Effect.succeed(json(200, Shapes.key(webhookKey))),
  endpoints: (customer) =>
    Effect.map(orRefused(deadLetters.endpoints(customer)), (endpoints) => json(200, Shapes.endpoints(endpoints))),
  enable: Effect.fnUntraced(function* (customer, body) {
    const { url } = yield* readChoice(EndpointChoice, body, limits)
    const known = yield* orRefused(deadLetters.enable(customer, url))
    if (known === undefined) return yield* Effect.fail(unknownEndpoint())
    return json(200, Shapes.enabled(known))
  })
})

/** The routes. */
export const group = (deliveries: Deliveries, { asking }: Desk) => {
  const choosing = (answer: (customer: string, body: Uint8Array) => Effect.Effect<Answer, Refused>) =>
    asking(({ body, customer }: Call) => answer(customer, body))
  return HttpApiBuilder.group(Api, "deliveries", (handlers) =>
    handlers
      .handleRaw(
        "deadLetters",
        asking(({ customer }, { query }) => deliveries.list(customer, query))
      )
      .handleRaw("replay", choosing(deliveries.replay))
      .handleRaw("purge", choosing(deliveries.purge))
      .handleRaw(
        "replayOne",
        asking(({ customer }, { params }) => deliveries.replayOne(customer, params.delivery_id))
      )
      .handleRaw(
        "endpoints",
        asking(({ customer }) => deliveries.endpoints(customer))
      )
      .handleRaw("enable", choosing(deliveries.enable))
      .handleRaw(
        "webhookKey",
        asking(() => deliveries.webhookKey)
      )
  )
}

const filterOf = (customer: string, { job_id, ...query }: Omit<Query, "cursor" | "limit">): DeadLetterFilter => ({
  customer,
  jobId: job_id,
  ...query
})

const unknown = () =>
  refused(404, "dead_letter_not_found", "there is no such dead letter; it may have been delivered or deleted")

const unknownEndpoint = () =>
  refused(404, "endpoint_not_found", "no such endpoint has failed since it last took a delivery", { field: "url" })

const defaultPage = 50
