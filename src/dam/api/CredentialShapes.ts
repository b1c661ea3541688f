/**
 * Credentials that calls name, as they are set and shown: what is secret of them is never shown.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "../../step/Fields.ts"
import * as Secrets from "../../transport/Secrets.ts"
import type { Shown } from "../secrets/NamedSecrets.ts"
import { length, Moment, nullable, word } from "./Parts.ts"

const Host = Schema.String.check(
  Schema.makeFilter((host) => Secrets.originOf(host) !== undefined, {
    expected: Secrets.expectedHost,
    toJsonSchema: () => ({ minLength: 1, maxLength: 300 })
  })
)

const Hosts = Schema.Array(Host).check(
  Schema.isMinLength(1, { expected: "at least one host" }),
  Schema.isMaxLength(100, { expected: "at most 100 hosts" })
)

const longest = 8192
const PRINTED = /^[\x20-\x7e\xa0-\xff]+$/

/** What a header may carry; how long it may be is the same for all. */
const secret = Schema.String.check(
  Schema.makeFilter((text) => text.length <= longest && PRINTED.test(text), {
    expected: `1 to ${longest} characters in Latin-1 without line breaks or control characters`,
    toJsonSchema: () => ({ minLength: 1, maxLength: longest })
  })
)

/** A whole credential: a value that is sent, or what tokens are fetched with. */
export const CredentialChoice = Schema.Struct({
  hosts: Hosts.annotate({ description: "Where it may go; anywhere else it is refused, and never sent" }),
  value: nullable(secret).annotate({ description: "What is sent; one of value and token_url" }),
  token_url: nullable(Fields.Url).annotate({
    description: "Where tokens are fetched by the client credentials grant of OAuth 2.0"
  }),
  client_id: nullable(length(1, 1024)),
  client_secret: nullable(secret),
  scope: nullable(length(1, 1024)),
  audience: nullable(length(1, 1024)),
  client_auth: nullable(Schema.Literals(["basic", "body"])).annotate({
    description: "How the client shows who it is: in an Authorization header, or among the fields of the form"
  })
}).annotate({ identifier: "CredentialChoice" })

/** The name of a credential in a path. */
export const name = { name: Fields.SecretName }

/** A credential without what is secret of it. */
export const Credential = Schema.Struct({
  name: Schema.String,
  kind: word(["value", "oauth2"]),
  hosts: Schema.Array(Schema.String),
  token_url: Schema.NullOr(Schema.String),
  scope: Schema.NullOr(Schema.String),
  audience: Schema.NullOr(Schema.String),
  made_at: Moment,
  rotated_at: Moment
}).annotate({ identifier: "Credential" })

/** All credentials of a customer, by their names. */
export const CredentialList = Schema.Struct({ credentials: Schema.Array(Credential) }).annotate({
  identifier: "CredentialList"
})

/** What is left of a credential: its name. */
export const CredentialGone = Schema.Struct({ deleted: Schema.String }).annotate({ identifier: "CredentialGone" })

/** Shows a credential. */
export const view = ({ hosts, madeAt, name, rotatedAt, tokens }: Shown): typeof Credential.Encoded => ({
  name,
  kind: tokens === undefined ? "value" : "oauth2",
  hosts,
  token_url: tokens?.tokenUrl ?? null,
  scope: tokens?.scope ?? null,
  audience: tokens?.audience ?? null,
  made_at: madeAt,
  rotated_at: rotatedAt
})
