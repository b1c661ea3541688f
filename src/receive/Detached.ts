/** A receiver outside of Effect: made with its first delivery, running until it is closed. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { WebhookEvent } from "../wire/WebhookEvent.ts"
import type { HeaderOf } from "./Verify.ts"
import type { Received, ReceiverOptions } from "./Receiver.ts"
import * as Receiver from "./Receiver.ts"

/**
 * What a receiver needs to know outside of Effect.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandlerOptions extends ReceiverOptions {
  /** Handles an event. When it throws or rejects, the sender is asked to send the event again. */
  readonly handle: (event: WebhookEvent) => unknown
}

export interface Detached {
  readonly receiver: Receiver.Receiver
  readonly receive: (header: HeaderOf, body: Uint8Array) => Promise<Received>
  readonly close: () => Promise<void>
}

/** Throws `InvalidReceiver` at once when it cannot work as it is set up. */
export const make = ({ handle, ...options }: HandlerOptions): (() => Detached) => {
  Result.getOrThrow(Receiver.check(options))
  let detached: Detached | undefined
  return () => (detached ??= start(options, handle))
}

const start = (options: ReceiverOptions, handle: HandlerOptions["handle"]): Detached => {
  const scope = Scope.makeUnsafe()
  // at once: a promise that one request of a worker began must not keep another waiting
  const receiver = Effect.runSync(
    Receiver.make(options, (event) => Effect.tryPromise(async () => handle(event))).pipe(Scope.provide(scope))
  )
  return {
    receiver,
    receive: (header, body) => Effect.runPromise(receiver.receive(header, body)),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
