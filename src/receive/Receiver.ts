/**
 * Receives webhooks: proves who sent them, reads them, handles each event once, and says what became of it.
 *
 * A delivery is judged in this order: is there a signature that can be checked, does it prove the body, is the body an
 * event, was the event handled before. Then its handler runs, outlives a sender that hangs up, and only its success makes
 * the event *handled*: after a failure, and after a crash, the sender's next attempt is handled again. So a handler may
 * see an event twice, but never two of them at the same time, and never after it succeeded.
 *
 * Events are told apart by job id, which every signature covers: a replay carries the same one, a rerun another.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Chained, Outcome, StepError } from "../step/Outcome.ts"
import type { Step } from "../step/Step.ts"
import * as Ed25519 from "../wire/Ed25519.ts"
import type { Verification } from "../wire/Signature.ts"
import * as WebhookEvent from "../wire/WebhookEvent.ts"
import * as Children from "./Children.ts"
import * as Claims from "./Claims.ts"
import type { EventStore, EventStoreFailed } from "./EventStore.ts"
import * as Inbox from "./Inbox.ts"
import type { HeaderOf, Schemes, Trust } from "./Verify.ts"
import { carries, schemesOf, verdict } from "./Verify.ts"

/**
 * What runs the children that were kept back: the client, or anything that executes steps.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepRunner {
  readonly execute: (step: Step) => Effect.Effect<Outcome, StepError>
}

/**
 * How a receiver is set up, besides its handler.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceiverOptions extends Trust {
  /** Where events are remembered and waited for. Defaults to one in memory. */
  readonly inbox?: Inbox.Inbox | undefined
  /** Runs the children that the inbox keeps back; needed when it does. */
  readonly client?: StepRunner | undefined
  /** Told how each child that ran here ended. Defaults to a warning in the log for those that failed. */
  readonly onChild?: ((chained: Chained, event: WebhookEvent.WebhookEvent) => Effect.Effect<void>) | undefined
  /** How far a signature's time may be away from now, in seconds and in both directions. Defaults to 300. */
  readonly toleranceSeconds?: number | undefined
  /** The largest body that is read, in bytes. Defaults to 4 MiB. */
  readonly maxBodyBytes?: number | undefined
}

/**
 * A receiver that cannot work as it is set up.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidReceiver extends Schema.TaggedError<InvalidReceiver>()("InvalidReceiver", {
  problem: Schema.String
}) {
  override get message(): string {
    return `The webhook receiver cannot be used: ${this.problem}`
  }
}

/**
 * What became of a delivery.
 *
 * @category models
 * @since 0.1.0
 */
export type Received =
  | { readonly _tag: "Handled"; readonly event: WebhookEvent.WebhookEvent }
  | { readonly _tag: "Duplicate"; readonly event: WebhookEvent.WebhookEvent }
  /** Another attempt of the same event is being handled right now. */
  | { readonly _tag: "Busy"; readonly event: WebhookEvent.WebhookEvent }
  | { readonly _tag: "Rejected"; readonly reason: Exclude<Verification, { readonly _tag: "Valid" }> }
  | { readonly _tag: "Undecodable"; readonly error: WebhookEvent.InvalidWebhookEvent }
  | { readonly _tag: "TooLarge"; readonly limit: number }
  /** The body did not arrive as it was sent: it broke off, or somebody else has read it. */
  | { readonly _tag: "Unreadable"; readonly problem: string; readonly isOurs: boolean }
  | { readonly _tag: "HandlerFailed"; readonly event: WebhookEvent.WebhookEvent }
  | { readonly _tag: "StoreFailed"; readonly error: EventStoreFailed }

/**
 * A receiver at work.
 *
 * @category models
 * @since 0.1.0
 */
export interface Receiver {
  readonly maxBodyBytes: number
  /** What is wrong with a delivery before its body is read. */
  readonly refuse: (header: HeaderOf) => Received | undefined
  /** Verifies, reads and handles a delivery. Interrupting it does not interrupt the handler. */
  readonly receive: (header: HeaderOf, body: Uint8Array) => Effect.Effect<Received>
}

