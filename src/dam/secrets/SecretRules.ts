/**
 * Which webhook secrets a dam keeps, however they are handed to it: over HTTP or in process.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import type { StoredSecrets } from "../store/SecretRecords.ts"

/**
 * Why secrets are not kept; the secret itself is never repeated.
 *
 * @category models
 * @since 0.1.0
 */
export interface WeakSecrets {
  readonly which: "primary" | "secondary"
  readonly problem: string
}

/**
 * Finds the rule that secrets break: each has 16 to 1,024 characters, and two of them differ.
 *
 * @category guards
 * @since 0.1.0
 */
export const breachOf = ({ primary, secondary }: StoredSecrets): WeakSecrets | undefined => {
  if (!isKept(primary)) return { which: "primary", problem: expected }
  if (secondary === undefined) return undefined
  if (!isKept(secondary)) return { which: "secondary", problem: expected }
  return isSame(primary, secondary)
    ? { which: "secondary", problem: "is the primary one; two secrets must differ" }
    : undefined
}

/**
 * Finds the rule that rotating from the current secret to the next one breaks. How long the current one is does not
 * count: it was kept once, and whoever rotates leaves it behind.
 *
 * @category guards
 * @since 0.1.0
 */
export const breachOfRotation = (current: Redacted.Redacted, next: Redacted.Redacted): WeakSecrets | undefined =>
  isSame(current, next)
    ? { which: "primary", problem: "is the current one; rotate to another" }
    : breachOf({ primary: next, secondary: undefined })

const isKept = (secret: Redacted.Redacted): boolean => {
  const { length } = Redacted.value(secret)
  return length >= shortest && length <= longest
}

const isSame = (one: Redacted.Redacted, other: Redacted.Redacted): boolean =>
  Redacted.value(one) === Redacted.value(other)

/** The wire protocol's, "Webhook secrets". */
const shortest = 16
const longest = 1024
const expected = `Expected ${shortest} to ${longest} characters`
