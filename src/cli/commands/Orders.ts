/** What `ezthrottle orders` does. */
import * as Effect from "effect/Effect"
import * as Shapes from "../../dam/api/OrderShapes.ts"
import * as Output from "../output/Output.ts"
import { Service } from "../service/Service.ts"

type Order = typeof Shapes.Order.Type

export const list = Effect.gen(function* () {
  const service = yield* Service
  const { json, value } = yield* service.call({ path: "/api/v1/orders", schema: Shapes.OrderList })
  yield* Output.print(json, (paint) => (value.orders.length === 0 ? "no order is stopped" : table(paint, value.orders)))
})

export const show = (key: string) => one(key, "")
export const resume = (key: string) => one(key, "/resume")

const one = Effect.fnUntraced(function* (key: string, verb: "" | "/resume") {
  const service = yield* Service
  const { json, value } = yield* service.call({
    method: verb === "" ? "GET" : "POST",
    path: `/api/v1/orders/${encodeURIComponent(key)}${verb}`,
    schema: Shapes.Order
  })
  yield* Output.print(json, (paint) => table(paint, [value]))
})

const table = (paint: Output.Paint, orders: ReadonlyArray<Order>): string =>
  Output.table(
    paint,
    ["ORDER", "JOBS", "IN FRONT", "STOPPED BY", "SINCE"],
    orders.map(({ first, jobs, key, stopped_at: at, stopped_by: by }) => [
      Output.plain(key, 60),
      String(jobs),
      first ?? "",
      by ?? "",
      at === null ? "" : Output.time(at)
    ])
  )
