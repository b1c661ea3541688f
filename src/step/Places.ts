/** Where in a document that somebody wrote a mistake stands, and what it is. */
import * as SchemaIssue from "effect/SchemaIssue"

/** A mistake. `path` reads like `pacing.hosts["api.example.com"].rps`, and is empty for the whole document. */
export interface Problem {
  readonly path: string
  readonly problem: string
}

/** Every mistake that a schema found; `below` is where the document stands in a larger one. */
export const problemsOf = (issue: SchemaIssue.Issue, below = ""): ReadonlyArray<Problem> =>
  formatter()(issue).issues.map(({ message, path = [] }) => ({
    path: path.reduce<string>((at, part) => placeIn(at, typeof part === "object" ? part.key : part), below),
    problem: message === "Expected no excess property" ? "there is no such setting" : message
  }))

// made when it is asked for, so that a bundle that asks for none leaves it out
const formatter = () => SchemaIssue.makeFormatterStandardSchemaV1()

const placeIn = (at: string, key: PropertyKey): string => {
  const name = String(key)
  if (typeof key === "number") return `${at}[${name}]`
  if (!/^\w+$/.test(name)) return `${at}[${JSON.stringify(name)}]`
  return at === "" ? name : `${at}.${name}`
}
