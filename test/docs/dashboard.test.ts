import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as Metrics from "../../src/dam/observe/Metrics.ts"
import { metrics } from "../../src/run/Telemetry.ts"

const file = readFileSync(new URL("../../docs/dashboards/grafana.json", import.meta.url), "utf8")
const dashboard: {
  readonly panels: ReadonlyArray<{ readonly targets: ReadonlyArray<{ readonly expr: string }> }>
} = JSON.parse(file)

const known = new Set(
  [
    ...Object.values(Metrics.metrics),
    ...Object.values(Metrics.gauges),
    metrics.latency,
    ...Object.values(metrics.steps)
  ]
    .concat(metrics.attempts("start", "Answered") ?? [])
    .flatMap(({ id, type }) => (type === "Histogram" ? [`${id}_bucket`, `${id}_count`, `${id}_sum`] : [id]))
)

describe("the Grafana dashboard", () => {
  it("asks for metrics that exist, and for nothing else", () => {
    const asked = dashboard.panels.flatMap(({ targets }) =>
      targets.flatMap(({ expr }) => expr.match(/\bezthrottle_\w+/g) ?? [])
    )
    assert.isAtLeast(asked.length, dashboard.panels.length)
    assert.deepStrictEqual(
      asked.filter((name) => !known.has(name)),
      []
    )
  })
})
