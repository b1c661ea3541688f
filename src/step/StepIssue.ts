/** What a schema has against a step, in the words of `InvalidStep`. */
import * as SchemaIssue from "effect/SchemaIssue"
import { InvalidStep } from "./InvalidStep.ts"

/**
 * Names the first thing wrong in a schema issue as an `InvalidStep`.
 *
 * @internal
 */
export const invalid = (field: string, issue: SchemaIssue.Issue): InvalidStep => {
  const first = describe(issue).issues[0]
  const path = (first?.path ?? []).reduce<string>((at, part) => {
    const key = typeof part === "object" ? part.key : part
    return typeof key === "number" ? `${at}[${key}]` : at === "" ? String(key) : `${at}.${String(key)}`
  }, field)
  return new InvalidStep({ field: path === "" ? "step" : path, problem: first?.message ?? "is not valid" })
}

const describe = SchemaIssue.makeFormatterStandardSchemaV1()
