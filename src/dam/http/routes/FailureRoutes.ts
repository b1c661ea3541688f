/** What the API does with failures: group them, for a customer or for an operator. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as Schema from "effect/Schema"
import { Api } from "../../api/Api.ts"
import { failures, type FailureQuery } from "../../api/FailureShapes.ts"
import type { Refused } from "../../intake/Refusal.ts"
import type { FailurePort } from "../../store/FailureRecords.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import type { Call, Desk } from "../door/Asked.ts"

type Query = Schema.Struct<typeof FailureQuery>["Type"]

/** What the API does with failures. */
export interface Failures {
  readonly list: (caller: Pick<Call, "customer" | "role">, query: Query) => Effect.Effect<Answer, Refused>
}

/** Makes the handlers. */
export const make = (store: FailurePort): Failures => ({
  list: ({ customer, role }, { host, limit = defaultLimit, sort = "newest", ...window }) =>
    Effect.map(
      orRefused(
        store.failures({
          ...window,
          customer: role === "operator" ? undefined : customer,
          // as lanes are spelt
          host: host?.replace(/^[^#]*/, (name) => name.toLowerCase()),
          sort,
          limit
        })
      ),
      (found) => json(200, failures(found))
    )
})

/** The routes. */
export const group = ({ list }: Failures, { asking }: Desk) =>
  HttpApiBuilder.group(Api, "failures", (handlers) =>
    handlers.handleRaw(
      "list",
      asking((call, { query }) => list(call, query))
    )
  )

const defaultLimit = 50
