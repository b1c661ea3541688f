/**
 * A transport with two sides: the program under test sends, the test meets each call and answers it, in virtual time.
 *
 * Nothing is canned: what was not met was not answered, and what was answered was looked at first. With `it.effect` of
 * `@effect/vitest`, or a `TestClock` of your own, minutes of back-off pass in a millisecond.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { EZThrottle } from "../run/EZThrottle.ts"
import type { Service } from "../run/Service.ts"
import type { Failure } from "../step/Failure.ts"
import { ConnectionFailed, ServiceDenied, ServiceRateLimited, ServiceUnreachable } from "../step/Failure.ts"
import type { Receipt, Response } from "../step/Reply.ts"
import type { Delegating, Delegation, Exchange, Exchanging } from "../transport/HttpTransport.ts"
import type { Strategies } from "../transport/Strategies.ts"
import type { ReplyLike } from "./Answer.ts"
import { toResponse } from "./Answer.ts"
import type { DelegationCall, ExchangeCall } from "./Call.ts"
import * as Call from "./Call.ts"
import { FakeService } from "./FakeService.ts"
import type { Meeting } from "./Meeting.ts"
import * as Meetings from "./Meeting.ts"
import { surround } from "./Surroundings.ts"

/**
 * A call to a target that the test has in hand.
 *
 * @category models
 * @since 0.1.0
 */
export interface Received extends Meeting {
  readonly exchange: Exchange
  /** Answers the call, and lets the program go on until it waits again. */
  readonly reply: (reply: ReplyLike) => Effect.Effect<void>
  /** Ends the call without an answer, in any way a transport can fail. */
  readonly fail: (failure: Failure) => Effect.Effect<void>
  /** Nobody listens: the target never saw the call. */
  readonly refuse: Effect.Effect<void>
  /** The connection broke: the target may have seen the call. */
  readonly reset: Effect.Effect<void>
}

/**
 * A receipt the way a test writes it; what is left out follows from the step.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceiptLike {
  readonly jobId: string
  /** Defaults to `queued`. */
  readonly status?: string | undefined
  /** Defaults to the key the step was handed over with. */
  readonly idempotentKey?: string | undefined
  /** Defaults to `false`. */
  readonly duplicate?: boolean | undefined
}

/**
 * A handed-over step that the test has in hand.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceivedDelegation extends Meeting {
  readonly delegation: Delegation
  /** Takes the step over, and lets the program go on until it waits again. */
  readonly reply: (receipt: ReceiptLike) => Effect.Effect<void>
  /** Does not take the step over. */
  readonly fail: (failure: Failure) => Effect.Effect<void>
  /** The plan refuses: not worth repeating. */
  readonly deny: Effect.Effect<void>
  /** Too many submissions, until a moment in epoch milliseconds when one is given. */
  readonly rateLimit: (retryAt?: number) => Effect.Effect<void>
  /** Nobody there. */
  readonly disconnect: Effect.Effect<void>
}

/**
 * How a test transport is set up.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Healthy regions it can leave from. Defaults to none: it does not tell regions apart. */
  readonly regions?: ReadonlyArray<string> | undefined
  /** The place a region leaves from. Defaults to the region itself. */
  readonly egress?: ((region: string) => string) | undefined
  /** Whether it takes steps that draw on limits. Defaults to `false`: like a client that calls from here. */
  readonly keepsLimits?: boolean | undefined
  /** What the fake EZThrottle does with what only a dam can read. Defaults to `refuse`; `send` makes a dam of it. */
  readonly extensions?: "refuse" | "send" | undefined
  /**
   * Who answers steps that are handed over: `FakeService` by itself, or the test through `nextDelegation`. Defaults to
   * `service`.
   */
  readonly delegations?: "service" | "met" | undefined
  /** How long, in real time, a test waits for a call before it is told that none comes. Defaults to 5 seconds. */
  readonly patience?: Duration.Input | undefined
}

/**
 * The test's side of the transport.
 *
 * @category services
 * @since 0.1.0
 */
