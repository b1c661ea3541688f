/**
 * The webhook secrets of a customer: set, shown masked, rotated, deleted.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Redacted from "effect/Redacted"
import { Api } from "../../api/Api.ts"
import { SecretChoice } from "../../api/SecretShapes.ts"
import * as Shapes from "../../api/SecretShapes.ts"
import type { Limits } from "../../intake/Limits.ts"
import { badField, refused, type Refused } from "../../intake/Refusal.ts"
import * as SecretRules from "../../secrets/SecretRules.ts"
import type { SecretPort, StoredSecrets } from "../../store/SecretRecords.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import type { Call, Desk } from "../door/Asked.ts"
import { readChoice } from "../door/Choice.ts"

/** What the API does with secrets, for a customer. */
export interface Secrets {
  readonly set: (customer: string, body: Uint8Array) => Effect.Effect<Answer, Refused>
  readonly get: (customer: string) => Effect.Effect<Answer, Refused>
  readonly delete: (customer: string) => Effect.Effect<Answer, Refused>
}

/** Makes the handlers. */
export const make = (store: SecretPort, limits: Limits): Secrets => {
  const known = (customer: string) =>
    Effect.flatMap(orRefused(store.secrets(customer)), (secrets) =>
      secrets === undefined ? Effect.fail(none()) : Effect.succeed(secrets)
    )
  return {
    set: Effect.fnUntraced(function* (customer, body) {
      const wanted = yield* read(body, limits)
      // one that rotates in the same moment is seen, and its secret kept as the second one
      yield* orRefused(store.changeSecrets(customer, (now) => replaced(now, wanted)))
      return done(
        wanted.rotate ? "rotated; receivers should accept both secrets for a while" : "webhook secrets are set"
      )
    }),
    get: (customer) => Effect.map(known(customer), (secrets) => json(200, Shapes.masked(customer, secrets))),
    delete: (customer) =>
      Effect.flatMap(known(customer), () =>
        Effect.as(orRefused(store.setSecrets(customer, undefined)), done("webhook secrets are deleted"))
      )
  }
}

/** The routes. */
export const group = (secrets: Secrets, { asking }: Desk) =>
  HttpApiBuilder.group(Api, "secrets", (handlers) =>
    handlers
      .handleRaw(
        "set",
        asking(({ body, customer }: Call) => secrets.set(customer, body))
      )
      .handleRaw(
        "get",
        asking(({ customer }: Call) => secrets.get(customer))
      )
      .handleRaw(
        "delete",
        asking(({ customer }: Call) => secrets.delete(customer))
      )
  )

interface Wanted extends StoredSecrets {
  readonly rotate: boolean
}

const read = (body: Uint8Array, limits: Limits): Effect.Effect<Wanted, Refused> =>
  Effect.flatMap(
    readChoice(SecretChoice, body, limits),
    ({ primary_secret: given, rotate = false, secondary_secret: second = null }) => {
      if (rotate && second !== null) {
        const problem = "the stored primary becomes the secondary; leave this out to rotate"
        return Effect.fail(badField("secondary_secret", problem))
      }
      const primary = Redacted.make(given)
      const secondary = second === null ? undefined : Redacted.make(second)
      return Effect.as(refuse(SecretRules.breachOf({ primary, secondary })), { primary, secondary, rotate })
    }
  )

const replaced = (
  now: StoredSecrets | undefined,
  { primary, rotate, secondary }: Wanted
): Effect.Effect<StoredSecrets, Refused> => {
  if (!rotate) return Effect.succeed({ primary, secondary })
  if (now === undefined) {
    return Effect.fail(refused(409, "wrong_state", "there is no secret to rotate from; set one first"))
  }
  return Effect.as(refuse(SecretRules.breachOfRotation(now.primary, primary)), { primary, secondary: now.primary })
}

/** Tells a broken rule in the words of the wire. */
const refuse = (breach: SecretRules.WeakSecrets | undefined): Effect.Effect<void, Refused> =>
  breach === undefined ? Effect.void : Effect.fail(badField(`${breach.which}_secret`, breach.problem, "weak_secret"))

const done = (message: string): Answer => json(200, Shapes.done(message))

const none = () => refused(404, "secrets_not_found", "no webhook secrets are set")
