/**
 * Runs groups of commands, each group in one transaction. Lives in the thread that writes and is synchronous.
 *
 * A group is tried as it is, without savepoints. Should one command break a rule of the database, the group is rolled
 * back and run again with every command in a savepoint of its own, so that only the guilty one fails; commands depend
 * on the database alone, so running them twice is harmless. When the disk is full the writes of the group fail and its
 * reads are answered.
 *
 * No write is acknowledged that nobody would find again: the owner's mark is read in every transaction, and where the
 * file stands is looked at after every commit. What cannot be committed because the disk fails is answered as unknown:
 * it may be there after the next start.
 */
import * as Result from "effect/Result"
import type { DatabaseSync } from "node:sqlite"
import type { Call } from "../rows/Calls.ts"
import { closed, type Commands, type Fault } from "../rows/Commands.ts"
import { changeCommand } from "./ChangeCommand.ts"
import { batchCommands } from "./BatchCommands.ts"
import { credentialCommands } from "./CredentialCommands.ts"
import { attempt, type DatabaseOptions, faultOf, ioError, kindOf, open, openBeside, type Opened } from "./Database.ts"
import { deadLetterCommands } from "./DeadLetterCommands.ts"
import { deliveryCommands } from "./DeliveryCommands.ts"
import { eraseCommand } from "./EraseCommand.ts"
import { failureCommands } from "./FailureCommands.ts"
import { historyCommands } from "./HistoryCommands.ts"
import { jobCommands } from "./JobCommands.ts"
import { kinds } from "../rows/Kinds.ts"
import { laneCommands } from "./LaneCommands.ts"
import { limitCommands } from "./LimitCommands.ts"
import { listCommand } from "./ListCommand.ts"
import { noticeCommands } from "./NoticeCommands.ts"
import { joinsOver } from "./JoinCommands.ts"
import { ordersOver } from "./OrderCommands.ts"
import { outboxCommands } from "./OutboxCommands.ts"
import { scheduleCommands } from "./ScheduleCommands.ts"
import { secretCommands } from "./SecretCommands.ts"
import { steeringCommands } from "./SteeringCommands.ts"
import { begin as beginTally, copy, empty, restore, type Tally } from "../rows/Tally.ts"
import { count } from "./Counts.ts"
import * as TextIndex from "./TextIndex.ts"
import { trustCommands } from "./TrustCommands.ts"
import { upkeepCommands } from "./UpkeepCommands.ts"

const commandsOver = (db: DatabaseSync, tally: Tally, fault: () => string | undefined) => {
  const texts = TextIndex.over(db)
  const { commands: ordered, orders } = ordersOver(db)
  const { commands: joined, joins } = joinsOver(db)
  const jobs = jobCommands(db, tally, texts, { orders, joins, joined })
  const deliveries = deliveryCommands(db, tally)
  return {
    ...jobs.commands,
    ...changeCommand(db, tally, joins),
    ...batchCommands(db, tally, { ...jobs.commands, known: jobs.known }),
    ...eraseCommand({ db, tally, texts }),
    ...listCommand({ db, texts, load: jobs.load }),
    ...failureCommands(db),
    ...laneCommands(db),
    ...steeringCommands(db, tally),
    ...limitCommands(db),
    ...scheduleCommands(db),
    ...ordered,
    ...joined,
    ...historyCommands(db),
    ...outboxCommands(db),
    ...deliveries.commands,
    ...deadLetterCommands(db, tally, deliveries.judge),
    ...secretCommands(db),
    ...credentialCommands(db),
    ...trustCommands(db),
    ...noticeCommands(db, jobs.commands),
    ...upkeepCommands({ db, tally, texts, fault, joins })
  } satisfies Commands
}

/** What became of the calls of a group, as it travels back: a value for each, and a fault for each that failed. */
export interface Group {
  readonly values: ReadonlyArray<unknown>
  readonly faults: ReadonlyMap<number, Fault>
}

/** A database and the commands over it, run in groups. */
export interface Groups {
  /** Runs calls in their order and answers in it, once they are durable. */
  readonly run: (calls: ReadonlyArray<Call>) => Group
  readonly close: () => void
}

/** Opens a database, or says why it must not be used. */
export const make = (options: DatabaseOptions): Result.Result<Groups, Fault> =>
  options.readsOnly === true
    ? Result.flatMap(openBeside(options), (db) => attempt(() => beside(db)))
    : Result.flatMap(open(options), (opened) => {
        const made = attempt(() => over(opened))
        if (Result.isFailure(made)) opened.close()
        return made
      })

/** Reads that may take long, each in a transaction that sees one moment of the database. */
const beside = (db: DatabaseSync): Groups => {
  const commands = commandsOver(db, empty(), () => undefined)
  const begin = db.prepare("BEGIN")
  const commit = db.prepare("COMMIT")
  const read = (call: Call): Result.Result<unknown, Fault> => {
    const done = attempt(() => {
      begin.run()
      return invoke(commands, call)
    })
    if (db.isTransaction) commit.run()
    return done
  }
  return { run: (calls) => groupOf(calls.map(read)), close: () => db.close() }
}

