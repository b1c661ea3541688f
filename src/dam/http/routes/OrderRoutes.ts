/** What the API does with orders: show those that stopped, show one, let it go on. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../../api/Api.ts"
import { view } from "../../api/OrderShapes.ts"
import { refused, type Refused } from "../../intake/Refusal.ts"
import type { OrderLine } from "../../store/OrderRecords.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import type { Asked, Desk } from "../door/Asked.ts"

/** What the API does with the orders of a customer. */
export interface Orders {
  readonly stopped: (customer: string) => Effect.Effect<Answer, Refused>
  readonly get: (customer: string, key: string) => Effect.Effect<Answer, Refused>
  readonly resume: (customer: string, key: string) => Effect.Effect<Answer, Refused>
}

/** Makes the handlers. */
export const make = ({ orders }: Pick<Engine["Service"], "orders">): Orders => {
  const show = (line: OrderLine | undefined) =>
    line === undefined ? Effect.fail(unknown()) : Effect.succeed(json(200, view(line)))
  const get = (customer: string, key: string) => Effect.flatMap(orRefused(orders.get(customer, key)), show)
  return {
    stopped: (customer) =>
      Effect.map(orRefused(orders.stopped(customer, shownAtMost)), (lines) => json(200, { orders: lines.map(view) })),
    get,
    resume: Effect.fnUntraced(function* (customer, key) {
      const before = yield* orRefused(orders.get(customer, key))
      if (before === undefined) return yield* unknown()
      if (!(yield* orRefused(orders.resume(customer, key)))) {
        return yield* refused(409, "order_not_stopped", "the order is not stopped", { field: "key" })
      }
      // where nobody stood in it there is nothing any more
      return json(200, view({ ...before, stopped: undefined }))
    })
  }
}

/** The routes. */
export const group = (orders: Orders, { asking }: Desk) =>
  HttpApiBuilder.group(Api, "orders", (handlers) =>
    handlers
      .handleRaw(
        "stopped",
        asking(({ customer }) => orders.stopped(customer))
      )
      .handleRaw(
        "get",
        asking(({ customer }, { params }: OfOneOrder) => orders.get(customer, params.key))
      )
      .handleRaw(
        "resume",
        asking(({ customer }, { params }: OfOneOrder) => orders.resume(customer, params.key))
      )
  )

interface OfOneOrder extends Asked {
  readonly params: { readonly key: string }
}

const unknown = (): Refused => refused(404, "order_not_found", "no unfinished job stands in this order")

const shownAtMost = 1000
