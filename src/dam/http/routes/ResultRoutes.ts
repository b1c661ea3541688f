/** Answers by their links: the body of one job's answer, for whoever has a link that holds. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Response } from "../../../step/Reply.ts"
import { Api } from "../../api/Api.ts"
import type { Link } from "../../deliver/Links.ts"
import { refused, type Refused } from "../../intake/Refusal.ts"
import type { JobPort } from "../../store/JobRecords.ts"
import type { Engine } from "../../work/Engine.ts"
import { orRefused } from "../door/Answer.ts"
import { told } from "../door/Asked.ts"

/** What the handlers work with. */
export interface Host {
  readonly engine: Pick<Engine["Service"], "links">
  readonly store: Pick<JobPort, "get">
}

/** Finds the answer that a link leads to. One that does not hold learns nothing of the job. */
export const answerTo = Effect.fnUntraced(function* (
  { engine: { links }, store }: Host,
  link: Link
): Effect.fn.Return<Response, Refused> {
  if (links === undefined || !links.isGood(link, yield* Clock.currentTimeMillis)) {
    return yield* refused(403, "invalid_link", "this link is not one of this dam, or holds no more")
  }
  const job = yield* orRefused(store.get(link.jobId))
  const response = job?.result?.response
  return response ?? (yield* refused(404, "result_not_found", "there is no answer of this job any more"))
})

/** The routes. */
export const group = (host: Host) =>
  HttpApiBuilder.group(Api, "results", (handlers) =>
    handlers.handleRaw("body", ({ params, query }) =>
      Effect.match(answerTo(host, { jobId: params.id, ...query }), { onFailure: told, onSuccess: asFile })
    )
  )

/** What a target answered is nothing that a browser should run under the name of this dam. */
const asFile = ({ body, headers, status }: Response) =>
  HttpServerResponse.uint8Array(body, {
    contentType: headers["content-type"] ?? "application/octet-stream",
    headers: {
      "cache-control": "private, no-store",
      "content-disposition": "attachment",
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
      "x-ezthrottle-status": String(status)
    }
  })
