/**
 * The routes of credentials, which calls name in their headers.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { Credential, CredentialChoice, CredentialGone, CredentialList, name } from "./CredentialShapes.ts"
import { errors } from "./Statuses.ts"

/** Credentials: which there are, set one, delete one. Each customer has its own, and nobody reads one back. */
export const credentials = HttpApiGroup.make("credentials")
  .add(
    HttpApiEndpoint.get("list", "/api/v1/credentials", { success: CredentialList, error: errors(401, 503) }),
    HttpApiEndpoint.get("get", "/api/v1/credentials/:name", {
      params: name,
      success: Credential,
      error: errors(400, 401, 404, 503)
    }),
    HttpApiEndpoint.put("set", "/api/v1/credentials/:name", {
      params: name,
      payload: CredentialChoice,
      success: Credential,
      error: errors(400, 401, 409, 413, 415, 503)
    }),
    HttpApiEndpoint.delete("delete", "/api/v1/credentials/:name", {
      params: name,
      success: CredentialGone,
      error: errors(400, 401, 404, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Credentials",
      description:
        "What headers of calls name as a secret: kept sealed, and given to their own hosts when a call is sent"
    })
  )
