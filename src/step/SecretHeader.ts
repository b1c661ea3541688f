/**
 * Headers whose value is a secret that is known by its name alone.
 *
 * Whoever makes the call looks the secret up when it is sent, so no step, job or row ever holds it. In a step such a value
 * is text that no transport can send: where somebody forgets to look it up, nothing leaves.
 */

/**
 * The value of a header as the name of a secret, and what stands before it, such as `Bearer `.
 *
 * @category models
 * @since 0.1.0
 */
export interface SecretValue {
  readonly secret: string
  readonly prefix?: string
}

/**
 * The value of a header: text, or the name of a secret.
 *
 * @category models
 * @since 0.1.0
 */
export type HeaderValue = SecretValue | string

type Kept = Readonly<Record<string, string>>

/** Begins and parts the text that stands for a secret; no value of a header has it. */
const mark = "\0"

/** Headers as a step keeps them. */
export const kept = (headers: Readonly<Record<string, HeaderValue>>): Kept =>
  isText(headers)
    ? headers
    : Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name,
          typeof value === "string" ? value : `${mark}${value.secret}${mark}${value.prefix ?? ""}`
        ])
      )

/** Headers as they are written and sent to another service. */
export const told = (headers: Kept): Readonly<Record<string, HeaderValue>> =>
  names(headers)
    ? Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, secretIn(value) ?? value]))
    : headers

/** Which secret a value of a step's header names; `undefined`: it is text. */
export const secretIn = (value: string): SecretValue | undefined => {
  if (!value.startsWith(mark)) return undefined
  const [, secret = "", prefix = ""] = value.split(mark)
  return prefix === "" ? { secret } : { secret, prefix }
}

/** Whether any value of a step's headers names a secret. */
export const names = (headers: Kept): boolean => {
  for (const name in headers) if (headers[name]?.startsWith(mark) === true) return true
  return false
}

/** The headers that name secrets, with what they name. */
export const among = (headers: Kept): ReadonlyArray<readonly [name: string, value: SecretValue]> =>
  Object.entries(headers).flatMap(([name, value]) => {
    const named = secretIn(value)
    return named === undefined ? [] : [[name, named] as const]
  })

const isText = (headers: Readonly<Record<string, HeaderValue>>): headers is Kept => {
  for (const name in headers) if (typeof headers[name] !== "string") return false
  return true
}
