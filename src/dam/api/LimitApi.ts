/**
 * The routes of limits that calls draw on together.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { Limit, LimitChoice, LimitLeft, LimitList, name } from "./LimitShapes.ts"
import { errors } from "./Statuses.ts"

/** Limits: look at them, define them, take definitions back. */
export const limits = HttpApiGroup.make("limits")
  .add(
    HttpApiEndpoint.get("list", "/api/v1/limits", { success: LimitList, error: errors(401, 503) }),
    HttpApiEndpoint.get("get", "/api/v1/limits/:name", {
      params: name,
      success: Limit,
      error: errors(400, 401, 404, 503)
    }),
    HttpApiEndpoint.put("set", "/api/v1/limits/:name", {
      params: name,
      payload: LimitChoice,
      success: Limit,
      error: errors(400, 401, 403, 413, 415, 503)
    }),
    HttpApiEndpoint.delete("delete", "/api/v1/limits/:name", {
      params: name,
      success: LimitLeft,
      error: errors(400, 401, 403, 404, 409, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Limits",
      description: "What several calls draw on together, beside the pace of their hosts: look at it, define it"
    })
  )
