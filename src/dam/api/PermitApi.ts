/**
 * The routes of permits, for programs that share a pace and make their calls themselves.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { DepartChoice, EndedPermit, HeldPermit, PermitChoice, PermitReport, RenewChoice } from "./PermitShapes.ts"
import { errors } from "./Statuses.ts"

const id = { id: Schema.String }
const ofOne = errors(400, 401, 404, 413, 415, 503)

/** Whoever has nothing to say sends no body. */
const bodyOptional = ({ requestBody, ...operation }: Schema.JsonObject) => ({
  ...operation,
  requestBody: { ...Object(requestBody), required: false }
})

/** The routes. */
export const permits = HttpApiGroup.make("permits")
  .add(
    HttpApiEndpoint.post("acquire", "/api/v1/permits", {
      payload: PermitChoice,
      success: HeldPermit,
      error: errors(400, 401, 413, 415, 429, 503)
    }),
    HttpApiEndpoint.post("renew", "/api/v1/permits/:id/renew", {
      params: id,
      payload: RenewChoice,
      success: HeldPermit,
      error: ofOne
    }).annotate(OpenApi.Transform, bodyOptional),
    HttpApiEndpoint.post("depart", "/api/v1/permits/:id/depart", {
      params: id,
      payload: DepartChoice,
      success: HeldPermit,
      error: errors(400, 401, 404, 413, 415, 429, 503)
    }).annotate(OpenApi.Transform, bodyOptional),
    HttpApiEndpoint.post("report", "/api/v1/permits/:id/report", {
      params: id,
      payload: PermitReport,
      success: EndedPermit,
      error: ofOne
    }).annotate(OpenApi.Transform, bodyOptional),
    HttpApiEndpoint.delete("giveBack", "/api/v1/permits/:id", {
      params: id,
      success: EndedPermit,
      error: errors(401, 404, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Permits",
      description: "Share a pace with other programs, and make the calls yourself"
    })
  )
