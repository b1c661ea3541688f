/** What the API does with notices: show who is told what, and choose it. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Result from "effect/Result"
import { Api } from "../../api/Api.ts"
import { chosen, NoticeChoice, shown } from "../../api/NoticeShapes.ts"
import { checkUrl } from "../../egress/Url.ts"
import type { Limits } from "../../intake/Limits.ts"
import { refused, type Refused } from "../../intake/Refusal.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import type { Call, Desk } from "../door/Asked.ts"
import { readChoice } from "../door/Choice.ts"

/** What the API does with notices. */
export interface Notices {
  readonly get: Effect.Effect<Answer, Refused>
  readonly choose: (body: Uint8Array) => Effect.Effect<Answer, Refused>
}

/** Makes the handlers. */
export const make = ({ notices, terms }: Pick<Engine["Service"], "notices" | "terms">, limits: Limits): Notices => {
  const get = Effect.map(orRefused(notices.view), (view) => json(200, shown(view)))
  return {
    get,
    choose: Effect.fnUntraced(function* (body) {
      const choice = yield* readChoice(NoticeChoice, body, limits)
      for (const [index, url] of (choice.urls ?? []).entries()) {
        const checked = checkUrl(terms.egress, url)
        if (Result.isSuccess(checked)) continue
        const { message, reason } = checked.failure
        const field = `urls[${index}]`
        return yield* Effect.fail(refused(422, "url_denied", `${field}: ${message}`, { field, extra: { reason } }))
      }
      yield* orRefused(notices.choose(chosen(choice)))
      return yield* get
    })
  }
}

/** The routes. */
export const group = (notices: Notices, { asking }: Desk) =>
  HttpApiBuilder.group(Api, "notices", (handlers) =>
    handlers
      .handleRaw(
        "get",
        asking(() => notices.get)
      )
      .handleRaw(
        "choose",
        asking(({ body }: Call) => notices.choose(body))
      )
  )
