/**
 * Whether this runtime has what a dam needs, said before any job is accepted.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Agent } from "undici"

/**
 * A dam cannot run here; what a program can do instead is said.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnfitRuntime extends Schema.TaggedError<UnfitRuntime>()("UnfitRuntime", {
  /** Name and version. */
  runtime: Schema.String,
  lacks: Schema.String
}) {
  override get message() {
    return `a dam does not run on ${this.runtime}: ${this.lacks}. Run it with Node 22.19 or later, npx ezthrottle-effect dam, and point a client at it: new EZThrottle({ dam: "http://127.0.0.1:8080" })`
  }
}

/** What is looked at, so that a test can say what another runtime has. */
export interface RuntimeParts {
  readonly versions: { readonly [name: string]: string | undefined }
  readonly sqlite: unknown
  readonly agent: unknown
}

/** This runtime. */
const here: RuntimeParts = {
  versions: process.versions,
  // not imported: whoever lacks it would learn of a missing module, and not what to do
  sqlite: process.getBuiltinModule("node:sqlite"),
  agent: Agent
}

/**
 * Finds what keeps a dam from running here.
 *
 * @category guards
 * @since 0.1.0
 */
export const unfit = (parts: RuntimeParts = here): UnfitRuntime | undefined => {
  const lacks = lacking(parts)
  return lacks === undefined ? undefined : new UnfitRuntime({ runtime: nameOf(parts), lacks })
}

const lacking = ({ agent, sqlite }: RuntimeParts): string | undefined => {
  if (sqlite === undefined) return "it has no node:sqlite"
  // Bun has an undici of its own in place of the package
  return typeof agent === "function" && typeof agent.prototype?.destroy === "function"
    ? undefined
    : "its undici cannot be told where a call may go, so nothing would keep calls from private addresses"
}

const nameOf = ({ versions }: RuntimeParts): string => {
  for (const name of ["bun", "deno"] as const) {
    const version = versions[name]
    if (version !== undefined) return `${name === "bun" ? "Bun" : "Deno"} ${version}`
  }
  return `Node ${versions["node"]}`
}
