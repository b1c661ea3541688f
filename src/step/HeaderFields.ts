/**
 * The fields of headers and of what they name, as schemas: apart from the others, for the page of a dam shows jobs and makes
 * no headers.
 */
import * as Schema from "effect/Schema"
import { text } from "./Fields.ts"
import * as Rules from "./FieldRules.ts"
import type { HeaderValue as Value } from "./SecretHeader.ts"

/** What a secret is called. */
export const SecretName = text(Rules.secretName, { minLength: 1, maxLength: 64 })

/**
 * A header's value: text, or the name of a secret. Described as any JSON, since generators of clients do not read
 * alternatives.
 */
const HeaderValue = Schema.Json.annotate({ expected: "string" })
  .check(
    Schema.makeFilter((value) => {
      const wrong = Rules.headerValueProblem(value)
      return wrong && { path: wrong.name === "" ? [] : [wrong.name], issue: `Expected ${wrong.expected}` }
    })
  )
  .annotate({
    description:
      'Text, or {"secret": "NAME", "prefix": "Bearer "}: the name of a credential that the dam keeps, looked up when the call is sent'
  }) as unknown as Schema.Codec<Value, Value> // what the check lets through is one of the two

/** Header names and values as given; two names that differ in case only are refused. */
export const Headers = Schema.Record(Schema.String, HeaderValue).check(
  Schema.makeFilter((headers: { readonly [name: string]: unknown }) => {
    const wrong = Rules.headers(headers)
    return wrong && { path: [wrong.name], issue: `Expected ${wrong.expected}` }
  })
)

/** Headers of a webhook. */
export const WebhookHeaders = Schema.Record(Schema.String, HeaderValue).check(
  Schema.makeFilter((headers: { readonly [name: string]: unknown }) => {
    const wrong = Rules.webhookHeaders(headers)
    return wrong && { path: [wrong.name], issue: `Expected ${wrong.expected}` }
  })
)

/** The header that tells a target how long a call may take. */
export const TimeoutHeader = text(Rules.timeoutHeader, { minLength: 1, maxLength: 256 })
