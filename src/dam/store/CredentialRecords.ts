/**
 * Credentials that calls name, as the store knows them.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { StoreError } from "./StoreError.ts"

/**
 * Where tokens of a credential come from, and for what.
 *
 * @category models
 * @since 0.1.0
 */
export interface TokenSource {
  readonly tokenUrl: string
  readonly clientId: string
  readonly scope: string | undefined
  readonly audience: string | undefined
  /** How the client shows who it is: in an `Authorization` header, or among the fields of the form. */
  readonly clientAuth: "basic" | "body"
}

/**
 * A credential of a customer.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredCredential {
  readonly customer: string
  readonly name: string
  /** Origins that it may go to. */
  readonly hosts: ReadonlyArray<string>
  /** What is sent, or what tokens are asked for with; sealed where it is written. */
  readonly secret: Redacted.Redacted
  /** `undefined`: the secret itself is sent. */
  readonly tokens: TokenSource | undefined
  /** Epoch milliseconds. */
  readonly madeAt: number
  /** When the secret was set last, in epoch milliseconds. */
  readonly rotatedAt: number
}

/**
 * What the store keeps of credentials.
 *
 * @category ports
 * @since 0.1.0
 */
export interface CredentialPort {
  /** Those of a customer by their names. */
  readonly credentials: (customer: string) => Effect.Effect<ReadonlyArray<StoredCredential>, StoreError>
  readonly credential: (customer: string, name: string) => Effect.Effect<StoredCredential | undefined, StoreError>
  /** Takes the place of one of the same name; of what it replaces nothing is left on disk. */
  readonly saveCredential: (credential: StoredCredential) => Effect.Effect<void, StoreError>
  /** Whether there was one; nothing of it is left on disk. */
  readonly removeCredential: (customer: string, name: string) => Effect.Effect<boolean, StoreError>
}
