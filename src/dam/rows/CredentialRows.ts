/** Credentials as rows, and back. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { CredentialPort, StoredCredential } from "../store/CredentialRecords.ts"
import { reader } from "./Reader.ts"
import type { Executor } from "./Running.ts"

const Definition = Schema.fromJsonString(
  Schema.Struct({
    hosts: Schema.Array(Schema.String),
    tokens: Schema.optionalKey(
      Schema.Struct({
        tokenUrl: Schema.String,
        clientId: Schema.String,
        scope: Schema.optionalKey(Schema.String),
        audience: Schema.optionalKey(Schema.String),
        clientAuth: Schema.Literals(["basic", "body"])
      })
    )
  })
)

const LoadedCredential = Schema.Struct({
  customer: Schema.String,
  name: Schema.String,
  definition: Definition,
  secret: Schema.String,
  made_at: Schema.Number,
  rotated_at: Schema.Number
})

const toCredential = (row: typeof LoadedCredential.Type): StoredCredential => {
  const { hosts, tokens } = row.definition
  return {
    customer: row.customer,
    name: row.name,
    hosts,
    secret: Redacted.make(row.secret),
    tokens: tokens && { ...tokens, scope: tokens.scope, audience: tokens.audience },
    madeAt: row.made_at,
    rotatedAt: row.rotated_at
  }
}

/** What credentials need of the store, over any database. */
export const credentialPort = (run: Executor): CredentialPort => ({
  credentials: (customer) => Effect.flatMap(run("credentials", customer), readAll),
  credential: (customer, name) => Effect.flatMap(run("credential", customer, name), readOne),
  saveCredential: ({ customer, hosts, madeAt, name, rotatedAt, secret, tokens }) =>
    Effect.suspend(() =>
      Effect.andThen(
        run(
          "saveCredential",
          customer,
          name,
          JSON.stringify({ hosts, tokens }),
          Redacted.value(secret),
          madeAt,
          rotatedAt
        ),
        // the log holds what was written before
        run("foldLog")
      )
    ),
  removeCredential: (customer, name) => Effect.tap(run("removeCredential", customer, name), () => run("foldLog"))
})

const readAll = reader(Schema.Array(LoadedCredential), (rows) => rows.map(toCredential))

const readOne = reader(Schema.UndefinedOr(LoadedCredential), (row) => row && toCredential(row))
