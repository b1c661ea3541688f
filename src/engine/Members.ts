/**
 * Takes apart headers that are lists of things with parameters: as much of structured fields (RFC 9651) as rate-limit
 * headers use, `head;key=value;key=value, head`, and what comes near them.
 *
 * @since 0.1.0
 */

/**
 * One thing of a list, as it was written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Member {
  readonly head: string
  readonly parameters: ReadonlyMap<string, string>
}

/**
 * The things in a header; none where it is not there, or where a quote stays open.
 *
 * @category decoding
 * @since 0.1.0
 */
export const members = (field: string | undefined): ReadonlyArray<Member> =>
  field === undefined ? [] : split(field, ",").map(toMember)

/**
 * One thing.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toMember = (text: string): Member => {
  const [head = "", ...parameters] = split(text, ";")
  return { head, parameters: new Map(parameters.flatMap(keyed)) }
}

/**
 * `key=value` as a pair; nothing where there is no `=`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const keyed = (text: string): ReadonlyArray<readonly [string, string]> => {
  const at = text.indexOf("=")
  return at === -1 ? [] : [[text.slice(0, at), text.slice(at + 1)]]
}

/**
 * A name without the quotes around it.
 *
 * @category decoding
 * @since 0.1.0
 */
export const unquoted = (text: string): string =>
  /^".*"$/s.test(text) ? text.slice(1, -1).replaceAll(/\\(.)/gs, "$1") : text

/**
 * Parts between separators. A policy's name is a quoted string that may hold separators; where a quote stays open,
 * nothing can be told apart.
 *
 * @category decoding
 * @since 0.1.0
 */
export const split = (text: string, separator: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let start = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    if (quoted && text[at] === "\\") at++
    else if (text[at] === '"') quoted = !quoted
    else if (!quoted && text[at] === separator) {
      parts.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  return quoted ? [] : [...parts, text.slice(start).trim()]
}
