/**
 * The pace of a dam for a `fetch`: several programs share it.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as DamPermits from "../paced/DamPermits.ts"
import type { Permits } from "../paced/Permits.ts"
import * as DamUrl from "../transport/DamUrl.ts"

/**
 * Which dam is asked, and what holds while it cannot be.
 *
 * @category models
 * @since 0.1.0
 */
export interface DamPermitsOptions extends Omit<DamPermits.DamPermitsOptions, "apiKey"> {
  /** A key of the dam. Defaults to none, which a dam takes that has no keys. */
  readonly apiKey?: string | undefined
}

/**
 * Makes the `permits` of `createFetch`: a dam lets each call through, and hears what it was answered.
 *
 * **Details** — while the dam cannot be reached calls keep a pace of the program's own, and it is asked again from time to
 * time.
 *
 * @category constructors
 * @since 0.1.0
 */
export const damPermits = ({ apiKey, ...options }: DamPermitsOptions): Permits["Service"] => {
  const problem = DamUrl.problemOf(options.dam)
  if (problem !== undefined) throw new TypeError(`dam: ${problem}`)
  return DamPermits.makeUnsafe({ ...options, apiKey: apiKey === undefined ? undefined : Redacted.make(apiKey) })
}
