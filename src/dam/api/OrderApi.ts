/**
 * The routes of orders, in which jobs of one key run one at a time.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { key, Order, OrderList } from "./OrderShapes.ts"
import { errors } from "./Statuses.ts"

const ofOne = errors(400, 401, 404, 503)

/** Orders: look at those that stopped, look at one, let it go on. Each customer has its own. */
export const orders = HttpApiGroup.make("orders")
  .add(
    HttpApiEndpoint.get("stopped", "/api/v1/orders", { success: OrderList, error: errors(401, 503) }),
    HttpApiEndpoint.get("get", "/api/v1/orders/:key", { params: key, success: Order, error: ofOne }),
    HttpApiEndpoint.post("resume", "/api/v1/orders/:key/resume", {
      params: key,
      success: Order,
      error: errors(400, 401, 404, 409, 503)
    })
  )
  .annotateMerge(OpenApi.annotations({ title: "Orders", description: "Lines of jobs of which one runs at a time" }))
