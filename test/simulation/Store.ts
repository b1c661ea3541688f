/** The dam's store on a simulated disk: calls of a turn are one group, answered when the disk has answered. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Executor } from "../../src/dam/rows/Running.ts"
import { over } from "../../src/dam/rows/RowStore.ts"
import { type Call, executor, groupSize } from "../../src/dam/rows/Calls.ts"
import { type Groups, make as makeGroups } from "../../src/dam/sqlite/Groups.ts"
import type { Store } from "../../src/dam/store/JobStore.ts"
import { StorageFailed, type StoreError } from "../../src/dam/store/StoreError.ts"
import type { Disk } from "./Disk.ts"
import type { Trace } from "./Ledger.ts"
import type { Loop, Owner } from "./Loop.ts"

/** The process that a store belongs to. */
export interface Process extends Owner {
  /** Closes the file, whether the process lives or not. */
  close: () => void
  /** Told before a group is committed, and after; a process may end there. */
  atGroup: ((when: "before" | "after") => void) | undefined
}

interface Parts {
  readonly loop: Loop
  readonly disk: Disk
  readonly trace: Trace
  readonly process: Process
}

/** Opens the store of a process. */
export const make = (path: string, parts: Parts): Effect.Effect<Store, StoreError, Scope.Scope> =>
  Effect.map(opened(path, parts), (run) => over(run))

const opened = Effect.fnUntraced(function* (
  path: string,
  parts: Parts
): Effect.fn.Return<Executor, StoreError, Scope.Scope> {
  const made = makeGroups({ path, busyTimeout: 0, maxBytes: undefined })
  if (made._tag === "Failure") return yield* new StorageFailed({ detail: made.failure.detail })
  const groups = made.success
  let isOpen = true
  parts.process.close = () => {
    if (isOpen) groups.close()
    isOpen = false
  }
  yield* Effect.addFinalizer(() => Effect.sync(parts.process.close))
  return executor(submitting(groups, parts))
})

const submitting = (groups: Groups, { disk, loop, process, trace }: Parts): Parameters<typeof executor>[0] => {
  const waiting: Array<{ readonly call: Call; readonly resume: Parameters<Parameters<typeof executor>[0]>[1] }> = []
  let isScheduled = false
  let isBusy = false
  const flush = () => {
    isScheduled = false
    if (isBusy || waiting.length === 0) return
    const group = waiting.splice(0, groupSize(waiting))
    process.atGroup?.("before")
    if (!process.alive) return
    isBusy = true
    const { faults, values } = groups.run(group.map(({ call }) => call))
    const failed = [...faults.values()].map(({ detail }) => ` (${detail})`)
    trace.note(`store ${group.map(({ call }) => call[0]).join(",")}${failed.join("")}`)
    process.atGroup?.("after")
    if (!process.alive) return
    loop.in(disk.latency(), () => answer(group, values, faults), process)
  }
  const answer = (
    group: typeof waiting,
    values: ReadonlyArray<unknown>,
    faults: ReturnType<Groups["run"]>["faults"]
  ) => {
    isBusy = false
    group.forEach(({ resume }, place) => resume(values[place], faults.get(place)))
    if (waiting.length > 0) schedule()
  }
  const schedule = () => {
    if (isScheduled || isBusy) return
    isScheduled = true
    loop.task(flush, process)
  }
  return (call, resume) => {
    const one = { call, resume }
    waiting.push(one)
    schedule()
    return () => {
      const place = waiting.indexOf(one)
      if (place >= 0) waiting.splice(place, 1)
    }
  }
}
