/**
 * Runs groups of commands over one connection, each group in one transaction that only the owner commits.
 *
 * What many jobs go through is done for all of a group at once, in one statement each (`Together`). Should one command
 * break a rule of the database, the group is rolled back and run again with every command by itself behind a savepoint, so
 * that only the guilty one fails; commands depend on the database alone, so running them twice is harmless.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Call } from "../rows/Calls.ts"
import type { Commands, Fault } from "../rows/Commands.ts"
import { kinds } from "../rows/Kinds.ts"
import { begin as beginTally, copy, restore, type Tally } from "../rows/Tally.ts"
import { batchCommands } from "./BatchCommands.ts"
import { changeCommand } from "./ChangeCommand.ts"
import { credentialCommands } from "./CredentialCommands.ts"
import { deadLetterCommands } from "./DeadLetterCommands.ts"
import { deliveryCommands } from "./DeliveryCommands.ts"
import { eraseCommand } from "./EraseCommand.ts"
import { failureCommands } from "./FailureCommands.ts"
import { historyCommands } from "./HistoryCommands.ts"
import { jobCommands } from "./JobCommands.ts"
import { joinsOver } from "./JoinCommands.ts"
import { laneCommands } from "./LaneCommands.ts"
import { limitCommands } from "./LimitCommands.ts"
import { listCommand } from "./ListCommand.ts"
import { noticeCommands } from "./NoticeCommands.ts"
import { ordersOver } from "./OrderCommands.ts"
import { outboxCommands } from "./OutboxCommands.ts"
import { stillOwned, taken } from "./Ownership.ts"
import { scheduleCommands } from "./ScheduleCommands.ts"
import { secretCommands } from "./SecretCommands.ts"
import type { Over, Session } from "./Session.ts"
import { steeringCommands } from "./SteeringCommands.ts"
import * as Together from "./Together.ts"
import { trustCommands } from "./TrustCommands.ts"
import { upkeepCommands } from "./UpkeepCommands.ts"

const commandsOver = (on: Session, tally: Tally) => {
  const { commands: ordered, orders } = ordersOver(on)
  const { commands: joined, joins } = joinsOver(on)
  const jobs = jobCommands({ on, tally, orders, joins, joined })
  const deliveries = deliveryCommands(on, tally)
  const commands = {
    ...jobs.commands,
    ...changeCommand(on, tally, joins),
    ...batchCommands(on, tally, { ...jobs.commands, known: jobs.known }),
    ...eraseCommand(on, tally),
    ...listCommand({ on, load: jobs.load }),
    ...failureCommands(on),
    ...laneCommands(on),
    ...steeringCommands(on, tally),
    ...limitCommands(on),
    ...scheduleCommands(on),
    ...ordered,
    ...joined,
    ...historyCommands(on),
    ...outboxCommands(on),
    ...deliveries.commands,
    ...deadLetterCommands(on, tally, deliveries.judge),
    ...secretCommands(on),
    ...credentialCommands(on),
    ...trustCommands(on),
    ...noticeCommands(on, jobs.commands),
    ...upkeepCommands(on, tally, joins)
  } satisfies Over<Commands>
  return { commands, together: Together.over({ on, tally, jobs, deliveries }) }
}

/** What became of a call. */
export type Answer = Result.Result<unknown, Fault>

/** The commands over one connection, run in groups. */
export interface Groups {
  /** Runs calls in their order and answers in it, once they are durable. */
  readonly run: (calls: ReadonlyArray<Call>) => Effect.Effect<ReadonlyArray<Answer>>
}

/** Reads that may take long, each in a transaction that sees one moment of the database. */
export const beside = (on: Session, tally: Tally): Groups => {
  const { commands } = commandsOver(on, tally)
  const read = (call: Call): Effect.Effect<Answer> =>
    on
      .run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
      .pipe(Effect.andThen(invoke(commands, call)), Effect.ensuring(Effect.ignore(on.run("ROLLBACK"))), Effect.result)
  return { run: (calls) => Effect.forEach(calls, read) }
}

const invoke = (commands: Over<Commands>, [name, ...args]: Call): Effect.Effect<unknown, Fault> => {
  // the arguments belong to the name, which TypeScript cannot follow through a union of calls
  const command = commands[name] as (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, Fault>
  return Effect.suspend(() => command(...args))
}

/** Runs calls as the owner of an epoch. */
export const over = (on: Session, tally: Tally, epoch: number): Groups => {
  const { commands, together } = commandsOver(on, tally)
  const alone = (call: Call): Effect.Effect<Answer> => Effect.result(invoke(commands, call))
  const inSavepoint = savepoints(on, tally, (call) => invoke(commands, call))
  const transact = transactions(on, tally, epoch)

  /** Answers reads and fails writes. */
  const without = (calls: ReadonlyArray<Call>, fault: Fault): Effect.Effect<ReadonlyArray<Answer>> =>
    Effect.forEach(calls, (call) =>
      isRead(call) && fault.isGone !== true ? alone(call) : Effect.succeed(Result.fail(fault))
    )

  const run = Effect.fnUntraced(function* (calls: ReadonlyArray<Call>) {
    if (calls.every(isRead)) return yield* Effect.forEach(calls, alone, { concurrency: readsAtOnce })
    const first = yield* Effect.result(transact(together(calls, (call) => invoke(commands, call))))
    if (Result.isSuccess(first)) return calls.map((_, place): Answer => Result.succeed(first.success[place]))
    if (!first.failure.local) return yield* without(calls, first.failure)
    const second = yield* Effect.result(transact(Effect.forEach(calls, inSavepoint)))
    return Result.isSuccess(second) ? second.success : yield* without(calls, second.failure)
  })
  return { run }
}

/** Reads that are on the way together. */
const readsAtOnce = 32

/** Runs a call behind a savepoint of its own, so that it can fail alone. */
const savepoints =
  (on: Session, tally: Tally, run: (call: Call) => Effect.Effect<unknown, Fault>) =>
  (call: Call): Effect.Effect<Answer, Fault> =>
    Effect.gen(function* () {
      const before = copy(tally)
      yield* on.run("SAVEPOINT one")
      const done = yield* Effect.result(run(call))
      if (Result.isFailure(done)) {
        if (!done.failure.local) return yield* Effect.fail(done.failure)
        yield* on.run("ROLLBACK TO SAVEPOINT one")
        restore(tally, before)
      }
      yield* on.run("RELEASE SAVEPOINT one")
      return done
    })

/** Runs a body in a transaction that only the owner commits. */
const transactions =
  (on: Session, tally: Tally, epoch: number) =>
  <A>(body: Effect.Effect<A, Fault>): Effect.Effect<A, Fault> =>
    Effect.gen(function* () {
      const before = beginTally(tally)
      const written = Effect.gen(function* () {
        // on the way together: the second does not wait for an answer to the first
        const [, owned] = yield* Effect.all([on.run("BEGIN"), on.all(stillOwned, epoch)], { concurrency: "unbounded" })
        if (owned.length === 0) return yield* Effect.fail(taken)
        return yield* body
      })
      return yield* written.pipe(
        Effect.tap(() => Effect.mapError(on.commit, uncommitted)),
        Effect.tapError(() => {
          restore(tally, before)
          return Effect.ignore(on.run("ROLLBACK"))
        })
      )
    })

/** When the connection breaks in a commit, nobody knows whether it is there. */
const uncommitted = (fault: Fault): Fault => (fault.isGone === true ? { ...fault, kind: "unknown" } : fault)

const isRead = ([name]: Call): boolean => kinds[name] !== "write"
