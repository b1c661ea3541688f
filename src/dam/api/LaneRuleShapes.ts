/**
 * By what an operator has the calls to a host told apart, in words: what needs more than a word stands in a configuration.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { LaneChoice, LanePart } from "../../presets/Preset.ts"

const WORD =
  /^(?:host|credential|method|path|(?:after|body|metadata):.{1,200}|(?:header|answer):[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100})$/

const Word = Schema.String.check(
  Schema.makeFilter((text: string) => WORD.test(text), {
    expected: "host, credential, method, path, after:WORD, header:NAME, body:PATH, metadata:NAME or answer:HEADER",
    toJsonSchema: () => ({ maxLength: 220 })
  })
)

const parts = Schema.Array(Word).check(
  Schema.makeFilter((words: ReadonlyArray<string>) => words.length > 0 && words.length <= 8, {
    expected: "1 to 8 parts",
    toJsonSchema: () => ({ minItems: 1, maxItems: 8 })
  })
)

/** The parts; `host` alone is one lane, and null takes the choice back. */
export const RuleChoice = Schema.Struct({ parts: Schema.NullOr(parts) }).annotate({ identifier: "RuleChoice" })

/** The parts that words say. */
export const choiceIn = ([first, ...more]: ReadonlyArray<string>): LaneChoice =>
  first === undefined || (first === "host" && more.length === 0) ? "host" : [partIn(first), ...more.map(partIn)]

const partIn = (word: string): LanePart => {
  const at = word.indexOf(":")
  const name = word.slice(at + 1)
  switch (word.slice(0, Math.max(0, at))) {
    case "after":
      return { name, after: [name] }
    case "body":
      return { name, body: name }
    case "metadata":
      return { name, metadata: name }
    case "header":
      return { name, header: name.toLowerCase() }
    case "answer":
      return { name, answer: name.toLowerCase() }
    default:
      return word === "credential" || word === "method" || word === "path" ? word : "host"
  }
}
