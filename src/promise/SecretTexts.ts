/** Webhook secrets as callers of the facade write them. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Client from "../run/ClientService.ts"
import type { Secrets } from "../run/Service.ts"

/** Does something with the secrets of the client in place. */
export const withSecrets = <A, E>(use: (secrets: Secrets) => Effect.Effect<A, E>) =>
  Effect.flatMap(Client.EZThrottle, ({ secrets }) => use(secrets))

// a caller without types may pass anything; the service refuses what is too short
export const secret = (text: string): Redacted.Redacted<string> => Redacted.make(String(text ?? ""))

export const optionalSecret = (text: string | null | undefined): Redacted.Redacted<string> | undefined =>
  text ? secret(text) : undefined
