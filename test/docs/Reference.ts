import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import {
  deliveryDiagram,
  deliveryStates,
  diagram,
  isTerminal,
  states,
  toFlat,
  toWebhook
} from "../../src/engine/JobState.ts"
import * as Metrics from "../../src/dam/observe/Metrics.ts"
import { metrics } from "../../src/run/Telemetry.ts"

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const page = (...parts: ReadonlyArray<string>): string => `${parts.join("\n\n")}\n`

const mermaid = (text: string): string => `\`\`\`mermaid\n${text}\n\`\`\``

const code = (text: string): string => `\`${text}\``

/** The states of a job and of its delivery, from the tables the code moves along. */
export const statesPage = (): string =>
  page(
    "# States",
    "Where a job of a service can be. It is in exactly one state and moves along these edges only; a final state never changes. Drawn from `src/engine/JobState.ts`; a test compares.",
    "## A job",
    mermaid(diagram()),
    "What other dialects call a state. In the flat dialect a failed job is `completed` when its last answer was below 500.",
    table(
      ["state", "final", "self-hosted `/jobs`", "webhook"],
      states.map((state) => [
        code(state),
        isTerminal(state) ? "yes" : "",
        code(toFlat(state)),
        toWebhook(state) === undefined ? "" : code(toWebhook(state) ?? "")
      ])
    ),
    "## Its delivery",
    `Whether the result reached anybody is a matter of its own (${deliveryStates.map(code).join(", ")}) and never changes the job's state.`,
    mermaid(deliveryDiagram())
  )

const telemetrySource = fileURLToPath(new URL("../../src/run/Telemetry.ts", import.meta.url))

/** The members of a table of names with what their comments say. */
const names = (constant: string): ReadonlyArray<{ readonly name: string; readonly meaning: string }> => {
  const text = readFileSync(telemetrySource, "utf8")
  const found: Array<{ readonly name: string; readonly meaning: string }> = []
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === constant) {
      const object = node.initializer && ts.isAsExpression(node.initializer) ? node.initializer.expression : undefined
      if (object === undefined || !ts.isObjectLiteralExpression(object)) return
      for (const property of object.properties) {
        if (!ts.isPropertyAssignment(property) || !ts.isStringLiteral(property.initializer)) continue
        const [comment] = ts.getJSDocCommentsAndTags(property)
        const meaning = ts.getTextOfJSDocComment(comment?.comment as string | undefined) ?? ""
        found.push({ name: property.initializer.text, meaning })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile("Telemetry.ts", text, ts.ScriptTarget.Latest, true))
  return found
}

const described = (constant: string): string =>
  table(
    ["name", "meaning"],
    names(constant).map(({ meaning, name }) => [code(name), meaning])
  )

const kinds = ["start", "retry", "reroute", "forward", "repeat", "hedge"] as const
const endings = ["Answered", "Failed", "Interrupted"] as const

/** Every name the library reports under. */
export const telemetryPage = (): string => {
  const attempts = kinds.flatMap((kind) => endings.flatMap((ending) => metrics.attempts(kind, ending) ?? []))
  const steps = Object.values(metrics.steps)
  const all = [
    ...attempts,
    metrics.latency,
    ...steps,
    ...Object.values(Metrics.metrics),
    ...Object.values(Metrics.gauges)
  ]
  const labels = (id: string): string => {
    const pairs = all.filter((metric) => metric.id === id).flatMap((metric) => Object.entries(attributesOf(metric)))
    const keys = [...new Set(pairs.map(([key]) => key))]
    return keys
      .map(
        (key) =>
          `${code(key)}: ${[...new Set(pairs.filter(([name]) => name === key).map(([, value]) => value))].join(", ")}`
      )
      .join("; ")
  }
  const unique = all.filter((metric, index) => all.findIndex(({ id }) => id === metric.id) === index)
  return page(
    "# Telemetry",
    "Every name this library reports under. Targets come without query; headers, bodies and secrets are in no value. Read from `src/run/Telemetry.ts` and `src/dam/observe/Metrics.ts`; a test compares.",
    "## Spans",
    "Made only where a tracer was provided to the program ([why](../decisions/0006-spans-only-for-a-tracer.md)).",
    described("spans"),
    "## Attributes",
    described("attributes"),
    "## Metrics",
    "Always kept; gauges of a dam are read when `/metrics` is asked. Names that begin with `ezthrottle_dam_` are a dam's.",
    table(
      ["name", "type", "labels", "meaning"],
      unique.map((metric) => [code(metric.id), metric.type.toLowerCase(), labels(metric.id), metric.description ?? ""])
    )
  )
}

const attributesOf = ({ attributes }: { readonly attributes?: unknown }): Readonly<Record<string, string>> =>
  (attributes ?? {}) as Readonly<Record<string, string>> // counters are made with a plain record here
