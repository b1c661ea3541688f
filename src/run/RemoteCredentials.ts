/** The credentials of a caller, at a dam. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { excerpt } from "../step/FailureModel.ts"
import type { DirectAnswer, EzthrottleApi } from "../transport/EzthrottleApi.ts"
import * as Wire from "../wire/Credentials.ts"
import { errorIn } from "../wire/Proxy.ts"
import { isId, type Reason, refusalOf } from "./RemoteJobs.ts"
import { CredentialNotFound, CredentialRefused, type Credentials, NotOffered, ServiceError } from "./Service.ts"

type Refusal = Reason | NotOffered | CredentialRefused | CredentialNotFound

/** Makes the calls. */
export const make = (api: EzthrottleApi["Service"]): Credentials => {
  const one = <A>(name: string, call: Effect.Effect<A, Refusal>): Effect.Effect<A, ServiceError> =>
    Effect.mapError(isId(name) ? call : Effect.fail(nameless()), (reason) => new ServiceError({ reason }))
  const pathOf = (name: string) => `${all}/${encodeURIComponent(name)}`
  return {
    put: (name, credential) =>
      one(
        name,
        Effect.suspend(() =>
          api.direct({
            method: "PUT",
            path: pathOf(name),
            body: JSON.stringify(Wire.encode(credential)),
            secrets: Wire.secretsIn(credential),
            read: reading(name, Wire.read)
          })
        )
      ),
    list: Effect.mapError(
      api.direct({ path: all, read: reading("", Wire.readAll) }),
      (reason) => new ServiceError({ reason })
    ),
    delete: (name) =>
      one(name, api.direct({ method: "DELETE", path: pathOf(name), read: reading(name, () => Result.void) }))
  }
}

const all = "/api/v1/credentials"

const nameless = () =>
  new CredentialRefused({ code: "invalid_field", field: "name", problem: "name: Expected no part of a path" })

const reading =
  <A, E extends Refusal>(name: string, read: (body: string) => Result.Result<A, E>) =>
  (answer: DirectAnswer): Result.Result<A, Refusal> => {
    const { body, status } = answer
    const { code, error, field } = errorIn(body)
    if (code === "credential_not_found") return Result.fail(new CredentialNotFound({ credential: name }))
    if (code !== undefined && (status === 400 || status === 409 || status === 413)) {
      return Result.fail(new CredentialRefused({ code, field, problem: excerpt(error ?? code) }))
    }
    const refusal = refusalOf(name, answer)
    if (refusal?._tag === "CannotAwait") return Result.fail(new NotOffered({ operation: "keeping credentials" }))
    return refusal === undefined ? read(body) : Result.fail(refusal)
  }
