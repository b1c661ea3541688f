/**
 * The webhook secrets of a customer: set, shown masked, rotated, deleted.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { isObject, readJson } from "../../intake/Body.ts"
import type { Limits } from "../../intake/Limits.ts"
import { badField, refused, type Refused } from "../../intake/Refusal.ts"
import { mask } from "../../secrets/Secrets.ts"
import type { SecretPort, StoredSecrets } from "../../store/SecretRecords.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"

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
      const wanted = yield* Effect.fromResult(read(body, limits))
      // one that rotates in the same moment is seen, and its secret kept as the second one
      yield* orRefused(store.changeSecrets(customer, (now) => Effect.fromResult(replaced(now, wanted))))
      return done(
        wanted.rotate ? "rotated; receivers should accept both secrets for a while" : "webhook secrets are set"
      )
    }),
    get: (customer) =>
      Effect.map(known(customer), ({ primary, secondary }) =>
        json(200, {
          customer_id: customer,
          primary_secret: mask(primary),
          secondary_secret: secondary === undefined ? null : mask(secondary),
          has_secondary: secondary !== undefined
        })
      ),
    delete: (customer) =>
      Effect.flatMap(known(customer), () =>
        Effect.as(orRefused(store.setSecrets(customer, undefined)), done("webhook secrets are deleted"))
      )
  }
}

interface Wanted {
  readonly primary: Redacted.Redacted
  readonly secondary: Redacted.Redacted | undefined
  readonly rotate: boolean
}

const read = (body: Uint8Array, limits: Limits): Result.Result<Wanted, Refused> =>
  Result.flatMap(readJson(body, limits), (json) => {
    if (!isObject(json)) return fail("body", "Expected object")
    const unknown = Object.keys(json).find((key) => !KEYS.includes(key))
    if (unknown !== undefined) return fail(unknown.slice(0, 64), `is not one of ${KEYS.join(", ")}`, "unknown_field")
    const { primary_secret: primary, rotate = false, secondary_secret: secondary = null } = json
    if (typeof primary !== "string") return fail("primary_secret", "Expected text")
    if (secondary !== null && typeof secondary !== "string") return fail("secondary_secret", "Expected text")
    if (typeof rotate !== "boolean") return fail("rotate", "Expected true or false")
    if (rotate && secondary !== null) {
      return fail("secondary_secret", "the stored primary becomes the secondary; leave this out to rotate")
    }
    const weak = isWeak(primary) ? "primary_secret" : secondary !== null && isWeak(secondary) ? "secondary_secret" : ""
    if (weak !== "") return fail(weak, "Expected 16 to 1024 characters", "weak_secret")
    return primary === secondary
      ? fail("secondary_secret", "is the primary one; two secrets must differ", "weak_secret")
      : Result.succeed({
          primary: Redacted.make(primary),
          secondary: secondary === null ? undefined : Redacted.make(secondary),
          rotate
        })
  })

const replaced = (
  now: StoredSecrets | undefined,
  { primary, rotate, secondary }: Wanted
): Result.Result<StoredSecrets, Refused> => {
  if (!rotate) return Result.succeed({ primary, secondary })
  if (now === undefined) {
    return Result.fail(refused(409, "wrong_state", "there is no secret to rotate from; set one first"))
  }
  return Redacted.value(now.primary) === Redacted.value(primary)
    ? fail("primary_secret", "is the current one; rotate to another", "weak_secret")
    : Result.succeed({ primary, secondary: now.primary })
}

const isWeak = (secret: string): boolean => secret.length < 16 || secret.length > 1024

const done = (message: string): Answer => json(200, { status: "ok", message })

const none = () => refused(404, "secrets_not_found", "no webhook secrets are set")

const fail = (field: string, problem: string, code?: string) => Result.fail(badField(field, problem, code))

const KEYS = ["primary_secret", "secondary_secret", "rotate"]
