/** Headers as the verbs are given them: text, and names of secrets. */
import * as FieldReader from "./FieldReader.ts"
import * as Rules from "./FieldRules.ts"
import { InvalidStep } from "./InvalidStep.ts"
import { type HeaderValue, kept, type SecretValue } from "./SecretHeader.ts"

/**
 * How a secret stands in its header.
 *
 * @category models
 * @since 0.1.0
 */
export interface SecretOptions {
  /** Stands before the secret, such as `"Bearer "`. Defaults to nothing. */
  readonly prefix?: string | undefined
}

/**
 * Names a secret as the value of a header. It is kept by whoever makes the call, a dam or this client, with the hosts it
 * may go to, and looked up when the call is sent: the step, its job and its row never hold it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const secret = (name: string, options: SecretOptions = {}): SecretValue => {
  const strange = Object.keys(options).find((option) => option !== "prefix")
  if (strange !== undefined) {
    throw new InvalidStep({ field: `secret.${strange}`, problem: "is not known here; expected prefix" })
  }
  const { prefix } = options
  const secret = readName(name, "secret")
  return prefix === undefined ? { secret } : { secret, prefix: readPrefix(prefix, "secret.prefix") }
}

/** Reads headers, and keeps them as a step does. */
export const readHeaders = (value: unknown): Readonly<Record<string, string>> => kept(readFields(value, "headers"))

/** Reads one value of a header. */
export const headerValue: FieldReader.Reader<HeaderValue> = (value, field) => {
  const wrong = Rules.headerValueProblem(value)
  if (wrong === undefined) return (typeof value === "object" ? { ...value } : value) as HeaderValue // it is one of the two
  throw new InvalidStep({
    field: wrong.name === "" ? field : `${field}.${wrong.name}`,
    problem: `Expected ${wrong.expected}`
  })
}

const readFields = FieldReader.record(headerValue, Rules.headers)
const readName = FieldReader.text(Rules.secretName)
const readPrefix = FieldReader.text(Rules.secretPrefix)
