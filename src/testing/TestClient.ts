/**
 * A client of the Promise facade whose clock, targets and EZThrottle are in the hands of the test.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as TestClock from "effect/testing/TestClock"
import { EZThrottle } from "../promise/EZThrottle.ts"
import * as Later from "../promise/Later.ts"
import type { EZThrottle as Client } from "../run/EZThrottle.ts"
import * as Interpreter from "../run/Interpreter.ts"
import * as LaterInterpreter from "../run/LaterInterpreter.ts"
import type { Failure } from "../step/Failure.ts"
import type { Delegation, Exchange } from "../transport/HttpTransport.ts"
import type { ReplyLike } from "./Answer.ts"
import type { DelegationCall, ExchangeCall } from "./Call.ts"
import type { FakeJob } from "./FakeService.ts"
import { FakeService } from "./FakeService.ts"
import type { Faults } from "./Faults.ts"
import * as Meetings from "./Meeting.ts"
import type { Script } from "./Script.ts"
import * as Scripts from "./Script.ts"
import { surround } from "./Surroundings.ts"
import type { Options, ReceiptLike, Received, ReceivedDelegation } from "./TestTransport.ts"
import { TestTransport } from "./TestTransport.ts"

/**
 * How a test client is set up.
 *
 * @category models
 * @since 0.1.0
 */
export interface TestClientOptions extends Options {
  /** Targets that answer by themselves. Without it the test meets each exchange through `next`. */
  readonly script?: Script | undefined
  /** What a share of the calls to the script meets. Defaults to nothing; nothing where there is no script. */
  readonly faults?: Faults | undefined
}

/**
 * The clock of a test client: it stands still until the test turns it. It begins at 0.
 *
 * @category models
 * @since 0.1.0
 */
export interface Turnable {
  /** Lets time pass: whatever was to happen until then happens, in order, before the promise resolves. */
  readonly adjust: (duration: Duration.Input) => Promise<void>
  /** Epoch milliseconds. */
  readonly now: () => Promise<number>
}

/**
 * A call to a target that the test has in hand; see `Received`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceivedPromise {
  readonly exchange: Exchange
  readonly reply: (reply: ReplyLike) => Promise<void>
  readonly fail: (failure: Failure) => Promise<void>
  readonly refuse: () => Promise<void>
  readonly reset: () => Promise<void>
  readonly hang: () => Promise<void>
  readonly isInterrupted: () => Promise<boolean>
}

/**
 * A handed-over step that the test has in hand; see `ReceivedDelegation`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceivedDelegationPromise {
  readonly delegation: Delegation
  readonly reply: (receipt: ReceiptLike) => Promise<void>
  readonly fail: (failure: Failure) => Promise<void>
  readonly deny: () => Promise<void>
  readonly rateLimit: (retryAt?: number) => Promise<void>
  readonly disconnect: () => Promise<void>
  readonly hang: () => Promise<void>
  readonly isInterrupted: () => Promise<boolean>
}

/**
 * The fake EZThrottle of a test client; see `FakeService`.
 *
 * @category models
 * @since 0.1.0
 */
export interface FakeServicePromise {
  readonly jobs: () => Promise<ReadonlyArray<FakeJob>>
  readonly delegations: () => Promise<ReadonlyArray<DelegationCall>>
  readonly complete: (jobId: string, reply: ReplyLike) => Promise<void>
  readonly failJob: (jobId: string, error: string) => Promise<void>
  readonly failWith: (failure: Failure, times?: number) => Promise<void>
  readonly deny: (times?: number) => Promise<void>
  readonly rateLimit: (retryAt?: number, times?: number) => Promise<void>
  readonly disconnect: (times?: number) => Promise<void>
  readonly accept: () => Promise<void>
}

/**
 * A client of the facade and the handles on its surroundings.
 *
 * @category models
 * @since 0.1.0
 */
