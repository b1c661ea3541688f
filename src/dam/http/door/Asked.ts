import * as Effect from "effect/Effect"
import type { Refused } from "../../intake/Refusal.ts"
import { type Answer, toResponse, ofRefusal } from "./Answer.ts"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

export const respond = (answer: Effect.Effect<Answer, Refused>) =>
  Effect.match(answer, {
    onFailure: (refusal) => toResponse(ofRefusal(refusal)),
    onSuccess: toResponse
  })
export const told = (refusal: Refused) => toResponse(ofRefusal(refusal))
export interface Asked {
  readonly request: HttpServerRequest
}
export interface OfOneJob extends Asked {
  readonly params: { readonly id: string }
}

/** A client that reads nothing keeps a socket silent in both directions; Node then closes it. */
export const giveUpAfter = (request: HttpServerRequest, millis: number): void => {
  const response = NodeHttpServerRequest.toServerResponse(request)
  response.setTimeout(millis, () => response.destroy())
}
export const markdown = (text: string) => HttpServerResponse.text(text, { contentType: "text/markdown; charset=utf-8" })
