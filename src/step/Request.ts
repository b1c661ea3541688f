/**
 * The HTTP call a step makes: method, URL, headers and body, as data.
 *
 * Header names keep the spelling they were given; the body is text or bytes and is sent as it is.
 *
 * @since 0.1.0
 */

/**
 * An HTTP call as a value.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  /** Upper-case HTTP method. */
  readonly method: string
  /** Absolute `http:` or `https:` URL. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Text travels as UTF-8, bytes unchanged. */
  readonly body: string | Uint8Array | undefined
}

/**
 * Looks a header up by its name, whatever the case.
 *
 * @category accessors
 * @since 0.1.0
 */
export const header = (
  self: { readonly headers: Readonly<Record<string, string>> },
  name: string
): string | undefined => {
  const wanted = name.toLowerCase()
  for (const [key, value] of Object.entries(self.headers)) {
    if (key.toLowerCase() === wanted) return value
  }
  return undefined
}

/**
 * Names the target without its query, so that nothing secret reaches a log, a span or an error.
 *
 * @category accessors
 * @since 0.1.0
 */
export const target = (self: Request): string => {
  const url = new URL(self.url)
  return `${self.method} ${url.protocol}//${url.host}${url.pathname}`
}
