/**
 * One call whose answer is read as it comes: what `EzthrottleApi` needs of the network, and all it needs.
 *
 * `FetchCall.opening` and `ClientCall.opening` are the two ways to have it.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Request } from "../step/Request.ts"
import type { CallFailure } from "./CutShort.ts"

/** An answer whose head is complete and whose body is still to come. */
export interface Opened {
  readonly status: number
  /** By lower-case name. */
  readonly headers: { readonly [name: string]: string }
  /** The next piece of the body, its encoding undone; `undefined` at its end. */
  readonly next: Effect.Effect<Uint8Array | undefined, CallFailure>
}

/** Makes a call, redirects not followed. Closing the scope closes what is left of it. */
export type OpenCall = (request: Request) => Effect.Effect<Opened, CallFailure, Scope.Scope>
