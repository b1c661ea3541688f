/** Credentials of a dam: as a client sets them, and as they are shown to it. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { excerpt, MalformedAnswer } from "../step/Failure.ts"
import { parse } from "./Proxy.ts"

/** What is said of a credential. */
interface Options {
  readonly hosts: ReadonlyArray<string>
  readonly value?: Redacted.Redacted | undefined
  readonly tokenUrl?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: Redacted.Redacted | undefined
  readonly scope?: string | undefined
  readonly audience?: string | undefined
  readonly clientAuth?: "basic" | "body" | undefined
}

/** A credential as it is shown, and the whole answer. */
interface Shown {
  readonly name: string
  readonly kind: string
  readonly hosts: ReadonlyArray<string>
  readonly rotatedAt: number
  readonly answer: { readonly [key: string]: Schema.Json }
}

/** Writes a credential. Nothing but the body of a request may hold this. */
export const encode = ({ clientAuth, clientId, clientSecret, tokenUrl, value, ...same }: Options) =>
  Object.fromEntries(
    Object.entries({
      ...same,
      value: value && Redacted.value(value),
      token_url: tokenUrl,
      client_id: clientId,
      client_secret: clientSecret && Redacted.value(clientSecret),
      client_auth: clientAuth
    }).filter(([, said]) => said !== undefined)
  )

/** What of a credential must stand in no error. */
export const secretsIn = ({ clientSecret, value }: Options): ReadonlyArray<Redacted.Redacted> =>
  [value, clientSecret].filter((secret) => secret !== undefined)

/** Reads a credential. */
export const read = (body: string): Result.Result<Shown, MalformedAnswer> => readJson(parse(body), body)

/** Reads all credentials of a caller. */
export const readAll = (body: string): Result.Result<ReadonlyArray<Shown>, MalformedAnswer> =>
  Result.flatMap(
    Result.mapError(decodeAll(parse(body)), () => malformed(body)),
    ({ credentials }) => Result.all(credentials.map((one) => readJson(one, body)))
  )

/** Reads a credential that is JSON already. */
export const readJson = (json: unknown, body = ""): Result.Result<Shown, MalformedAnswer> =>
  Result.mapBoth(Result.all([decodeOne(json), decodeObject(json)]), {
    onSuccess: ([{ rotated_at: rotatedAt, ...one }, answer]) => ({ ...one, rotatedAt, answer }),
    onFailure: () => malformed(body)
  })

const malformed = (body: string) =>
  new MalformedAnswer({ problem: "expected credentials as JSON", received: excerpt(body) })

const decodeOne = Schema.decodeUnknownResult(
  Schema.Struct({
    name: Schema.String,
    kind: Schema.String,
    hosts: Schema.Array(Schema.String),
    rotated_at: Schema.Number
  })
)

const decodeAll = Schema.decodeUnknownResult(Schema.Struct({ credentials: Schema.Array(Schema.Json) }))

const decodeObject = Schema.decodeUnknownResult(Schema.JsonObject)
