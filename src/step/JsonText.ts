/**
 * Reads JSON text: `JSON.parse`, without a mistake that V8 makes.
 *
 * V8 guesses the next key of an object from the objects it has seen before, and compares its guess with the text as it
 * is written, escapes included: where it expects the key `\`, it takes `"\n"` for it, and `"\u0061b"` for `\u`. So what
 * a text means depends on texts that others sent before. A guess that is wrong in this way has a backslash in it. A text
 * that yields such a key, which hardly any does, is read a second time without escapes in keys.
 */
import type * as Schema from "effect/Schema"

/** Throws what `JSON.parse` throws. */
export const parse = (text: string): Schema.Json => {
  const value: Schema.Json = JSON.parse(text)
  return text.includes("\\") && hasDoubtfulKey(value) ? restored(JSON.parse(text.replace(tokens, listed))) : value
}

// without recursion: what is nested too deep for that is nobody's fault here
const hasDoubtfulKey = (root: Schema.Json): boolean => {
  const left: Array<unknown> = [root]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value !== "object" || value === null) continue
    if (!Array.isArray(value) && Object.keys(value).some((key) => key.includes("\\"))) return true
    for (const inner of Object.values(value)) left.push(inner)
  }
  return false
}

/** An object as the list of its keys and values, under a key that is written without escapes. */
const listed = (token: string): string => (token === "{" ? '{"":[' : token === "}" ? "]}" : token === ":" ? "," : token)

/** Makes objects of the lists again, from the outside in; without recursion for the same reason. */
const restored = (root: Schema.Json): Schema.Json => {
  let whole = root
  const left: Array<Place> = [{ listed: root, put: (value) => (whole = value) }]
  for (let place = left.pop(); place !== undefined; place = left.pop()) {
    const { listed: value, put } = place
    if (typeof value !== "object" || value === null) continue
    if (isList(value)) {
      const made = value.slice()
      for (const [at, item] of made.entries()) left.push({ listed: item, put: (it) => (made[at] = it) })
      put(made)
    } else {
      const items = Object.values(value)[0] as Schema.JsonArray // the only one there is
      // every name is its own from here on, so that filling it in touches no prototype
      const made: { [name: string]: Schema.Json } = Object.fromEntries(pairsOf(items))
      for (const [name, item] of Object.entries(made)) left.push({ listed: item, put: (it) => (made[name] = it) })
      put(made)
    }
  }
  return whole
}

interface Place {
  readonly listed: Schema.Json
  readonly put: (value: Schema.Json) => void
}

const pairsOf = (items: Schema.JsonArray): Array<[string, Schema.Json]> => {
  const pairs: Array<[string, Schema.Json]> = []
  for (let at = 0; at < items.length; at += 2) pairs.push([items[at] as string, items[at + 1] ?? null])
  return pairs
}

/** `Array.isArray` does not tell a read-only list from an object. */
const isList = (value: Schema.Json): value is Schema.JsonArray => Array.isArray(value)

const tokens = /"(?:[^"\\]|\\.)*"|[{}:]/g
