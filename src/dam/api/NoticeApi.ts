/**
 * The routes of notices. Operators only, whether or not there are any: what is told is of all customers.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { NoticeChoice, Notices } from "./NoticeShapes.ts"
import { errors } from "./Statuses.ts"

/** The routes. */
export const notices = HttpApiGroup.make("notices")
  .add(
    HttpApiEndpoint.get("get", "/api/v1/notices", { success: Notices, error: errors(401, 403, 503) }),
    HttpApiEndpoint.put("choose", "/api/v1/notices", {
      payload: NoticeChoice,
      success: Notices,
      error: errors(400, 401, 403, 413, 415, 422, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Notices",
      description: "What operators are told without asking: webhooks of the dam"
    })
  )
