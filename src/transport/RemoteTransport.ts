/**
 * Hands whole steps to EZThrottle, through its proxy, once each.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TransportError } from "../step/FailureModel.ts"
import * as Job from "../wire/Job.ts"
import { readReceipt } from "../wire/Proxy.ts"
import { EzthrottleApi } from "./EzthrottleApi.ts"
import { type Delegating, HttpTransport } from "./HttpTransport.ts"

/**
 * Makes the transport.
 *
 * **Details** — a submission is one request: the same tree submitted again carries the same keys and is a duplicate to
 * the service. The cloud carries text only, so a binary body is `Unsendable`, and so is what only a dam can
 * read; a dam also takes `binary: "base64"` and `extensions: "send"`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (api: EzthrottleApi["Service"], options?: Job.EncodeOptions): Delegating => ({
  kind: "delegating",
  submit: (delegation) =>
    Effect.fromResult(Job.encode(delegation, options)).pipe(
      Effect.flatMap((job) =>
        api.proxied({
          path: "/api/v1/jobs",
          method: "POST",
          headers: delegation.traceparent === undefined ? undefined : { traceparent: delegation.traceparent },
          body: JSON.stringify(job),
          read: readReceipt
        })
      ),
      Effect.mapError((reason) => new TransportError({ reason }))
    )
})

/**
 * Provides the transport over the calls in place.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Job.EncodeOptions): Layer.Layer<HttpTransport, never, EzthrottleApi> =>
  Layer.effect(
    HttpTransport,
    Effect.map(EzthrottleApi, (api) => make(api, options))
  )
