/**
 * The routes of L8: what strangers ask, and what operators see of the trust in receivers.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { challengePath, documentPath } from "../../wire/L8Handshake.ts"
import { errors } from "./Statuses.ts"
import { Challenge, ChallengeAnswer, Document, Forgotten, OriginChoice, Trust, Trusts } from "./TrustShapes.ts"

const choosing = errors(400, 401, 403, 404, 413, 415, 503)

/** The routes. They answer 404 while L8 is off. */
export const l8 = HttpApiGroup.make("l8")
  .add(
    HttpApiEndpoint.get("document", documentPath, { success: Document, error: errors(404) }),
    HttpApiEndpoint.post("challenge", challengePath, {
      payload: Challenge,
      success: ChallengeAnswer,
      error: errors(400, 404, 413, 415, 429, 503)
    }),
    HttpApiEndpoint.get("spec", "/l8-spec", {
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/markdown; charset=utf-8" })),
      error: errors(404)
    }),
    HttpApiEndpoint.get("trust", "/api/v1/l8/trust", {
      success: Trusts,
      error: errors(401, 404, 503)
    }),
    HttpApiEndpoint.post("revoke", "/api/v1/l8/trust/revoke", {
      payload: OriginChoice,
      success: Trust,
      error: choosing
    }),
    HttpApiEndpoint.post("forget", "/api/v1/l8/trust/forget", {
      payload: OriginChoice,
      success: Forgotten,
      error: choosing
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "L8",
      description: "Deliveries signed without a shared secret; there only while it is on"
    })
  )
