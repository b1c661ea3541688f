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
import type { SecretPort, StoredSecrets } from "../store/SecretRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as SecretRules from "./SecretRules.ts"

/**
 * Makes the secrets of a customer. Unlike the cloud, a dam knows the old secret, so rotating needs only the new one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (store: SecretPort, customer: string): Secrets => {
  const read = inService(store.secrets(customer))
  const write = (secrets: StoredSecrets, message: string) =>
    Effect.as(inService(store.setSecrets(customer, secrets)), { status: "ok", message })
  // one that rotates in the same moment is seen, and its secret kept as the second one
  const rotated = (next: Redacted.Redacted) =>
    Effect.mapError(
      store.changeSecrets(customer, (now) =>
        now === undefined
          ? Effect.fail(new ServiceError({ reason: new OldSecretUnknown() }))
          : Effect.as(refuse(SecretRules.breachOfRotation(now.primary, next)), {
              primary: next,
              secondary: now.primary
            })
      ),
      (error) => (error._tag === "ServiceError" ? error : unavailable(error))
    )
  return {
    create: (primary, secondary) =>
      Effect.andThen(
        refuse(SecretRules.breachOf({ primary, secondary })),
        write({ primary, secondary }, "Webhook secrets stored")
      ),
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
        yield* refuse(SecretRules.breachOfRotation(old, next))
        yield* refuse(SecretRules.breachOf({ primary: next, secondary: old }))
        return yield* write({ primary: next, secondary: old }, rotatedMessage)
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

/** Tells a store's failure as the service's. */
export const inService = <A>(self: Effect.Effect<A, StoreError>): Effect.Effect<A, ServiceError> =>
  Effect.mapError(self, unavailable)

const unavailable = (error: StoreError) =>
  new ServiceError({ reason: new ServiceFailed({ status: 503, received: error.message }) })

const rotatedMessage = "Webhook secrets rotated"

/** Tells a broken rule in the words of the service. */
const refuse = (breach: SecretRules.WeakSecrets | undefined): Effect.Effect<void, ServiceError> =>
  breach === undefined
    ? Effect.void
    : Effect.fail(new ServiceError({ reason: new WeakSecret({ problem: `${breach.which}Secret: ${breach.problem}` }) }))