const invoke = (commands: Commands, [name, ...args]: Call): unknown => {
  // the arguments belong to the name, which TypeScript cannot follow through a union of calls
  const command = commands[name] as (...args: ReadonlyArray<unknown>) => unknown
  return command(...args)
}

const over = ({ close, db, owned, standing }: Opened): Groups => {
  const tally = count(db)
  // what the last write failed with, where that is the database's fault
  let lastFault: Fault | undefined
  const faultNow = () => standing() ?? owned() ?? lastFault
  const commands = commandsOver(db, tally, () => faultNow()?.detail)
  const alone = (call: Call): Result.Result<unknown, Fault> => attempt(() => invoke(commands, call))
  const inSavepoint = savepoints(db, tally, commands)
  const inTransaction = transactions(db, tally, owned)

  const transact = <A>(body: () => A): Result.Result<A, Fault> => {
    const done = inTransaction(body)
    const fault = Result.isFailure(done) ? done.failure : undefined
    lastFault = fault === undefined || fault.local || fault.kind === "full" ? undefined : fault
    return done
  }

  /** Answers reads and fails writes. */
  const without = (calls: ReadonlyArray<Call>, fault: Fault): Group =>
    groupOf(calls.map((call) => (isRead(call) ? alone(call) : Result.fail(fault))))

  /** Answers what was committed, unless nobody would find it again. */
  const acknowledged = (calls: ReadonlyArray<Call>, group: Group): Group => {
    const lost = standing()
    return lost === undefined ? group : without(calls, lost)
  }

  const run = (calls: ReadonlyArray<Call>): Group => {
    if (!db.isOpen) return groupOf(calls.map(() => Result.fail(closed)))
    if (calls.every(isRead)) return groupOf(calls.map(alone))
    const lost = standing()
    if (lost !== undefined) return without(calls, lost)
    const first = transact(() => calls.map((call) => invoke(commands, call)))
    if (Result.isSuccess(first)) return acknowledged(calls, { values: first.success, faults: new Map() })
    const second = first.failure.local ? transact(() => calls.map(inSavepoint)) : Result.fail(first.failure)
    return Result.isSuccess(second) ? acknowledged(calls, groupOf(second.success)) : without(calls, second.failure)
  }

  return { run, close }
}

/** Runs a call in a savepoint of its own, so that it can fail alone. */
const savepoints = (db: DatabaseSync, tally: Tally, commands: Commands) => {
  const savepoint = db.prepare("SAVEPOINT one")
  const release = db.prepare("RELEASE one")
  return (call: Call): Result.Result<unknown, Fault> => {
    const before = copy(tally)
    const done = attempt(() => {
      savepoint.run()
      const value = invoke(commands, call)
      release.run()
      return value
    })
    if (Result.isFailure(done)) {
      if (!done.failure.local || !db.isTransaction) throw new GroupLost(done.failure)
      db.exec("ROLLBACK TO one; RELEASE one")
      restore(tally, before)
    }
    return done
  }
}

/** Runs a body in a transaction that only the owner of the file commits. */
const transactions = (db: DatabaseSync, tally: Tally, owned: Opened["owned"]) => {
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  return <A>(body: () => A): Result.Result<A, Fault> => {
    const before = beginTally(tally)
    const done = Result.try({
      try: () => {
        begin.run()
        const lost = owned()
        if (lost !== undefined) throw new GroupLost(lost)
        const answer = body()
        const committed = attempt(() => commit.run(), uncommitted)
        if (Result.isFailure(committed)) throw new GroupLost(committed.failure)
        return answer
      },
      catch: (error) => (error instanceof GroupLost ? error.fault : faultOf(error))
    })
    if (Result.isFailure(done)) {
      if (db.isTransaction) db.exec("ROLLBACK")
      restore(tally, before)
    }
    return done
  }
}

/** When the disk fails in a commit, nobody knows what of it is there after the next start. */
const uncommitted = (error: unknown): Fault => {
  const fault = faultOf(error)
  return kindOf(error) === ioError ? { ...fault, kind: "unknown" } : fault
}

const groupOf = (answers: ReadonlyArray<Result.Result<unknown, Fault>>): Group => ({
  values: answers.map((answer) => (Result.isSuccess(answer) ? answer.success : undefined)),
  faults: new Map(
    answers.flatMap((answer, place) => (Result.isFailure(answer) ? [[place, answer.failure] as const] : []))
  )
})

class GroupLost extends Error {
  readonly fault: Fault
  constructor(fault: Fault) {
    super(fault.detail)
    this.fault = fault
  }
}

const isRead = ([name]: Call): boolean => kinds[name] !== "write"
