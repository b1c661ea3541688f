/** Credentials as a client in the dam's own process has them: by the same rules as those over HTTP. */
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Credential, Credentials } from "../../run/Service.ts"
import { CredentialNotFound, CredentialRefused, ServiceError } from "../../run/Service.ts"
import { ServiceFailed } from "../../step/Failure.ts"
import { invalid } from "../../step/StepIssue.ts"
import * as Wire from "../../wire/Credentials.ts"
import * as Shapes from "../api/CredentialShapes.ts"
import type { Refused } from "../intake/Refusal.ts"
import { localCustomer } from "../job/JobKey.ts"
import type { Shown } from "../secrets/NamedSecrets.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as Choices from "./CredentialChoices.ts"
import type { Engine } from "./Engine.ts"

/** Makes them over a dam at work. */
export const make = ({ secrets, terms }: Pick<Engine["Service"], "secrets" | "terms">): Credentials => ({
  put: Effect.fnUntraced(function* (name, options) {
    yield* checked("name", Schema.decodeUnknownResult(Shapes.name.name)(name))
    const choice = yield* checked("", Schema.decodeUnknownResult(Shapes.CredentialChoice)(Wire.encode(options)))
    const given = yield* allowed(Choices.read(choice, terms.egress))
    const keeper = yield* allowed(Choices.keeperOf(secrets))
    yield* allowed(Choices.roomFor(yield* stored(keeper.list(localCustomer)), name))
    return yield* show(yield* stored(keeper.set(localCustomer, name, given)))
  }),
  list: secrets === undefined ? Effect.succeed([]) : Effect.flatMap(stored(secrets.list(localCustomer)), all),
  delete: (name) =>
    Effect.flatMap(
      secrets === undefined ? Effect.succeed(false) : stored(secrets.remove(localCustomer, name)),
      (was) =>
        was ? Effect.void : Effect.fail(new ServiceError({ reason: new CredentialNotFound({ credential: name }) }))
    )
})

const all = (kept: ReadonlyArray<Shown>) => Effect.forEach(kept, show)

const show = (kept: Shown): Effect.Effect<Credential> =>
  Effect.orDie(Effect.fromResult(Wire.readJson(Shapes.view(kept))))

const checked = <A>(field: string, decoded: Result.Result<A, Schema.SchemaError>): Effect.Effect<A, ServiceError> =>
  Effect.mapError(Effect.fromResult(decoded), ({ issue }) => {
    const wrong = invalid(field, issue)
    return refusal("invalid_field", wrong.field, wrong.message)
  })

const allowed = <A>(effect: Effect.Effect<A, Refused>): Effect.Effect<A, ServiceError> =>
  Effect.mapError(effect, ({ code, field, problem }) => refusal(code, field, problem))

const refusal = (code: string, field: string | undefined, problem: string) =>
  new ServiceError({ reason: new CredentialRefused({ code, field, problem }) })

const stored = <A>(effect: Effect.Effect<A, StoreError>): Effect.Effect<A, ServiceError> =>
  Effect.mapError(
    effect,
    ({ message }) => new ServiceError({ reason: new ServiceFailed({ status: 503, received: message }) })
  )
