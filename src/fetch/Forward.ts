/** Makes a job of a call that could not be made here. */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { TransportError } from "../step/FailureModel.ts"
import type { InvalidStep } from "../step/InvalidStep.ts"
import * as Step from "../step/Step.ts"
import type { Step as StepValue } from "../step/StepModel.ts"
import { makeFetch } from "../transport/EzthrottleApi.ts"
import * as RemoteTransport from "../transport/RemoteTransport.ts"
import type { FetchForwardOptions } from "./FetchOptions.ts"
import type { Given } from "./Given.ts"

/** Submits it; the receipt is a `Response` of 202. */
export const submit = Effect.fnUntraced(function* (
  { apiKey, webhook, ...places }: FetchForwardOptions,
  given: Given,
  waitMillis: number
): Effect.fn.Return<Response, TransportError | InvalidStep | Cause.UnknownError> {
  const request = new Request(...given.sent(true))
  const body = yield* Effect.tryPromise(() => request.arrayBuffer())
  const step = yield* stepOf(given, request, new Uint8Array(body), webhook)
  const api = makeFetch({ ...places, apiKey: apiKey === undefined ? undefined : Redacted.make(apiKey) })
  const now = yield* Clock.currentTimeMillis
  const { answer, jobId, status } = yield* RemoteTransport.make(api, {
    binary: places.dam === undefined ? "refuse" : "base64"
  }).submit({
    step,
    key: given.headers["idempotency-key"],
    retryAt: waitMillis > 0 ? Math.ceil(now + waitMillis) : undefined
  })
  return new Response(JSON.stringify({ ...answer, job_id: jobId, status }), {
    status: 202,
    statusText: "Accepted",
    headers: { "content-type": "application/json" }
  })
})

/** A form has its type by now; what belongs to a connection does not go with the call. */
const stepOf = (
  { method, url }: Given,
  { headers }: Request,
  bytes: Uint8Array,
  webhook: string | undefined
): Effect.Effect<StepValue, InvalidStep> =>
  Effect.try({
    try: () => {
      const kept = Array.from(headers).filter(([name]) => !ofConnection.has(name))
      const step = Step.make(url, {
        method,
        headers: Object.fromEntries(kept),
        body: bytes.length === 0 ? undefined : (textOf(bytes) ?? bytes)
      })
      return webhook === undefined ? step : Step.webhooks(step, [{ url: webhook }])
    },
    catch: (error) => error as InvalidStep // verbs throw nothing else
  })

const ofConnection = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "te",
  "transfer-encoding",
  "upgrade"
])

const textOf = (bytes: Uint8Array): string | undefined =>
  Option.getOrUndefined(
    Option.liftThrowable(() => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes))()
  )
