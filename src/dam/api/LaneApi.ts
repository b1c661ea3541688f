/**
 * The routes of lanes, which operators use.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { BreakerChoice, Lane, LaneLog, LanePage, LaneQuery, PaceChoice, PauseChoice } from "./LaneShapes.ts"
import { RuleChoice } from "./LaneRuleShapes.ts"
import { errors } from "./Statuses.ts"

const lane = {
  lane: Schema.String.check(Schema.isMaxLength(300, { message: "Expected a host, host:port or host:port#key" }))
}
const steering = errors(400, 401, 403, 404, 413, 415, 503)

/** Whoever has nothing to say sends no body. */
const bodyOptional = ({ requestBody, ...operation }: Schema.JsonObject) => ({
  ...operation,
  requestBody: { ...Object(requestBody), required: false }
})

/** Lanes: look at them, stop them, change their pace. */
export const lanes = HttpApiGroup.make("lanes")
  .add(
    HttpApiEndpoint.get("list", "/api/v1/lanes", {
      query: LaneQuery,
      success: LanePage,
      error: errors(400, 401, 503)
    }),
    HttpApiEndpoint.get("get", "/api/v1/lanes/:lane", {
      params: lane,
      success: Lane,
      error: errors(400, 401, 404, 503)
    }),
    HttpApiEndpoint.post("pause", "/api/v1/lanes/:lane/pause", {
      params: lane,
      payload: PauseChoice,
      success: Lane,
      error: steering
    }).annotate(OpenApi.Transform, bodyOptional),
    HttpApiEndpoint.post("resume", "/api/v1/lanes/:lane/resume", { params: lane, success: Lane, error: steering }),
    HttpApiEndpoint.post("pace", "/api/v1/lanes/:lane/pace", {
      params: lane,
      payload: PaceChoice,
      success: Lane,
      error: steering
    }),
    HttpApiEndpoint.post("rule", "/api/v1/lanes/:lane/rule", {
      params: lane,
      payload: RuleChoice,
      success: Lane,
      error: steering
    }),
    HttpApiEndpoint.post("breaker", "/api/v1/lanes/:lane/breaker", {
      params: lane,
      payload: BreakerChoice,
      success: Lane,
      error: steering
    }),
    HttpApiEndpoint.post("reset", "/api/v1/lanes/:lane/reset", { params: lane, success: Lane, error: steering }),
    HttpApiEndpoint.get("log", "/api/v1/lanes/:lane/log", {
      params: lane,
      success: LaneLog,
      error: errors(400, 401, 404, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Lanes", description: "The pace of each host: look at it, stop it, change it" })
  )
