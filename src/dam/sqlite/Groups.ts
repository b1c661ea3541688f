/**
 * Runs groups of commands, each group in one transaction. Lives in the thread that writes and is synchronous.
 *
 * A group is tried as it is, without savepoints. Should one command break a rule of the database, the group is rolled
 * back and run again with every command in a savepoint of its own, so that only the guilty one fails; commands depend
 * on the database alone, so running them twice is harmless. When the disk is full the writes of the group fail and its
 * reads are answered.
 */
import * as Result from "effect/Result"
import type { DatabaseSync } from "node:sqlite"
import { type Commands, type Fault } from "../rows/Commands.ts"
import { attempt, type DatabaseOptions, faultOf, open } from "./Database.ts"
import { deadLetterCommands } from "./DeadLetterCommands.ts"
import { deliveryCommands } from "./DeliveryCommands.ts"
import { jobCommands } from "./JobCommands.ts"
import { laneCommands } from "./LaneCommands.ts"
import { listCommand } from "./ListCommand.ts"
import { outboxCommands } from "./OutboxCommands.ts"
import { secretCommands } from "./SecretCommands.ts"
import { steeringCommands } from "./SteeringCommands.ts"
import { begin as beginTally, copy, count, restore, type Tally } from "./Tally.ts"
import { trustCommands } from "./TrustCommands.ts"
import { upkeepCommands } from "./UpkeepCommands.ts"

const commandsOver = (db: DatabaseSync, tally: Tally) => {
  const jobs = jobCommands(db, tally)
  const deliveries = deliveryCommands(db, tally)
  return {
    ...jobs.commands,
    ...listCommand(db, jobs.load),
    ...laneCommands(db),
    ...steeringCommands(db, tally),
    ...outboxCommands(db),
    ...deliveries.commands,
    ...deadLetterCommands(db, tally, deliveries.judge),
    ...secretCommands(db),
    ...trustCommands(db),
    ...upkeepCommands(db, tally)
  } satisfies Commands
}

/** One command and its arguments, as they travel. */
export type Call = {
  readonly [Name in keyof Commands]: readonly [name: Name, ...args: Parameters<Commands[Name]>]
}[keyof Commands]

/** What became of the calls of a group, as it travels back: a value for each, and a fault for each that failed. */
export interface Group {
  readonly values: ReadonlyArray<unknown>
  readonly faults: ReadonlyMap<number, Fault>
}

/** What a store answers when it is no longer there. */
export const closed: Fault = { kind: "failed", detail: "it is closed", local: false }

/** A database and the commands over it, run in groups. */
export interface Groups {
  /** Runs calls in their order and answers in it, once they are durable. */
  readonly run: (calls: ReadonlyArray<Call>) => Group
  readonly close: () => void
}

/** Opens a database, or says why it must not be used. */
export const make = (options: DatabaseOptions): Result.Result<Groups, Fault> =>
  Result.flatMap(open(options), (db) => {
    const made = attempt(() => over(db))
    if (Result.isFailure(made)) db.close()
    return made
  })

const over = (db: DatabaseSync): Groups => {
  const tally = count(db)
  const commands = commandsOver(db, tally)
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  const savepoint = db.prepare("SAVEPOINT one")
  const release = db.prepare("RELEASE one")

  const invoke = ([name, ...args]: Call): unknown => {
    // the arguments belong to the name, which TypeScript cannot follow through a union of calls
    const command = commands[name] as (...args: ReadonlyArray<unknown>) => unknown
    return command(...args)
  }

  const alone = (call: Call): Result.Result<unknown, Fault> => attempt(() => invoke(call))

  const inSavepoint = (call: Call): Result.Result<unknown, Fault> => {
    const before = copy(tally)
    const done = attempt(() => {
      savepoint.run()
      const value = invoke(call)
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

  const transact = <A>(body: () => A): Result.Result<A, Fault> => {
    const before = beginTally(tally)
    const done = Result.try({
      try: () => {
        begin.run()
        const answer = body()
        commit.run()
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

  const run = (calls: ReadonlyArray<Call>): Group => {
    if (!db.isOpen) return groupOf(calls.map(() => Result.fail(closed)))
    if (calls.every(isRead)) return groupOf(calls.map(alone))
    const first = transact(() => calls.map(invoke))
    if (Result.isSuccess(first)) return { values: first.success, faults: new Map() }
    const second = first.failure.local ? transact(() => calls.map(inSavepoint)) : Result.fail(first.failure)
    if (Result.isSuccess(second)) return groupOf(second.success)
    return groupOf(calls.map((call) => (isRead(call) ? alone(call) : Result.fail(second.failure))))
  }

  return { run, close: () => db.close() }
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

const isRead = ([name]: Call): boolean => reads.has(name)

const reads: ReadonlySet<keyof Commands> = new Set([
  "get",
  "list",
  "lanes",
  "queues",
  "page",
  "position",
  "depth",
  "overdue",
  "deliveryLanes",
  "dueDeliveries",
  "deliveries",
  "deadLetters",
  "endpoints",
  "secrets",
  "everySecret",
  "setting",
  "l8Trust",
  "l8Trusts",
  // not to be run in a transaction
  "foldLog",
  "paces",
  "laneCounts",
  "steering",
  "laneLog",
  "ahead",
  "queueLengths",
  "stats"
] as const)
