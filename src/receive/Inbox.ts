/**
 * What came in by webhook, for whoever waits for it: the part of a receiver that a client is given.
 *
 * Give the same inbox to the client (`receiver`) and to the receiver of the webhooks. Then `awaitJob` and `queueAndWait`
 * end when the webhook comes. Over a durable store they also find what came before they asked: while the program was
 * away and another process received, or before it was restarted.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { JobReceiver, JobResult } from "../run/Service.ts"
import { Unsendable } from "../step/Failure.ts"
import type { Step } from "../step/StepModel.ts"
import * as WebhookEvent from "../wire/WebhookEvent.ts"
import * as Children from "./Children.ts"
import type { EventStore } from "./EventStore.ts"
import * as MemoryEventStore from "./MemoryEventStore.ts"

/**
 * How an inbox is set up.
 *
 * @category models
 * @since 0.1.0
 */
export interface InboxOptions {
  /** Where events are remembered. Defaults to memory, 10,000 events. */
  readonly store?: EventStore | undefined
  /**
   * Where the receiver is reached from outside. With it, every job that is handed over tells its result there, and over a
   * durable store FRUGAL children are kept back to run here.
   */
  readonly url?: string | URL | undefined
  /** How long an event is remembered: longer than its sender repeats it. Defaults to 4 days. */
  readonly keepFor?: Duration.Input | undefined
  /** How long a child waits for its job. Defaults to 30 days. */
  readonly keepChildrenFor?: Duration.Input | undefined
}

/**
 * Results and events that came by webhook.
 *
 * @category models
 * @since 0.1.0
 */
export interface Inbox extends JobReceiver {
  readonly store: EventStore
  /** How long an event is remembered, in milliseconds. */
  readonly keepForMillis: number
  /** Whether children of jobs are kept back to run here. */
  readonly runsChildren: boolean
  /** Tells those who wait for the job. */
  readonly arrived: (event: WebhookEvent.WebhookEvent) => void
}

/**
 * Makes an inbox.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: InboxOptions = {}): Inbox => {
  const store = options.store ?? MemoryEventStore.make()
  const url = options.url === undefined ? undefined : new URL(options.url).href
  const keepForMillis = Duration.toMillis(options.keepFor ?? "4 days")
  const childrenFor = Duration.toMillis(options.keepChildrenFor ?? "30 days")
  const waiting = new Map<string, { readonly result: Deferred.Deferred<JobResult>; readers: number }>()

  const waiter = (jobId: string) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const known = waiting.get(jobId) ?? { result: Deferred.makeUnsafe<JobResult>(), readers: 0 }
        known.readers++
        waiting.set(jobId, known)
        return known
      }),
      (known) =>
        Effect.sync(() => {
          known.readers--
          if (known.readers === 0 && waiting.get(jobId) === known) waiting.delete(jobId)
        })
    )

  /** A store that fails now may answer later, and the result may come by itself meanwhile. */
  const stored = (jobId: string) =>
    store.find(jobId).pipe(
      Effect.map((body) => (body === undefined ? undefined : Result.getOrUndefined(WebhookEvent.decode(body)))),
      Effect.catch((error) => Effect.as(Effect.logWarning(error.message), undefined))
    )

  const awaitResult = Effect.fnUntraced(function* (jobId: string) {
    // the place is taken before the store is asked, so nothing can come in between unseen
    const { result } = yield* waiter(jobId)
    while (true) {
      const event = yield* stored(jobId)
      if (event !== undefined) return resultOf(event)
      if (!store.isDurable) return yield* Deferred.await(result)
      const told = yield* Effect.timeoutOption(Deferred.await(result), askAgainAfter)
      if (told._tag === "Some") return told.value
    }
  }, Effect.scoped)

  const handOver = Effect.fnUntraced(function* (step: Step, url: string): Effect.fn.Return<Step, Unsendable> {
    if (!store.isDurable) return Children.telling(step, url)
    const { kept, step: rest } = Children.keepBack(step, url)
    const keepUntil = (yield* Clock.currentTimeMillis) + childrenFor
    for (const { name, text } of kept) {
      yield* Effect.mapError(
        store.keep(name, text, keepUntil),
        ({ message }) => new Unsendable({ problem: `the children of the job could not be kept back: ${message}` })
      )
    }
    return Children.telling(rest, url)
  })

  return {
    store,
    keepForMillis,
    runsChildren: url !== undefined && store.isDurable,
    await: awaitResult,
    handOver: url === undefined ? undefined : (step) => handOver(step, url),
    arrived: (event) => {
      const known = waiting.get(event.jobId)
      if (known === undefined) return
      waiting.delete(event.jobId)
      Deferred.doneUnsafe(known.result, Effect.succeed(resultOf(event)))
    }
  }
}

const resultOf = (received: WebhookEvent.WebhookEvent): JobResult => {
  const { error, idempotentKey, jobId, metadata, response, status } = Children.named(received).event
  return { jobId, idempotentKey, status, response, error, metadata }
}

const askAgainAfter = Duration.seconds(1)
