/** What the API does with credentials: shows which there are, sets one, deletes one. What is secret goes in only. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { originOf } from "../../../transport/Secrets.ts"
import { Api } from "../../api/Api.ts"
import { CredentialChoice, view } from "../../api/CredentialShapes.ts"
import type { EgressPolicy } from "../../egress/EgressPolicy.ts"
import { checkUrl } from "../../egress/Url.ts"
import type { Limits } from "../../intake/Limits.ts"
import { badField, refused, type Refused } from "../../intake/Refusal.ts"
import type { Given, NamedSecrets, Shown } from "../../secrets/NamedSecrets.ts"
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
      read(choice, terms.egress)
    )
    const room = yield* roomFor(secrets, customer, name)
    return json(200, view(yield* orRefused(room.set(customer, name, given))))
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

/** The keeper, where it may take one more of this name. */
const roomFor = Effect.fnUntraced(function* (
  secrets: NamedSecrets | undefined,
  customer: string,
  name: string
): Effect.fn.Return<NamedSecrets, Refused> {
  if (secrets === undefined || !secrets.isSealed) {
    return yield* refused(
      409,
      "no_master_key",
      "credentials are kept sealed, and this dam has no master key to seal them with: start it with one (EZTHROTTLE_MASTER_KEY)"
    )
  }
  const all = yield* orRefused(secrets.list(customer))
  if (all.length < most || all.some((one) => one.name === name)) return secrets
  return yield* refused(409, "too_many_credentials", `there are ${most} credentials already; delete one first`, {
    extra: { limit: most, current: all.length }
  })
})

const read = (choice: typeof CredentialChoice.Type, egress: EgressPolicy): Effect.Effect<Given, Refused> => {
  const hosts = [...new Set(choice.hosts.map((host) => originOf(host) ?? host))]
  const { token_url: tokenUrl, value } = choice
  if (typeof value === "string") {
    const stray = (["token_url", "client_id", "client_secret", "scope", "audience", "client_auth"] as const).find(
      (field) => typeof choice[field] === "string"
    )
    return stray === undefined
      ? Effect.succeed({ hosts, secret: Redacted.make(value), tokens: undefined })
      : Effect.fail(badField(stray, "belongs to a credential without a value; leave one of them out"))
  }
  if (typeof tokenUrl !== "string") return Effect.fail(badField("value", "Expected value, or token_url with client_id"))
  const denied = checkUrl(egress, tokenUrl)
  if (Result.isFailure(denied)) return Effect.fail(badField("token_url", denied.failure.message, "url_denied"))
  const { client_id: clientId, client_secret: clientSecret } = choice
  if (typeof clientId !== "string") return Effect.fail(badField("client_id", "Expected string"))
  if (typeof clientSecret !== "string") return Effect.fail(badField("client_secret", "Expected string"))
  return Effect.succeed({
    hosts,
    secret: Redacted.make(clientSecret),
    tokens: {
      tokenUrl,
      clientId,
      scope: choice.scope ?? undefined,
      audience: choice.audience ?? undefined,
      clientAuth: choice.client_auth ?? "basic"
    }
  })
}

const unknown = (): Refused => refused(404, "credential_not_found", "there is no credential of this name")

/** Of one customer. */
const most = 1000
