/** Commands on their way to a database: one by one from those who wait for them, in groups to those who run them. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { OutcomeUnknown, type StoreError, StorageFailed, StorageFull, StorageLost } from "../store/StoreError.ts"
import type { Commands, Fault, FinishInsert } from "./Commands.ts"
import type { BeginCommand, Executor } from "./Running.ts"

/** One command and its arguments, as they travel. */
export type Call = {
  readonly [Name in keyof Commands]: readonly [name: Name, ...args: Parameters<Commands[Name]>]
}[keyof Commands]

/** Takes what became of a call. */
export type Resume = (value: unknown, fault: Fault | undefined) => void

/** Takes a call, and answers what takes it back while it waits. */
type Submit = (call: Call, resume: Resume) => (() => void) | void

/** Makes an executor of what takes calls one by one. */
export const executor = (submit: Submit): Executor => {
  // a name with the arguments of its command is a call, and its value the command's; TypeScript loses both here
  const run = <Name extends keyof Commands>(name: Name, ...args: Parameters<Commands[Name]>) =>
    Effect.callback<ReturnType<Commands[Name]>, StoreError>((resume) => {
      const drop = submit([name, ...args] as unknown as Call, (value, fault) =>
        resume(fault === undefined ? Effect.succeed(value as ReturnType<Commands[Name]>) : Effect.fail(errorOf(fault)))
      )
      return drop && Effect.sync(drop)
    })
  const begin: BeginCommand = <Name extends keyof Commands>(
    done: (answer: Result.Result<ReturnType<Commands[Name]>, StoreError>) => void,
    name: Name,
    ...args: Parameters<Commands[Name]>
  ) =>
    void submit([name, ...args] as unknown as Call, (value, fault) =>
      done(fault === undefined ? Result.succeed(value as ReturnType<Commands[Name]>) : Result.fail(errorOf(fault)))
    )
  return Object.assign(run, { begin })
}

/** A call, and who waits for it. */
export interface Waiting {
  readonly call: Call
  readonly resume: Resume
}

/** The most that one transaction takes: enough to make its commit cheap, little enough to answer soon. */
const groupCalls = 512
const groupBytes = 8 * 1024 * 1024

/** As many of the waiting calls as one transaction takes, and always one. */
export const groupSize = (waiting: ReadonlyArray<Waiting>): number => {
  const most = Math.min(waiting.length, groupCalls)
  let bytes = 0
  for (let size = 0; size < most; size++) {
    bytes += weightOf(waiting[size]?.call)
    if (bytes > groupBytes) return Math.max(1, size)
  }
  return most
}

/** What most calls are is looked at only where it can be large. */
const weightOf = (call: Call | undefined): number => {
  if (call === undefined) return 0
  switch (call[0]) {
    case "enqueue":
    case "enqueueBelow":
      return call[1].step.length
    case "finish":
      return weightOfFinish(call[3])
    case "begin":
    case "settleDelivery":
      return 0
    default:
      return weight(call)
  }
}

const weightOfFinish = ({ attempt, bodies, children, deliveries, result }: FinishInsert): number => {
  let sum = result.length + bodies.byteLength + (attempt?.body?.byteLength ?? 0)
  for (const { body } of deliveries) sum += body.byteLength
  for (const { step } of children) sum += step.length
  return sum
}

const weight = (value: unknown): number => {
  if (typeof value === "string") return value.length
  if (value instanceof Uint8Array) return value.byteLength
  if (typeof value !== "object" || value === null) return 0
  let sum = 0
  for (const part of Object.values(value)) sum += weight(part)
  return sum
}

/** What those who wait are told of a fault. */
export const errorOf = ({ detail, kind }: Fault): StoreError => {
  switch (kind) {
    case "full":
      return new StorageFull()
    case "failed":
      return new StorageFailed({ detail })
    case "lost":
      return new StorageLost({ detail })
    case "unknown":
      return new OutcomeUnknown({ detail })
  }
}
