/**
 * What a transport brings back: the `Response` of a target, or the `Receipt` of a service that took the step over.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"

/**
 * The answer of a target. Bytes are kept as they came; `text` and `json` read them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Response {
  readonly _tag: "Response"
  readonly status: number
  /** Lower-case names; a header sent several times is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/**
 * A service's promise to run a step.
 *
 * @category models
 * @since 0.1.0
 */
export interface Receipt {
  readonly _tag: "Receipt"
  readonly jobId: string
  /** As the service names it: `queued`, `racing`, or the state of the first job when it is a duplicate. */
  readonly status: string
  /** The key the service files the job under, when it says so. */
  readonly idempotentKey: string | undefined
  /** `true` when the key was known already and nothing new was started. */
  readonly duplicate: boolean
  /** The service's whole answer, unchanged. */
  readonly answer: { readonly [key: string]: Schema.Json }
}

/**
 * What a transport answers.
 *
 * @category models
 * @since 0.1.0
 */
export type Reply = Response | Receipt

/**
 * Makes a response; text bodies become UTF-8.
 *
 * @category constructors
 * @since 0.1.0
 */
export const response = (
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = EMPTY
): Response => ({ _tag: "Response", status, headers, body: typeof body === "string" ? encoder.encode(body) : body })

/**
 * Tells whether the status is one of success, 200 to 299.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isSuccess = (self: Response): boolean => self.status >= 200 && self.status < 300

/**
 * Reads the body as UTF-8 text; bytes that are not UTF-8 become U+FFFD.
 *
 * @category accessors
 * @since 0.1.0
 */
export const text = (self: Response): string => decoder.decode(self.body)

/**
 * Tells whether the body is well-formed UTF-8, so that `text` loses nothing.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isText = (self: Response): boolean => {
  const again = encoder.encode(decoder.decode(self.body))
  return again.length === self.body.length && again.every((byte, index) => byte === self.body[index])
}

const EMPTY = new Uint8Array(0)
const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
