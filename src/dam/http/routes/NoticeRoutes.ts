/** What the API does with notices: show who is told what, and choose it. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../../api/Api.ts"
import { chosen, NoticeChoice, shown } from "../../api/NoticeShapes.ts"
import type { Intake } from "../../intake/Intake.ts"
import type { Limits } from "../../intake/Limits.ts"
import type { Refused } from "../../intake/Refusal.ts"
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
export const make = (
  { notices }: Pick<Engine["Service"], "notices">,
  intake: Pick<Intake, "webhook">,
  limits: Limits
): Notices => {
  const get = Effect.map(orRefused(notices.view), (view) => json(200, shown(view)))
  return {
    get,
    choose: Effect.fnUntraced(function* (body) {
      const choice = yield* readChoice(NoticeChoice, body, limits)
      for (const [index, url] of (choice.urls ?? []).entries()) yield* intake.webhook(`urls[${index}]`, url)
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
