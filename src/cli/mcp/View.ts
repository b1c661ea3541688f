/** What an agent may see of an answer: no secrets, and no more text than a model can use. */
import type * as Schema from "effect/Schema"
import { isSecretName } from "../../step/SecretName.ts"

/** Longer texts are cut; what was left out is counted. */
const longest = 4000

const URL_NAME = /^(url|location|target_url)$/i

/** Hides secrets by their names, at any depth, and cuts long texts. */
export const shown = (value: Schema.JsonObject): Schema.JsonObject =>
  Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, part(name, inner)]))

const part = (name: string, value: Schema.Json): Schema.Json => {
  if (typeof value === "string") {
    if (isSecretName(name)) return "<redacted>"
    return cut(URL_NAME.test(name) ? withoutSecrets(value) : value)
  }
  if (typeof value !== "object" || value === null) return value
  if (isList(value)) return value.map((item) => part(name, item))
  return shown(value)
}

const isList = (value: object): value is ReadonlyArray<Schema.Json> => Array.isArray(value)

const cut = (text: string): string =>
  text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length - longest} characters left out)`

/** A URL says where; who is asking, and with which key, is nobody's business. */
const withoutSecrets = (text: string): string => {
  if (!URL.canParse(text)) return text
  const url = new URL(text)
  if (url.username !== "" || url.password !== "") {
    url.username = "redacted"
    url.password = ""
  }
  for (const name of new Set(url.searchParams.keys())) url.searchParams.set(name, "redacted")
  return url.href
}
