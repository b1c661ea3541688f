/**
 * The route of failures. A customer is shown its own, an operator everybody's.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { FailureQuery, Failures } from "./FailureShapes.ts"
import { errors } from "./Statuses.ts"

/** The routes. */
export const failures = HttpApiGroup.make("failures")
  .add(
    HttpApiEndpoint.get("list", "/api/v1/failures", {
      query: FailureQuery,
      success: Failures,
      error: errors(400, 401, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Failures",
      description: "What fails, where and why: failed jobs by host, status and reason"
    })
  )
