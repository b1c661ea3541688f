/**
 * Secrets as the store knows them, and the port to them.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { StoreError } from "./StoreError.ts"

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

/**
 * Secrets of customers, and settings of the dam itself.
 *
 * @category ports
 * @since 0.1.0
 */
export interface SecretPort {
  readonly secrets: (customer: string) => Effect.Effect<StoredSecrets | undefined, StoreError>
  readonly everySecret: Effect.Effect<ReadonlyArray<StoredSecrets & { readonly customer: string }>, StoreError>
  /** A setting of the dam itself. */
  readonly setting: (name: string) => Effect.Effect<string | undefined, StoreError>
  /** Sets secrets and settings together; of what they replace nothing is left on disk. */
  readonly putSecrets: (
    secrets: ReadonlyArray<StoredSecrets & { readonly customer: string }>,
    settings: ReadonlyArray<readonly [name: string, value: string]>
  ) => Effect.Effect<void, StoreError>
  readonly setSecrets: (customer: string, secrets: StoredSecrets | undefined) => Effect.Effect<void, StoreError>
  /**
   * Makes new secrets of those that are set: of several changes at once each sees what another has made. `change` is
   * asked anew where somebody else was faster.
   */
  readonly changeSecrets: <E>(
    customer: string,
    change: (now: StoredSecrets | undefined) => Effect.Effect<StoredSecrets, E>
  ) => Effect.Effect<void, StoreError | E>
}
