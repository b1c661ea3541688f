/**
 * Bodies as `fetch` takes them. A step is data, so what has to be read first, a `Blob` or a form, is read before the step
 * is made.
 */
import * as Base64 from "../step/Base64Text.ts"
import * as Idempotency from "../engine/Idempotency.ts"
import * as Given from "./Given.ts"
import type { HeaderValue } from "../step/SecretHeader.ts"

/**
 * What may be sent: text, bytes, or what a browser makes of a form. A `Blob`, a form and parameters bring their
 * `Content-Type` along, unless the headers have one.
 *
 * @category models
 * @since 0.1.0
 */
export type BodyOptions = string | Uint8Array | URLSearchParams | Blob | FormData

/** A body that was read, and what it says it is. */
export interface Read {
  readonly body: string | Uint8Array
  readonly contentType: string | undefined
}

/** Reads a body; anything that is none stays as it is, for the check of its field to refuse. */
export const read = async (body: BodyOptions): Promise<Read> => {
  if (isForm(body)) return readForm(body)
  if (body instanceof Blob) {
    return { body: new Uint8Array(await body.arrayBuffer()), contentType: body.type === "" ? undefined : body.type }
  }
  return body instanceof URLSearchParams
    ? { body: `${body}`, contentType: "application/x-www-form-urlencoded;charset=UTF-8" }
    : { body, contentType: undefined }
}

/** Whether it has to be read, or says itself what it is. */
export const isUnread = (body: unknown): body is URLSearchParams | Blob | FormData =>
  body instanceof URLSearchParams || body instanceof Blob || isForm(body)

/** A job as JSON can carry it: its own body and those of its chain read. */
export const settle = async <Job extends object>(job: Job, around: ReadonlyArray<object> = []): Promise<Job> => {
  // whoever stands inside himself is refused by name when the job is read
  if (!Given.isObject(job) || Array.isArray(job) || around.includes(job)) return job
  const settled: Record<string, unknown> = Object.fromEntries(Object.entries(job))
  for (const name of nested) {
    const child = settled[name]
    if (Given.isObject(child)) settled[name] = await settle(child, [...around, job])
  }
  const { body } = settled
  if (!isUnread(body) && !(body instanceof Uint8Array)) return settled as Job // the same, with bodies that were read
  const { body: sent, contentType } = await read(body)
  const headers = Given.headers((settled["headers"] ?? {}) as Given.HeadersOptions) // what is none is refused later
  return {
    ...settled,
    headers: withType(headers, contentType),
    ...(typeof sent === "string" ? { body: sent } : asText(sent))
  } as unknown as Job // bytes travel under a name of their own
}

/** Headers with a type, unless they have one. */
export const withType = (
  headers: Readonly<Record<string, HeaderValue>>,
  contentType: string | undefined
): Readonly<Record<string, HeaderValue>> =>
  contentType === undefined || Object.keys(headers).some((name) => name.toLowerCase() === "content-type")
    ? headers
    : { ...headers, "Content-Type": contentType }

/**
 * A form with a boundary that follows from what is in it: the same form is the same call, and has the same HASH key.
 * `fetch` draws another one each time.
 */
const readForm = async (form: FormData): Promise<Read> => {
  const fields: Array<readonly [head: string, value: string | Blob]> = []
  form.forEach((value, name) => {
    const head = `Content-Disposition: form-data; name="${quoted(name)}"`
    fields.push(
      typeof value === "string"
        ? [`${head}${BREAK}${BREAK}`, value.replaceAll(/\r\n|\r|\n/g, BREAK)]
        : [
            `${head}; filename="${quoted(value.name)}"${BREAK}Content-Type: ${value.type || "application/octet-stream"}${BREAK}${BREAK}`,
            value
          ]
    )
  })
  const content = new Uint8Array(await new Blob(fields.flat()).arrayBuffer())
  const boundary = `ezthrottle-${Idempotency.hash({ method: "", url: "", body: content }).slice(0, 40)}`
  const parts = fields.flatMap(([head, value]) => [`--${boundary}${BREAK}${head}`, value, BREAK])
  return {
    body: new Uint8Array(await new Blob([...parts, `--${boundary}--${BREAK}`]).arrayBuffer()),
    contentType: `multipart/form-data; boundary=${boundary}`
  }
}

const asText = (bytes: Uint8Array) => {
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch {
    return { body: undefined, body_base64: Base64.encode(bytes) }
  }
}

// as browsers write names, so that none can end its line
const quoted = (name: string): string => name.replaceAll(/\r\n|\r|\n/g, "%0D%0A").replaceAll('"', "%22")

// a runtime may have no forms
const isForm = (body: unknown): body is FormData => typeof FormData !== "undefined" && body instanceof FormData

const BREAK = "\r\n"
const nested = ["fallbackJob", "fallback_job", "onSuccess", "on_success", "onFailure", "on_failure"]
