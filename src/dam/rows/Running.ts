/** How the commands of a store are run. */
import type * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import type { StoreError } from "../store/StoreError.ts"
import type { Commands } from "./Commands.ts"

/** Runs one command, durably done when it answers. */
export interface Executor {
  <Name extends keyof Commands>(
    name: Name,
    ...args: Parameters<Commands[Name]>
  ): Effect.Effect<ReturnType<Commands[Name]>, StoreError>
  /** The same without a fiber: whoever begins it is called once. Not every executor can. */
  readonly begin?: BeginCommand | undefined
}

/** Begins a command, which nothing stops. */
export type BeginCommand = <Name extends keyof Commands>(
  done: (answer: Result.Result<ReturnType<Commands[Name]>, StoreError>) => void,
  name: Name,
  ...args: Parameters<Commands[Name]>
) => void
