/** What a credential may be, and whether this dam keeps one more: by the same rules over HTTP and in process. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { originOf } from "../../transport/Secrets.ts"
import type { CredentialChoice } from "../api/CredentialShapes.ts"
import type { EgressPolicy } from "../egress/EgressPolicy.ts"
import { checkUrl } from "../egress/Url.ts"
import { badField, refused, type Refused } from "../intake/Refusal.ts"
import type { Given, NamedSecrets, Shown } from "../secrets/NamedSecrets.ts"

/** Who keeps credentials, where they can be sealed. */
export const keeperOf = (secrets: NamedSecrets | undefined): Effect.Effect<NamedSecrets, Refused> =>
  secrets === undefined || !secrets.isSealed
    ? Effect.fail(
        refused(
          409,
          "no_master_key",
          "credentials are kept sealed, and this dam has no master key to seal them with: start it with one (EZTHROTTLE_MASTER_KEY)"
        )
      )
    : Effect.succeed(secrets)

/** Refuses one more than a customer may have. */
export const roomFor = (all: ReadonlyArray<Shown>, name: string): Effect.Effect<void, Refused> =>
  all.length < most || all.some((one) => one.name === name)
    ? Effect.void
    : Effect.fail(
        refused(409, "too_many_credentials", `there are ${most} credentials already; delete one first`, {
          extra: { limit: most, current: all.length }
        })
      )

/** Of one customer. */
const most = 1000

/** Reads what was chosen. */
export const read = (choice: typeof CredentialChoice.Type, egress: EgressPolicy): Effect.Effect<Given, Refused> => {
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
