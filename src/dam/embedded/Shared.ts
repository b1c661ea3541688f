/**
 * The embedded dams of this process, by their file or database: it has one owner, and several clients may have the same
 * dam.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Result from "effect/Result"
import { resolve } from "node:path"
import type { Service } from "../../run/Service.ts"
import { InvalidOption } from "./DamOptions.ts"
import { nameOf, type StorageOptions } from "./Storage.ts"
import type { StoreError } from "../store/StoreError.ts"

/** One client's part in a dam. */
export interface Share {
  readonly service: Effect.Effect<Context.Context<Service>, StoreError>
  /** Gives it back; the dam stops when nobody has a part in it any more. */
  readonly leave: () => Promise<void>
}

/** Takes part in the dam of a file or database, which starts with its first use; fails when it is open with other options. */
export const join = (
  options: StorageOptions,
  start: Layer.Layer<Service, StoreError>
): Result.Result<Share, InvalidOption> => {
  // what is in memory belongs to whoever made it
  const name = nameOf(options)
  const file = options.database !== undefined ? name : name === ":memory:" || name === "" ? Symbol() : resolve(name)
  const open = dams.get(file)
  const differing = open === undefined ? [] : differences(open.options, options)
  if (differing.length > 0) {
    return Result.fail(
      new InvalidOption({
        problem: `${differing.join(", ")}: the dam of ${name} is open in this process with another value; give both clients the same options, or the same service`
      })
    )
  }
  const dam = open ?? opened(options, after(closing.get(file), start))
  dams.set(file, dam)
  dam.users++
  let stays = true
  return Result.succeed({
    service: serviceOf(dam),
    leave: () => {
      if (!stays) return closing.get(file) ?? Promise.resolve()
      stays = false
      if (--dam.users > 0) return Promise.resolve()
      dams.delete(file)
      const closed = dam.runtime.dispose().finally(() => closing.get(file) === closed && closing.delete(file))
      closing.set(file, closed)
      return closed
    }
  })
}

interface Open {
  readonly options: object
  readonly start: Layer.Layer<Service, StoreError>
  users: number
  runtime: ManagedRuntime.ManagedRuntime<Service, StoreError>
}

const opened = (options: object, start: Open["start"]): Open => ({
  options,
  start,
  users: 0,
  runtime: ManagedRuntime.make(start)
})

/** A start that failed is tried again by the next call, whoever's it is. */
const serviceOf = (dam: Open): Share["service"] =>
  Effect.suspend(() => {
    // a runtime keeps how its start ended, so each try has its own
    const tried = dam.runtime
    return Effect.tapError(tried.contextEffect, () =>
      Effect.suspend(() => {
        if (dam.runtime !== tried) return Effect.void
        dam.runtime = ManagedRuntime.make(dam.start)
        return tried.disposeEffect
      })
    )
  })

const dams = new Map<string | symbol, Open>()
/** Those that are on their way out still have their file. */
const closing = new Map<string | symbol, Promise<void>>()

const after = (closed: Promise<void> | undefined, start: Layer.Layer<Service, StoreError>) =>
  closed === undefined
    ? start
    : Layer.unwrap(
        Effect.as(
          Effect.promise(() => closed),
          start
        )
      )

/** The names whose values are not the same; a path is the same file by then. */
const differences = (one: object, other: object): ReadonlyArray<string> =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].filter(
    (name) => name !== "path" && name !== "database" && !Equal.equals(Reflect.get(one, name), Reflect.get(other, name))
  )
