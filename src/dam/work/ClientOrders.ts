/** Orders as a client in the dam's own process has them. */
import * as Effect from "effect/Effect"
import type { Orders as Offered } from "../../run/Service.ts"
import { OrderNotFound, OrderNotStopped, ServiceError } from "../../run/Service.ts"
import { localCustomer } from "../job/JobKey.ts"
import * as Secrets from "../secrets/Secrets.ts"
import type { Orders } from "./Orders.ts"

/** Makes them over a dam at work. */
export const make = (orders: Orders): Offered => ({
  stopped: Secrets.inService(orders.stopped(localCustomer, shownAtMost)),
  resume: Effect.fnUntraced(function* (key) {
    const before = yield* Secrets.inService(orders.get(localCustomer, key))
    if (before === undefined) return yield* new ServiceError({ reason: new OrderNotFound({ order: key }) })
    if (!(yield* Secrets.inService(orders.resume(localCustomer, key)))) {
      return yield* new ServiceError({ reason: new OrderNotStopped({ order: key }) })
    }
    return { ...before, stopped: undefined }
  })
})

const shownAtMost = 1000
