/**
 * Credentials that headers name, kept by a dam: put there, listed and deleted, and never read back.
 *
 * @since 0.1.0
 */
import type { Redacted } from "effect/Redacted"
import type * as Schema from "effect/Schema"
import { TaggedError } from "../step/TaggedError.ts"

/**
 * A whole credential: a value that is sent, or what tokens are fetched with.
 *
 * @category models
 * @since 0.1.0
 */
export interface CredentialOptions {
  /** Where it may go, such as `api.example.com`; anywhere else it is refused, and never sent. */
  readonly hosts: ReadonlyArray<string>
  /** What is sent; one of `value` and `tokenUrl` is said. */
  readonly value?: Redacted | undefined
  /** Where tokens are fetched by the client credentials grant of OAuth 2.0. */
  readonly tokenUrl?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: Redacted | undefined
  readonly scope?: string | undefined
  readonly audience?: string | undefined
  /** How the client shows who it is: in an `Authorization` header, or among the fields of the form. Defaults to `basic`. */
  readonly clientAuth?: "basic" | "body" | undefined
}

/**
 * A credential without what is secret of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credential {
  readonly name: string
  /** `value` or `oauth2`. */
  readonly kind: string
  /** Origins that it may go to. */
  readonly hosts: ReadonlyArray<string>
  /** When it was set last, epoch milliseconds. */
  readonly rotatedAt: number
  /** The service's whole answer, unchanged. */
  readonly answer: { readonly [key: string]: Schema.Json }
}

/**
 * A credential that is not kept: it cannot be, or the dam keeps none, or no more.
 *
 * @category errors
 * @since 0.1.0
 */
export class CredentialRefused extends TaggedError("CredentialRefused")<{
  /** As the protocol spells it: `invalid_field`, `no_master_key`, `too_many_credentials`. */
  readonly code: string
  /** The path of what is wrong, in the protocol's spelling; `undefined` where nothing of it is. */
  readonly field: string | undefined
  readonly problem: string
}> {
  override get message() {
    return this.problem
  }
}

/**
 * The service keeps no credential of this name.
 *
 * @category errors
 * @since 0.1.0
 */
export class CredentialNotFound extends TaggedError("CredentialNotFound")<{ readonly credential: string }> {
  override get message() {
    return `there is no credential ${JSON.stringify(this.credential)}`
  }
}
