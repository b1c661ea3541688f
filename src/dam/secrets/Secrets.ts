/**
 * The webhook secrets of one customer, over the store: the same port that the remote service implements.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Secrets } from "../../run/Service.ts"
import { NoSecrets, OldSecretUnknown, ServiceError, WeakSecret } from "../../run/Service.ts"
import { ServiceFailed } from "../../step/Failure.ts"
import type { SecretPort } from "../store/SecretRecords.ts"
import type { StoreError } from "../store/StoreError.ts"

/** The shortest secret that is taken, in characters (wire protocol, "Webhook secrets"). */
const shortest = 16

/**
 * Makes the secrets of a customer. Unlike the cloud, a dam knows the old secret, so rotating needs only the new one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (store: SecretPort, customer: string): Secrets => {
  const read = inService(store.secrets(customer))
  const rotated = (next: Redacted.Redacted) =>
    Effect.mapError(
      store.changeSecrets(customer, (now) =>
        Effect.gen(function* () {
          if (now === undefined) return yield* new ServiceError({ reason: new OldSecretUnknown() })
          if (Redacted.value(now.primary) === Redacted.value(next)) return yield* unchanged
          if (isWeak(next)) return yield* weak(`primarySecret must be at least ${shortest} characters`)
          return { primary: next, secondary: now.primary }
        })
      ),
      (error) => (error._tag === "ServiceError" ? error : unavailable(error))
    )
  const write = (primary: Redacted.Redacted, secondary: Redacted.Redacted | undefined, message: string) =>
    Effect.gen(function* () {
      if (isWeak(primary)) return yield* weak(`primarySecret must be at least ${shortest} characters`)
      if (secondary !== undefined && isWeak(secondary)) {
        return yield* weak(`secondarySecret must be at least ${shortest} characters`)
      }
      yield* inService(store.setSecrets(customer, { primary, secondary }))
      return { status: "ok", message }
    })
  return {
    create: (primary, secondary) => write(primary, secondary, "Webhook secrets stored"),
    get: Effect.flatMap(read, (secrets) =>
      secrets === undefined
        ? Effect.fail(new ServiceError({ reason: new NoSecrets() }))
        : Effect.succeed({
            customerId: customer,
            primarySecret: mask(secrets.primary),
            secondarySecret: secrets.secondary === undefined ? undefined : mask(secrets.secondary),
            hasSecondary: secrets.secondary !== undefined
          })
    ),
    delete: Effect.as(inService(store.setSecrets(customer, undefined)), {
      status: "ok",
      message: "Webhook secrets deleted"
    }),
    rotate: (next, old) =>
      Effect.gen(function* () {
        if (old === undefined) return yield* Effect.as(rotated(next), { status: "ok", message: rotatedMessage })
        if (Redacted.value(old) === Redacted.value(next)) return yield* unchanged
        return yield* write(next, old, rotatedMessage)
      })
  }
}

/**
 * Shows the first and last four characters of a secret, as the protocol does.
 *
 * @category encoding
 * @since 0.1.0
 */
export const mask = (secret: Redacted.Redacted): string => {
  const text = Redacted.value(secret)
  return `${text.slice(0, 4)}****${text.slice(-4)}`
}

const isWeak = (secret: Redacted.Redacted): boolean => Redacted.value(secret).length < shortest

/** Tells a store's failure as the service's. */
export const inService = <A>(self: Effect.Effect<A, StoreError>): Effect.Effect<A, ServiceError> =>
  Effect.mapError(self, unavailable)

const unavailable = (error: StoreError) =>
  new ServiceError({ reason: new ServiceFailed({ status: 503, received: error.message }) })

const rotatedMessage = "Webhook secrets rotated"

const weak = (problem: string) => Effect.fail(new ServiceError({ reason: new WeakSecret({ problem }) }))

const unchanged = weak("the new secret is the one that is set already")