/**
 * Makes a receiver; handlers run in the scope.
 *
 * **Details** — fails with `InvalidReceiver` when nobody is trusted, when a secret or key cannot be used, and when
 * children are kept back that nothing here runs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* <E, R>(
  options: ReceiverOptions,
  handle: (event: WebhookEvent.WebhookEvent) => Effect.Effect<unknown, E, R>
): Effect.fn.Return<Receiver, InvalidReceiver, Scope.Scope | R> {
  const { inbox = Inbox.make(), maxBodyBytes = 4 * 1024 * 1024, toleranceSeconds } = options
  const schemes = yield* Effect.fromResult(check(options))
  const crypto = yield* Layer.build(Ed25519.layer)
  const scope = yield* Effect.scope
  const surroundings = yield* Effect.context<R>()
  const claims = yield* Claims.make(inbox)
  const startChild = startingChildren(options, inbox.store, claims)

  const handled = (name: string | undefined, event: WebhookEvent.WebhookEvent): Effect.Effect<boolean> =>
    (name === undefined ? Effect.succeed(true) : startChild(name, event)).pipe(
      Effect.flatMap((isStarted) =>
        isStarted ? Effect.as(Effect.provideContext(handle(event), surroundings), true) : Effect.succeed(false)
      ),
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.as(Effect.logError(`The handler of the webhook of job ${event.jobId} failed`, cause), false)
      )
    )

  const process = Effect.fnUntraced(function* (body: Uint8Array): Effect.fn.Return<Received> {
    const decoded = WebhookEvent.decode(body)
    if (Result.isFailure(decoded)) return { _tag: "Undecodable", error: decoded.failure }
    const { event, name } = Children.named(decoded.success)
    const text = new TextDecoder().decode(body)
    const run = Effect.suspend(() => {
      inbox.arrived(decoded.success)
      return handled(name, event)
    })
    const running = yield* Effect.forkIn(claims.once({ id: event.jobId, body: text, run }), scope)
    return yield* Effect.match(Fiber.join(running), {
      onSuccess: (end): Received => ({ _tag: tags[end], event }),
      onFailure: (error): Received => ({ _tag: "StoreFailed", error })
    })
  })

  return {
    maxBodyBytes,
    refuse: (header) =>
      carries(schemes, header)
        ? undefined
        : { _tag: "Rejected", reason: { _tag: "NoSignature", header: schemes[0]?.[0] ?? "" } },
    receive: (header, body) =>
      Effect.gen(function* () {
        const now = (yield* Clock.currentTimeMillis) / 1000
        const verification = yield* Effect.provideContext(
          verdict(schemes, header, body, { now, toleranceSeconds }),
          crypto
        )
        return verification._tag === "Valid" ? yield* process(body) : { _tag: "Rejected", reason: verification }
      })
  }
})

/**
 * What is wrong with a set-up, if anything; else the schemes it checks.
 */
export const check = (options: ReceiverOptions): Result.Result<Schemes, InvalidReceiver> =>
  Result.mapError(
    options.inbox?.runsChildren === true && options.client === undefined
      ? Result.fail("its inbox keeps children of jobs back; set client to run them")
      : schemesOf(options),
    (problem) => new InvalidReceiver({ problem })
  )

/** Runs the child that was kept back of a job, once; answers whether its handler may run now. */
const startingChildren = ({ client, onChild = logChild }: ReceiverOptions, store: EventStore, claims: Claims.Claims) =>
  Effect.fnUntraced(function* (name: string, event: WebhookEvent.WebhookEvent) {
    if (client === undefined) return true
    const text = yield* store.kept(name)
    if (text === undefined) return yield* Effect.fail("what was kept back of the job is not in the store")
    const child = yield* Children.childOf(event, text)
    if (child === undefined) return true
    const { relation, step } = child
    const run = client.execute(step).pipe(
      Effect.match({
        onSuccess: (outcome): Chained => ({ _tag: "Ended", relation, outcome }),
        onFailure: (error): Chained => ({ _tag: "Failed", relation, error })
      }),
      Effect.flatMap((chained) => onChild(chained, event)),
      Effect.as(true)
    )
    return (yield* claims.once({ id: `${event.jobId}:children`, body: "", run })) !== "Busy"
  })

const tags = { Done: "Handled", Failed: "HandlerFailed", Handled: "Duplicate", Busy: "Busy" } as const

const logChild = (chained: Chained, { jobId }: WebhookEvent.WebhookEvent): Effect.Effect<void> =>
  chained._tag === "Failed"
    ? Effect.logWarning(`The ${chained.relation} step of job ${jobId} failed`, chained.error)
    : Effect.void
