/**
 * A receiver as a route of Effect's HTTP router.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { WebhookEvent } from "../wire/WebhookEvent.ts"
import type { Answer } from "./Answer.ts"
import { answerTo, methodNotAllowed } from "./Answer.ts"
import * as Collected from "./Collected.ts"
import type { InvalidReceiver, Received, ReceiverOptions } from "./Receiver.ts"
import * as Receiver from "./Receiver.ts"

/**
 * What the route needs to know.
 *
 * @category models
 * @since 0.1.0
 */
export interface RouteOptions<E = never, R = never> extends ReceiverOptions {
  /** Handles an event. When it fails, the sender is asked to send the event again. */
  readonly handle: (event: WebhookEvent) => Effect.Effect<unknown, E, R>
}

/**
 * Adds a receiver to the router under a path.
 *
 * **Details** — handlers run in the scope of the layer: they outlive a sender that hangs up, and are interrupted when the
 * server closes.
 *
 * @category layers
 * @since 0.1.0
 */
export const route = <E = never, R = never>(
  path: HttpRouter.PathInput,
  { handle, ...options }: RouteOptions<E, R>
): Layer.Layer<never, InvalidReceiver, HttpRouter.HttpRouter | Exclude<R, Scope.Scope>> =>
  HttpRouter.use((router) =>
    Effect.flatMap(Receiver.make<E, R>(options, handle), (receiver) =>
      router.add("*", path, (request) => Effect.map(serve(receiver, request), toResponse))
    )
  )

const serve = Effect.fnUntraced(function* (
  receiver: Receiver.Receiver,
  request: HttpServerRequest.HttpServerRequest
): Effect.fn.Return<Answer> {
  if (request.method !== "POST") return methodNotAllowed
  const header = (name: string) => request.headers[name.toLowerCase()]
  const refused = receiver.refuse(header) ?? Collected.tooLong(header("content-length"), receiver.maxBodyBytes)
  if (refused !== undefined) return answerTo(refused)
  const body = Collected.make(receiver.maxBodyBytes)
  const received = yield* Stream.runForEachWhile(request.stream, (piece) => Effect.sync(() => body.add(piece))).pipe(
    Effect.matchEffect({
      onSuccess: () => (body.isTooLarge() ? Effect.succeed(body.tooLarge) : receiver.receive(header, body.bytes())),
      onFailure: () => Effect.succeed<Received>(Collected.cutOff)
    })
  )
  return answerTo(received)
})

const toResponse = ({ body, headers, status }: Answer): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(body, { status, headers, contentType: "application/json" })
