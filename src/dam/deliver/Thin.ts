/**
 * A result as it is told to whoever asked for a link in place of its body: the same event, with how large the body is and
 * where it may be had.
 */
import * as Result from "effect/Result"
import * as JsonText from "../../step/JsonText.ts"

/** The body of such a delivery; without a link, whoever needs the answer asks by the id of the job. */
export const thinned = (body: Uint8Array, link: string | undefined): Uint8Array => {
  // it is this program's own; what is no event is sent as it is
  const event = Result.getOrUndefined(Result.try((): unknown => JsonText.parse(new TextDecoder().decode(body))))
  if (!isObject(event)) return body
  const { response, responses, ...rest } = event
  const thin = isObject(response)
    ? {
        ...rest,
        response: withoutBody(response, link),
        ...(isObject(responses)
          ? {
              responses: Object.fromEntries(
                Object.entries(responses).map(([region, one]) => [region, isObject(one) ? withoutBody(one) : one])
              )
            }
          : {})
      }
    : withoutBody(event, link)
  return new TextEncoder().encode(JSON.stringify(thin))
}

const withoutBody = (answer: object, link?: string) => {
  const { body, body_base64: base64, ...rest } = answer as { readonly body?: unknown; readonly body_base64?: unknown } // each is looked at
  const isAnswered = !("status_code" in rest && rest.status_code === 0)
  if (!isAnswered || (typeof body !== "string" && typeof base64 !== "string")) return answer
  return {
    ...rest,
    body_bytes: typeof base64 === "string" ? Buffer.byteLength(base64, "base64") : Buffer.byteLength(String(body)),
    ...(link === undefined ? {} : { body_url: link })
  }
}

const isObject = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)
