import type * as Redacted from "effect/Redacted"

/**
 * The secrets of a customer's webhooks.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredSecrets {
  readonly primary: Redacted.Redacted
  readonly secondary: Redacted.Redacted | undefined
}