export class TestTransport extends Context.Service<
  TestTransport,
  {
    /**
     * Waits for the next exchange. When none comes, ends the test after a while of real time with a defect that tells
     * what did happen, so that nothing hangs.
     */
    readonly next: Effect.Effect<Received>
    /** Waits for the next exchange that leaves from a region. */
    readonly nextIn: (region: string) => Effect.Effect<Received>
    /** Waits for the next step that is handed over; needs `delegations: "met"`. */
    readonly nextDelegation: Effect.Effect<ReceivedDelegation>
    /** Lets the program go on until it waits, and tells whether no call is left unanswered. */
    readonly idle: Effect.Effect<boolean>
    /** Every exchange so far, in the order they were sent. */
    readonly exchanges: Effect.Effect<ReadonlyArray<ExchangeCall>>
    /** Every step handed over to `nextDelegation` so far. */
    readonly delegations: Effect.Effect<ReadonlyArray<DelegationCall>>
    /** The program's side, for strategies of your own. */
    readonly exchanging: Exchanging
    /** The program's side, for strategies of your own; answered through `nextDelegation`. */
    readonly delegating: Delegating
  }
>()("ezthrottle-effect/testing/TestTransport") {
  /**
   * Makes a transport that nobody has called yet.
   *
   * @category constructors
   * @since 0.1.0
   */
  static readonly make = (options: Options = {}): Effect.Effect<TestTransport["Service"]> =>
    Effect.sync(() => makeUnsafe(options))

  /**
   * A client over the test transport: FRUGAL steps are tried there and forwarded to a fake EZThrottle, which
   * PERFORMANCE steps reach at once.
   *
   * @category layers
   * @since 0.1.0
   */
  static readonly layerWith = (
    options: Options
  ): Layer.Layer<TestTransport | FakeService | Strategies | Service | EZThrottle> =>
    Layer.effectContext(
      Effect.gen(function* () {
        const wire = yield* TestTransport.make(options)
        const fake = yield* FakeService.make({ extensions: options.extensions })
        const delegating = options.delegations === "met" ? wire.delegating : undefined
        return Context.add(surround(wire.exchanging, fake, delegating), TestTransport, wire)
      })
    )

  /**
   * `layerWith` and no options.
   *
   * @category layers
   * @since 0.1.0
   */
  static readonly layer = TestTransport.layerWith({})
}

const makeUnsafe = ({
  egress,
  keepsLimits,
  patience = "5 seconds",
  regions = []
}: Options): TestTransport["Service"] => {
  const exchanges = Call.ledger<Exchange, Response>()
  const delegations = Call.ledger<Delegation, Receipt>()
  const story = Effect.map(Effect.all([exchanges.calls, delegations.calls]), (made) =>
    made
      .flat()
      .map((call) => `\n  ${Call.format(call)}`)
      .join("")
  )
  const calls = Meetings.make<Exchange, Response>(story, patience)
  const handovers = Meetings.make<Delegation, Receipt>(story, patience)
  const received = (meeting: Meetings.Open<Exchange, Response>): Received => ({
    ...meeting.handle,
    exchange: meeting.asked,
    reply: (like) => meeting.succeed(toResponse(like)),
    fail: meeting.fail,
    refuse: meeting.fail(new ConnectionFailed({ kind: "refused", detail: "by the test" })),
    reset: meeting.fail(new ConnectionFailed({ kind: "reset", detail: "by the test" }))
  })
  return {
    next: Effect.map(
      calls.take(() => true),
      received
    ),
    nextIn: (region) =>
      Effect.map(
        calls.take((exchange) => exchange.region === region),
        received
      ),
    nextDelegation: Effect.map(
      handovers.take(() => true),
      (meeting) => ({
        ...meeting.handle,
        delegation: meeting.asked,
        reply: (like) => meeting.succeed(toReceipt(like, meeting.asked)),
        fail: meeting.fail,
        deny: meeting.fail(new ServiceDenied({ detail: "quota exceeded" })),
        rateLimit: (retryAt) => meeting.fail(new ServiceRateLimited({ detail: "too many requests", retryAt })),
        disconnect: meeting.fail(new ServiceUnreachable({ detail: "connection refused", maybeAccepted: false }))
      })
    ),
    idle: Effect.map(Meetings.settle, () => calls.isIdle() && handovers.isIdle()),
    exchanges: exchanges.calls,
    delegations: delegations.calls,
    exchanging: {
      kind: "exchanging",
      regions: Effect.succeed(regions),
      egress,
      keepsLimits,
      send: (exchange) => Call.revealed(exchange, (whole) => exchanges.note(whole, calls.meet(whole)))
    },
    delegating: {
      kind: "delegating",
      submit: (delegation) => delegations.note(delegation, handovers.meet(delegation))
    }
  }
}

const toReceipt = (like: ReceiptLike, { key }: Delegation): Receipt => {
  const { duplicate = false, idempotentKey = key, jobId, status = "queued" } = like
  const answer = { job_id: jobId, status, ...(duplicate ? { duplicate } : {}) }
  return { _tag: "Receipt", jobId, status, idempotentKey, duplicate, answer }
}
