/**
 * An answer as presets look at it: names in lower case, and a body that is taken apart only when something asks for it.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Moment from "../engine/Moment.ts"
import * as JsonText from "../step/JsonText.ts"

/**
 * An answer as it came.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** What is known of the body; left out, it is empty. */
  readonly body?: Uint8Array | string | undefined
}

/**
 * An answer as it is looked at.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: () => string
  /** The body as JSON; of a stream of events the list of what they carry. `undefined` where it is neither. */
  readonly json: () => Schema.Json | undefined
}

/**
 * Looks at an answer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ body = "", headers, status }: Answer): Answered => {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const text = once(() => (typeof body === "string" ? body : decoder.decode(body)))
  const isStream = headerIn(lower, "content-type")?.trim().toLowerCase().startsWith("text/event-stream") === true
  return { status, headers: lower, text, json: once(() => (isStream ? eventsIn(text()) : jsonIn(text()))) }
}

/**
 * A header, said once whatever how often it was sent; a name that nobody sent is no property of all objects.
 *
 * @category accessors
 * @since 0.1.0
 */
export const headerIn = (headers: Readonly<Record<string, string>>, name: string): string | undefined => {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  return value === undefined ? undefined : Moment.once(value.trim())
}

/**
 * Reads JSON; `undefined` when it is none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const jsonIn = (text: string): Schema.Json | undefined =>
  // nearly every body that is no JSON shows it at once, and a fault is dear
  /^\s*[[{"\d-]/.test(text)
    ? Result.getOrUndefined(Result.try({ try: () => JsonText.parse(text), catch: () => undefined }))
    : undefined

const eventsIn = (text: string): ReadonlyArray<Schema.Json> =>
  text.split(/(?:\r\n|\n|\r){2}/).flatMap((event) => {
    const data = event
      .split(/\r\n|\n|\r/)
      .flatMap((line) => (line.startsWith("data:") ? [line.slice(5).trimStart()] : []))
      .join("\n")
    const json = jsonIn(data)
    return json === undefined ? [] : [json]
  })

const once = <A>(make: () => A): (() => A) => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

const decoder = new TextDecoder()