export interface TestClient {
  /** Give it to the code under test: `new Step(client)`. */
  readonly client: EZThrottle
  readonly clock: Turnable
  readonly service: FakeServicePromise
  /** Waits for the next exchange; see `TestTransport`. */
  readonly next: () => Promise<ReceivedPromise>
  /** Waits for the next exchange that leaves from a region. */
  readonly nextIn: (region: string) => Promise<ReceivedPromise>
  /** Waits for the next step that is handed over; needs `delegations: "met"`. */
  readonly nextDelegation: () => Promise<ReceivedDelegationPromise>
  /** Lets the program go on until it waits, and tells whether no call is left unanswered. */
  readonly idle: () => Promise<boolean>
  /** Every exchange so far, in the order they were sent. */
  readonly exchanges: () => Promise<ReadonlyArray<ExchangeCall>>
  /** Stops what still runs. */
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/**
 * Makes a client of the Promise facade for a test.
 *
 * **When to use** — the code under test uses `ezthrottle-effect/promise`; Effect programs take `TestTransport.layer`.
 * **Gotchas** — time stands still: a promise that waits for a pause or a limit settles only once `clock.adjust` has
 * passed it, so start the call first, turn the clock, and only then await the call.
 *
 * @category constructors
 * @since 0.1.0
 */
export const createTestClient = ({ faults, script, ...options }: TestClientOptions = {}): TestClient => {
  LaterInterpreter.keep(Interpreter)
  const runtime = ManagedRuntime.make(Layer.provideMerge(surroundings({ faults, script }, options), TestClock.layer()))
  const run = <A>(effect: Effect.Effect<A, never, Surroundings>): Promise<A> => runtime.runPromise(effect)
  const wire = <A>(use: (wire: TestTransport["Service"]) => Effect.Effect<A>) => run(Effect.flatMap(TestTransport, use))
  const service = <A>(use: (service: FakeService["Service"]) => Effect.Effect<A>) =>
    run(Effect.flatMap(FakeService, use))
  const met = ({ exchange, fail, hang, isInterrupted, refuse, reply, reset }: Received): ReceivedPromise => ({
    exchange,
    reply: (like) => run(reply(like)),
    fail: (failure) => run(fail(failure)),
    refuse: () => run(refuse),
    reset: () => run(reset),
    hang: () => run(hang),
    isInterrupted: () => run(isInterrupted)
  })
  const taken = (received: ReceivedDelegation): ReceivedDelegationPromise => ({
    delegation: received.delegation,
    reply: (like) => run(received.reply(like)),
    fail: (failure) => run(received.fail(failure)),
    deny: () => run(received.deny),
    rateLimit: (retryAt) => run(received.rateLimit(retryAt)),
    disconnect: () => run(received.disconnect),
    hang: () => run(received.hang),
    isInterrupted: () => run(received.isInterrupted)
  })
  return {
    client: new EZThrottle({ runtime }),
    clock: {
      adjust: (duration) =>
        run(Meetings.settle.pipe(Effect.andThen(TestClock.adjust(duration)), Effect.andThen(Meetings.settle))),
      now: () => run(Clock.currentTimeMillis)
    },
    service: {
      jobs: () => service(({ jobs }) => jobs),
      delegations: () => service(({ delegations }) => delegations),
      complete: (jobId, reply) => service(({ complete }) => complete(jobId, reply)),
      failJob: (jobId, error) => service(({ failJob }) => failJob(jobId, error)),
      failWith: (failure, times) => service(({ failWith }) => failWith(failure, times)),
      deny: (times) => service(({ deny }) => deny(times)),
      rateLimit: (retryAt, times) => service(({ rateLimit }) => rateLimit(retryAt, times)),
      disconnect: (times) => service(({ disconnect }) => disconnect(times)),
      accept: () => service(({ accept }) => accept)
    },
    next: () => wire(({ next }) => Effect.map(next, met)),
    nextIn: (region) => wire(({ nextIn }) => Effect.map(nextIn(region), met)),
    nextDelegation: () => wire(({ nextDelegation }) => Effect.map(nextDelegation, taken)),
    // what a call loads first comes from the disk, which no turn of the program waits for
    idle: () => Later.load().then(() => wire(({ idle }) => idle)),
    exchanges: () => wire(({ exchanges }) => exchanges),
    [Symbol.asyncDispose]: () => runtime.dispose()
  }
}

type Surroundings = Client | FakeService | TestTransport

/** A script takes the place of the test's own answers. */
const surroundings = (
  { faults, script }: Pick<TestClientOptions, "faults" | "script">,
  options: Options
): Layer.Layer<Surroundings> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const wire = yield* TestTransport.make(options)
      const scripted = script && (yield* Scripts.make(script, { ...options, faults }))
      const fake = yield* FakeService.make({ extensions: options.extensions })
      const delegating = options.delegations === "met" ? wire.delegating : undefined
      const service = scripted === undefined ? wire : { ...wire, exchanges: scripted.exchanges }
      return Context.add(surround(scripted ?? wire.exchanging, fake, delegating), TestTransport, service)
    })
  )
