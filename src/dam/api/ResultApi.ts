/**
 * The route of links to answers, which need no API key.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Moment } from "./Parts.ts"
import { errors } from "./Statuses.ts"

/** The body of a job's answer, for whoever has a link to it. */
export const results = HttpApiGroup.make("results")
  .add(
    HttpApiEndpoint.get("body", "/api/v1/results/:id", {
      params: { id: Schema.String },
      query: { expires: Schema.NumberFromString.pipe(Schema.decodeTo(Moment)), signature: Schema.String },
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "application/octet-stream" })),
      error: errors(400, 403, 404, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Results", description: "The body of an answer, by the link that a webhook was sent" })
  )
