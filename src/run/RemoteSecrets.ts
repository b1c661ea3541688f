/** The webhook secrets of an EZThrottle customer, through the proxy. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { excerpt, type Failure, ServiceDenied, ServiceFailed } from "../step/FailureModel.ts"
import type { EzthrottleApi } from "../transport/EzthrottleApi.ts"
import type { Forwarded } from "../wire/Proxy.ts"
import { errorIn } from "../wire/Proxy.ts"
import * as Wire from "../wire/Secrets.ts"
import type { Secrets } from "./Service.ts"
import { NoSecrets, OldSecretUnknown, ServiceError, WeakSecret } from "./Service.ts"

/**
 * Makes the calls. What this client set is remembered for a later rotation, because the service shows it masked only;
 * what was set elsewhere must be given.
 */
export const make = (api: EzthrottleApi["Service"]): Effect.Effect<Secrets> =>
  Effect.sync((): Secrets => {
    let known: Redacted.Redacted | undefined
    const remember = (secret: Redacted.Redacted | undefined) =>
      Effect.sync(() => {
        known = secret
      })
    const store = (primary: Redacted.Redacted, secondary: Redacted.Redacted | undefined) =>
      api
        .proxied({
          path,
          method: "POST",
          body: Wire.encode(Redacted.value(primary), secondary && Redacted.value(secondary)),
          secrets: secondary === undefined ? [primary] : [primary, secondary],
          read: (forwarded) => Result.flatMap(accepted(forwarded), Wire.readDone)
        })
        .pipe(Effect.tap(remember(primary)))
    return {
      create: (primary, secondary) =>
        Effect.mapError(Effect.andThen(strong(primary, secondary), store(primary, secondary)), serviceError),
      get: api
        .proxied({ path, method: "GET", read: (forwarded) => Result.flatMap(found(forwarded), Wire.readMasked) })
        .pipe(Effect.mapError(serviceError)),
      delete: api
        .proxied({ path, method: "DELETE", read: (forwarded) => Result.flatMap(found(forwarded), Wire.readDone) })
        .pipe(Effect.tap(remember(undefined)), Effect.mapError(serviceError)),
      rotate: (next, old) =>
        Effect.gen(function* () {
          const former = old ?? known
          yield* strong(next, former)
          if (former === undefined) return yield* Effect.fail(new OldSecretUnknown())
          if (Redacted.value(former) === Redacted.value(next)) {
            return yield* Effect.fail(new WeakSecret({ problem: "the new secret must not be the old one" }))
          }
          return yield* store(next, former)
        }).pipe(Effect.mapError(serviceError))
    }
  })

const path = "/api/v1/webhook-secrets"

const strong = (
  primary: Redacted.Redacted,
  secondary: Redacted.Redacted | undefined
): Effect.Effect<void, WeakSecret> => {
  const weak = [["primarySecret", primary] as const, ["secondarySecret", secondary] as const].find(
    ([, secret]) => secret !== undefined && Redacted.value(secret).length < 16
  )
  return weak === undefined
    ? Effect.void
    : Effect.fail(new WeakSecret({ problem: `${weak[0]} must be at least 16 characters` }))
}

const found = (forwarded: Forwarded): Result.Result<string, Failure | NoSecrets | WeakSecret> =>
  forwarded.status === 404 ? Result.fail(new NoSecrets()) : accepted(forwarded)

const accepted = ({ body, status }: Forwarded): Result.Result<string, Failure | WeakSecret> => {
  if (status >= 200 && status <= 299) return Result.succeed(body)
  const { code, error } = errorIn(body)
  if (code === "weak_secret") return Result.fail(new WeakSecret({ problem: excerpt(error ?? code) }))
  return Result.fail(
    status === 401 || status === 403
      ? new ServiceDenied({ detail: excerpt(error ?? body) })
      : new ServiceFailed({ status, received: excerpt(body) })
  )
}

const serviceError = (reason: ServiceError["reason"]): ServiceError => new ServiceError({ reason })
