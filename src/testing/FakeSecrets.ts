/** The webhook secrets of the fake EZThrottle: stored here, masked for clients, open to the test. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Secrets, WebhookSecrets } from "../run/Service.ts"
import { NoSecrets, OldSecretUnknown, ServiceError, WeakSecret } from "../run/Service.ts"

/**
 * Secrets in clear text.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClearSecrets {
  readonly primary: string
  readonly secondary: string | undefined
}

/**
 * The secrets the fake stores.
 *
 * @category models
 * @since 0.1.0
 */
export interface FakeSecrets {
  /** As a client sees and changes them. */
  readonly secrets: Secrets
  /** In clear text; `undefined` when none is set. */
  readonly get: Effect.Effect<ClearSecrets | undefined>
  /** Sets them as another client would: this one does not learn them. */
  readonly set: (stored: ClearSecrets | undefined) => Effect.Effect<void>
}

/** Makes a store without secrets. */
export const make = (): FakeSecrets => {
  let stored: ClearSecrets | undefined
  /** The primary this client set, the only one it can rotate from memory. */
  let known: string | undefined
  const store = (primary: string, secondary: string | undefined) =>
    Effect.suspend(() => {
      if (primary.length < 16) return fail(weak("primarySecret"))
      if (secondary !== undefined && secondary.length < 16) return fail(weak("secondarySecret"))
      stored = { primary, secondary }
      known = primary
      return Effect.succeed({ status: "ok", message: "Webhook secrets configured" })
    })
  return {
    secrets: {
      create: (primary, secondary) => store(Redacted.value(primary), secondary && Redacted.value(secondary)),
      get: Effect.suspend(() => (stored === undefined ? fail(new NoSecrets()) : Effect.succeed(masked(stored)))),
      delete: Effect.suspend(() => {
        if (stored === undefined) return fail(new NoSecrets())
        stored = undefined
        known = undefined
        return Effect.succeed({ status: "ok", message: "Webhook secrets deleted" })
      }),
      rotate: (next, old) =>
        Effect.suspend(() => {
          const former = old === undefined ? known : Redacted.value(old)
          if (former === undefined) return fail(new OldSecretUnknown())
          if (former === Redacted.value(next)) {
            return fail(new WeakSecret({ problem: "the new secret must not be the old one" }))
          }
          return store(Redacted.value(next), former)
        })
    },
    get: Effect.sync(() => stored),
    set: (secrets) =>
      Effect.sync(() => {
        stored = secrets
        known = undefined
      })
  }
}

const fail = (reason: NoSecrets | OldSecretUnknown | WeakSecret) => Effect.fail(new ServiceError({ reason }))

const weak = (name: string) => new WeakSecret({ problem: `${name} must be at least 16 characters` })

const masked = ({ primary, secondary }: ClearSecrets): WebhookSecrets => ({
  customerId: "customer-test",
  primarySecret: mask(primary),
  secondarySecret: secondary && mask(secondary),
  hasSecondary: secondary !== undefined
})

const mask = (secret: string): string => `${secret.slice(0, 4)}****${secret.slice(-4)}`
