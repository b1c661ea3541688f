/** What the API does with credentials: shows which there are, sets one, deletes one. What is secret goes in only. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../../api/Api.ts"
import { CredentialChoice, view } from "../../api/CredentialShapes.ts"
import type { Limits } from "../../intake/Limits.ts"
import { refused, type Refused } from "../../intake/Refusal.ts"
import type { Shown } from "../../secrets/NamedSecrets.ts"
import * as Choices from "../../work/CredentialChoices.ts"
import type { Engine } from "../../work/Engine.ts"
import { type Answer, json, orRefused } from "../door/Answer.ts"
import type { Asked, Desk } from "../door/Asked.ts"
import { readChoice } from "../door/Choice.ts"

/** What the API does with the credentials of a customer. */
export interface Credentials {
  readonly list: (customer: string) => Effect.Effect<Answer, Refused>
  readonly get: (customer: string, name: string) => Effect.Effect<Answer, Refused>
  readonly set: (customer: string, name: string, body: Uint8Array) => Effect.Effect<Answer, Refused>
  readonly remove: (customer: string, name: string) => Effect.Effect<Answer, Refused>
}

/** What the handlers work with. */
export interface Host {
  readonly engine: Pick<Engine["Service"], "secrets" | "terms">
  readonly limits: Limits
}

/** Makes the handlers. */
export const make = ({ engine: { secrets, terms }, limits }: Host): Credentials => ({
  list: (customer) =>
    Effect.map(orRefused(secrets?.list(customer) ?? Effect.succeed([])), (all) =>
      json(200, { credentials: all.map(view) })
    ),
  get: (customer, name) => Effect.flatMap(orRefused(secrets?.get(customer, name) ?? Effect.undefined), show),
  set: Effect.fnUntraced(function* (customer, name, body) {
    const given = yield* Effect.flatMap(readChoice(CredentialChoice, body, limits), (choice) =>
      Choices.read(choice, terms.egress)
    )
    const keeper = yield* Choices.keeperOf(secrets)
    yield* Choices.roomFor(yield* orRefused(keeper.list(customer)), name)
    return json(200, view(yield* orRefused(keeper.set(customer, name, given))))
  }),
  remove: (customer, name) =>
    Effect.flatMap(orRefused(secrets?.remove(customer, name) ?? Effect.succeed(false)), (was) =>
      was ? Effect.succeed(json(200, { deleted: name })) : Effect.fail(unknown())
    )
})

/** The routes. */
export const group = (credentials: Credentials, { asking }: Desk) =>
  HttpApiBuilder.group(Api, "credentials", (handlers) =>
    handlers
      .handleRaw(
        "list",
        asking(({ customer }) => credentials.list(customer))
      )
      .handleRaw(
        "get",
        asking(({ customer }, { params }: OfOneCredential) => credentials.get(customer, params.name))
      )
      .handleRaw(
        "set",
        asking(({ body, customer }, { params }: OfOneCredential) => credentials.set(customer, params.name, body))
      )
      .handleRaw(
        "delete",
        asking(({ customer }, { params }: OfOneCredential) => credentials.remove(customer, params.name))
      )
  )

interface OfOneCredential extends Asked {
  readonly params: { readonly name: string }
}

const show = (found: Shown | undefined): Effect.Effect<Answer, Refused> =>
  found === undefined ? Effect.fail(unknown()) : Effect.succeed(json(200, view(found)))

const unknown = (): Refused => refused(404, "credential_not_found", "there is no credential of this name")
