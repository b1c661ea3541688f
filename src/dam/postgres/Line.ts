/**
 * Calls on their way to one connection: what waits together goes together, and what cannot go is answered why.
 *
 * A connection that breaks is made again by itself. Calls of a group that surely was not committed go with the next
 * connection; while there is none, whoever calls is told at once.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { type Call, groupSize, type Resume, type Waiting } from "../rows/Calls.ts"
import { closed, type Fault } from "../rows/Commands.ts"
import type { Answer, Groups } from "./Groups.ts"

/** Opens a connection and what runs groups over it, for as long as a scope lasts. */
export type Open = Effect.Effect<Groups, Fault, Scope.Scope>

/** Takes calls, and answers what takes one back while it waits. */
export type Line = (call: Call, resume: Resume) => (() => void) | undefined

/** A call that waits, and whether it has met with a broken connection before. */
interface Standing extends Waiting {
  readonly isAgain: boolean
}

/** How soon a connection is tried again, at most, in milliseconds. */
const slowest = 2000

/** Within which a group is answered, or its connection is given up: the other end may be gone without a word. */
const patience = "60 seconds"

/** How long the end waits for what was handed in. */
const parting = "10 seconds"

/** Makes a line whose first connection is there, or is made with its first call. */
export const make = Effect.fnUntraced(function* (
  open: Open,
  begun: "at once" | "later"
): Effect.fn.Return<Line, Fault, Scope.Scope> {
  const queue = new Queue()
  const connection = yield* connections(open)
  if (begun === "at once") yield* connection.make
  const fiber = yield* Effect.forkScoped(serve(queue, connection))
  // comes before the fiber is interrupted
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      queue.close()
      return queue.down === undefined ? Effect.timeoutOption(Fiber.await(fiber), parting) : Effect.void
    })
  )
  return (call, resume) => queue.add(call, resume)
})

const serve = Effect.fnUntraced(function* (queue: Queue, connection: Connections): Effect.fn.Return<void> {
  for (;;) {
    const group = yield* queue.next
    if (group === undefined) return
    const made = yield* Effect.result(connection.make)
    if (Result.isFailure(made)) {
      queue.refuse(group, made.failure)
      if (!(yield* again(queue, connection, made.failure))) return
      continue
    }
    const answers = yield* answered(
      made.success,
      group.map(({ call }) => call)
    )
    if (answers.some(isBroken)) yield* connection.drop
    const left: Array<Standing> = []
    for (const [place, one] of group.entries()) {
      const answer = answers[place]
      if (answer === undefined) continue
      if (Result.isSuccess(answer)) one.resume(answer.success, undefined)
      else if (isBroken(answer) && answer.failure.kind === "failed" && !one.isAgain)
        left.push({ ...one, isAgain: true })
      else one.resume(undefined, answer.failure)
    }
    queue.putBack(left)
  }
})

const isBroken = (answer: Answer): boolean => Result.isFailure(answer) && answer.failure.isGone === true

/** Tries until there is a connection again; `false`: there will be none. */
const again = Effect.fnUntraced(function* (
  queue: Queue,
  connection: Connections,
  first: Fault
): Effect.fn.Return<boolean> {
  let fault = first
  for (let pause = 100; ; pause = Math.min(2 * pause, slowest)) {
    if (fault.kind === "lost") {
      queue.end(fault)
      return false
    }
    queue.refuseAll(fault)
    yield* Effect.sleep(pause)
    const made = yield* Effect.result(connection.make)
    if (Result.isSuccess(made)) break
    fault = made.failure
  }
  queue.down = undefined
  yield* Effect.logInfo("Postgres is there again")
  return true
})

const answered = (groups: Groups, calls: ReadonlyArray<Call>): Effect.Effect<ReadonlyArray<Answer>> =>
  groups.run(calls).pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.succeed(calls.map(() => Result.fail(silent)))
    })
  )

const silent: Fault = {
  kind: "unknown",
  detail: "Postgres has not answered for a minute",
  local: false,
  isGone: true
}

/** The connection at hand, if any. */
interface Connections {
  /** The one that is there, or a new one. */
  readonly make: Effect.Effect<Groups, Fault>
  readonly drop: Effect.Effect<void>
}

const connections = Effect.fnUntraced(function* (open: Open): Effect.fn.Return<Connections, never, Scope.Scope> {
  let now: { readonly groups: Groups; readonly scope: Scope.Closeable } | undefined
  const drop = Effect.suspend(() => {
    const last = now
    now = undefined
    return last === undefined ? Effect.void : Scope.close(last.scope, Exit.void)
  })
  yield* Effect.addFinalizer(() => drop)
  const anew = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const groups = yield* Scope.provide(open, scope).pipe(Effect.onError(() => Scope.close(scope, Exit.void)))
    now = { groups, scope }
    return groups
  })
  return { make: Effect.suspend(() => (now === undefined ? anew : Effect.succeed(now.groups))), drop }
})

class Queue {
  private readonly waiting: Array<Standing> = []
  private wake: (() => void) | undefined
  private isClosed = false
  /** Why nothing goes, and whoever calls is told so. */
  down: Fault | undefined

  /** The next calls that go together; nothing once it is closed and empty. */
  readonly next: Effect.Effect<ReadonlyArray<Standing> | undefined> = Effect.callback((resume) => {
    const take = () => {
      this.wake = undefined
      if (this.waiting.length > 0) resume(Effect.succeed(this.waiting.splice(0, groupSize(this.waiting))))
      else if (this.isClosed) resume(Effect.succeed(undefined))
      else this.wake = () => setImmediate(take)
    }
    take()
    return Effect.sync(() => (this.wake = undefined))
  })

  add(call: Call, resume: Resume): (() => void) | undefined {
    const fault = this.isClosed ? (this.down ?? closed) : this.down
    if (fault !== undefined) {
      resume(undefined, fault)
      return undefined
    }
    const standing = { call, resume, isAgain: false }
    this.waiting.push(standing)
    this.rouse()
    return () => {
      const place = this.waiting.indexOf(standing)
      if (place >= 0) this.waiting.splice(place, 1)
    }
  }

  putBack(group: ReadonlyArray<Standing>): void {
    this.waiting.unshift(...group)
  }

  refuse(group: ReadonlyArray<Standing>, fault: Fault): void {
    for (const { resume } of group) resume(undefined, fault)
  }

  /** From now on, until `down` is taken back. */
  refuseAll(fault: Fault): void {
    this.down = fault
    this.refuse(this.waiting.splice(0), fault)
  }

  end(fault: Fault): void {
    this.isClosed = true
    this.refuseAll(fault)
  }

  close(): void {
    this.isClosed = true
    this.rouse()
  }

  private rouse(): void {
    const { wake } = this
    this.wake = undefined
    wake?.()
  }
}
