/**
 * Who runs the commands of the SQLite store: a thread of its own, or the calling one.
 *
 * A thread keeps the event loop free and lets whatever waits at the same time share a commit. The calling thread
 * answers before the effect goes on, which virtual time needs (a `TestClock` does not wait for another thread).
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { Worker } from "node:worker_threads"
import type { StoreError } from "../store/StoreError.ts"
import type { DatabaseOptions } from "./Database.ts"
import { type Call, errorOf, executor, groupSize, type Resume, type Waiting } from "../rows/Calls.ts"
import { closed, type Fault } from "../rows/Commands.ts"
import type { Executor } from "../rows/Running.ts"
import { type Group, make } from "./Groups.ts"
import { kinds } from "../rows/Kinds.ts"
import { fileIn } from "./Ownership.ts"
import { program } from "./Thread.ts"

/** Runs each command at once, in the calling thread and a transaction of its own. */
export const sameThread = (options: DatabaseOptions): Effect.Effect<Executor, StoreError, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.suspend(() => Effect.fromResult(Result.mapError(make(options), errorOf))),
      (engine) => Effect.sync(engine.close)
    ),
    (engine) =>
      executor((call, resume) => {
        const { faults, values } = engine.run([call])
        resume(values[0], faults.get(0))
      })
  )

/**
 * Runs commands in a thread of its own; those that wait at the same time share a transaction. Reads that may take long
 * have another thread, which begins with the first of them.
 */
export const worker = Effect.fnUntraced(function* (
  options: DatabaseOptions
): Effect.fn.Return<Executor, StoreError, Scope.Scope> {
  const writer = yield* opened(options)
  if (fileIn(options.path) === undefined) return executor((call, resume) => writer.add(call, resume))
  let reader: Near | undefined
  // closed before the writer: the last to close a database folds its log into the file
  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      if (reader === undefined) resume(Effect.void)
      else reader.close(() => resume(Effect.void))
    })
  )
  return executor((call, resume) => {
    if (kinds[call[0]] !== "longRead") return writer.add(call, resume)
    reader ??= new Near({ ...options, readsOnly: true }, () => undefined)
    return reader.add(call, resume)
  })
})

const opened = (options: DatabaseOptions): Effect.Effect<Near, StoreError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Near, StoreError>((resume) => {
      const writer = new Near(options, (fault) =>
        resume(fault === undefined ? Effect.succeed(writer) : Effect.fail(errorOf(fault)))
      )
      return Effect.sync(() => writer.abandon())
    }),
    (writer) => Effect.callback<void>((resume) => writer.close(() => resume(Effect.void)))
  )

/** Messages under way. The thread joins those it finds into one transaction, so a slow disk only makes groups larger. */
const messagesAhead = 8

/** What the thread answers to so many messages at once. */
export interface Answers extends Group {
  readonly messages: number
}

/** Messages die young; without a limit V8 keeps a hundred megabytes ready for them. */
const resourceLimits = { maxYoungGenerationSizeMb: 24 }

/** The near end of the thread that writes, or of the one that reads. */
class Near {
  private waiting: Array<Waiting> = []
  private readonly sent: Array<ReadonlyArray<Waiting>> = []
  private readonly thread: Worker
  private scheduled = false
  private started = false
  private ended: Fault | undefined
  private onIdle: (() => void) | undefined

  constructor(options: DatabaseOptions, opened: (fault: Fault | undefined) => void) {
    const name = options.readsOnly === true ? "ezthrottle-reads" : "ezthrottle-store"
    this.thread = new Worker(program, { workerData: options, name, resourceLimits })
    this.thread.once("message", (fault: Fault | undefined) => {
      this.thread.on("message", (answers: Answers | null) => {
        if (answers === null) void this.thread.terminate()
        else this.answered(answers)
      })
      this.started = true
      if (fault !== undefined) return this.end(fault, opened)
      // a thread that reads is given work before it has opened anything
      if (this.sent.length === 0) this.thread.unref()
      opened(undefined)
    })
    this.thread.on("error", (error) => {
      const what = this.started ? "its thread ended" : "its thread did not start"
      this.end({ ...closed, detail: `${what}: ${messageOf(error)}` }, opened)
    })
    this.thread.on("exit", () => this.end(closed, opened))
  }

  add(call: Call, resume: Resume): (() => void) | undefined {
    if (this.ended !== undefined) {
      resume(undefined, this.ended)
      return undefined
    }
    const waiting = { call, resume }
    this.waiting.push(waiting)
    this.schedule()
    return () => {
      const place = this.waiting.indexOf(waiting)
      if (place >= 0) this.waiting.splice(place, 1)
    }
  }

  /** Lets everything handed in be written, then ends the thread. */
  close(closed: () => void): void {
    if (this.ended !== undefined) return closed()
    this.thread.ref()
    this.thread.once("exit", closed)
    this.onIdle = () => this.thread.postMessage([])
    this.flush()
  }

  /** Ends the thread at once; what it has committed stays. */
  abandon(): void {
    void this.thread.terminate()
  }

  /** At the end of the turn of the event loop, so that whatever came in during it goes together. */
  private schedule(): void {
    if (this.scheduled || this.sent.length >= messagesAhead) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.flush()
    })
  }

  private flush(): void {
    while (this.sent.length < messagesAhead && this.waiting.length > 0) {
      const group = this.waiting.splice(0, groupSize(this.waiting))
      if (this.sent.length === 0) this.thread.ref()
      this.sent.push(group)
      this.thread.postMessage(group.map(({ call }) => call))
    }
    if (this.sent.length > 0) return
    this.onIdle?.()
    if (this.onIdle === undefined) this.thread.unref()
  }

  private answered({ faults, messages, values }: Answers): void {
    const group = this.sent.splice(0, messages).flat()
    // before anything is answered, so that the thread has work meanwhile
    this.flush()
    group.forEach(({ resume }, place) => resume(values[place], faults.get(place)))
  }

  private end(fault: Fault, opened: (fault: Fault) => void): void {
    if (this.ended !== undefined) return
    this.ended = fault
    opened(fault)
    for (const { resume } of [...this.sent.splice(0).flat(), ...this.waiting.splice(0)]) resume(undefined, fault)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
