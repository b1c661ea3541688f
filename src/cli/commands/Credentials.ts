/** What `ezthrottle credentials` does. A secret comes from a file, the environment or standard input, and is never printed. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Shapes from "../../dam/api/CredentialShapes.ts"
import * as Output from "../output/Output.ts"
import { Service } from "../service/Service.ts"
import * as Secrets from "./Secrets.ts"

type Credential = typeof Shapes.Credential.Type

export const list = Effect.gen(function* () {
  const service = yield* Service
  const { json, value } = yield* service.call({ path: "/api/v1/credentials", schema: Shapes.CredentialList })
  yield* Output.print(json, (paint) => table(paint, value.credentials))
})

const table = (paint: Output.Paint, credentials: ReadonlyArray<Credential>): string =>
  credentials.length === 0
    ? "no credentials"
    : Output.table(
        paint,
        ["CREDENTIAL", "KIND", "HOSTS", "TOKENS FROM", "SET"],
        credentials.map(({ hosts, kind, name, rotated_at: set, token_url: tokens }) => [
          Output.plain(name, 64),
          Output.plain(kind, 16),
          Output.plain(hosts.join(" "), 120),
          tokens === null ? "" : Output.plain(tokens, 80),
          Output.time(set)
        ])
      )

/** What is said of a credential beside its secret. */
export interface PutOptions {
  readonly hosts: ReadonlyArray<string>
  readonly tokenUrl: string | undefined
  readonly clientId: string | undefined
  readonly scope: string | undefined
  readonly audience: string | undefined
}

export const put = Effect.fnUntraced(function* (name: string, source: string, options: PutOptions) {
  const service = yield* Service
  const secret = yield* Secrets.readAny(source)
  const { audience, clientId, hosts, scope, tokenUrl } = options
  const { json, value } = yield* service.call({
    method: "PUT",
    path: pathOf(name),
    schema: Shapes.Credential,
    secrets: [secret],
    body: {
      hosts,
      [tokenUrl === undefined ? "value" : "client_secret"]: Redacted.value(secret),
      ...(tokenUrl === undefined ? {} : { token_url: tokenUrl }),
      ...(clientId === undefined ? {} : { client_id: clientId }),
      ...(scope === undefined ? {} : { scope }),
      ...(audience === undefined ? {} : { audience })
    }
  })
  yield* Output.print(json, (paint) => table(paint, [value]))
})

export const remove = Effect.fnUntraced(function* (name: string) {
  const service = yield* Service
  const { json } = yield* service.call({ method: "DELETE", path: pathOf(name), schema: Shapes.CredentialGone })
  yield* Output.print(json, () => `${Output.plain(name, 64)} is deleted; jobs that name it fail when they are called`)
})

const pathOf = (name: string): string => `/api/v1/credentials/${encodeURIComponent(name)}`
