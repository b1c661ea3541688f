/**
 * Every metric of the dam. Counters and histograms are kept as things happen, gauges are read when somebody asks. The lanes
 * of a host go together under its name, and hosts are told apart up to a number; what is left over goes together too, so
 * that a thousand hosts, or keys of one, make no thousand series.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { states } from "../../../engine/JobState.ts"
import type { Engine } from "../../work/Engine.ts"
import type { StoreError } from "../../store/StoreError.ts"
import { hostIn } from "../../job/LaneName.ts"
import type { LaneStatus } from "../../lane/Steering.ts"
import { gauges } from "../../observe/Metrics.ts"

/** What Prometheus calls this text. */
export const contentType = "text/plain; version=0.0.4; charset=utf-8"

/** Lanes that are told apart by name. */
const named = 100

/**
 * Renders all metrics of the process as Prometheus reads them.
 *
 * @category rendering
 * @since 0.1.0
 */
export const render = (engine: Pick<Engine["Service"], "admission" | "steering">): Effect.Effect<string, StoreError> =>
  Effect.gen(function* () {
    // gauges live for one answer: a lane that is gone leaves no series behind
    const read = yield* Effect.provideService(
      Effect.andThen(
        observe(engine),
        Effect.suspend(() => PrometheusMetrics.format())
      ),
      Metric.MetricRegistry,
      new Map()
    )
    return `${yield* PrometheusMetrics.format()}${read}`
  })

const observe = Effect.fnUntraced(function* ({
  admission,
  steering
}: Pick<Engine["Service"], "admission" | "steering">) {
  const numbers = yield* admission
  const { lanes } = yield* steering.list({ limit: Number.MAX_SAFE_INTEGER })
  const context = yield* Effect.context<never>()
  for (const state of states) set(gauges.jobs, { state }, numbers[state] ?? 0, context)
  set(gauges.pending, {}, numbers["pending_deliveries"] ?? 0, context)
  set(gauges.dead, {}, numbers["dead_deliveries"] ?? 0, context)
  set(gauges.bytes, {}, numbers["stored_bytes"] ?? 0, context)
  const most = byHost(lanes).toSorted((one, other) => sizeOf(other) - sizeOf(one) || (one.lane < other.lane ? -1 : 1))
  for (const { isHeld, isPaused, lane, rps, ...counts } of most.slice(0, named)) {
    for (const state of laneStates) set(gauges.laneJobs, { lane, state }, counts[state], context)
    set(gauges.laneRate, { lane }, rps, context)
    set(gauges.laneHeld, { lane }, Number(isHeld), context)
    set(gauges.lanePaused, { lane }, Number(isPaused), context)
  }
  const rest = most.slice(named)
  for (const state of rest.length === 0 ? [] : laneStates) {
    const all = rest.reduce((sum, lane) => sum + lane[state], 0)
    set(gauges.laneJobs, { lane: "other", state }, all, context)
  }
})

const set = (
  metric: Metric.Gauge<number>,
  attributes: Readonly<Record<string, string>>,
  value: number,
  context: Context.Context<never>
): void => Metric.withAttributes(metric, attributes).updateUnsafe(value, context)

const laneStates = ["scheduled", "queued", "parked", "running"] as const

type Counts = Readonly<Record<(typeof laneStates)[number], number>>

const sizeOf = ({ parked, queued, running, scheduled }: Counts): number => parked + queued + running + scheduled

interface Host extends Counts {
  readonly lane: string
  readonly rps: number
  readonly isHeld: boolean
  readonly isPaused: boolean
}

/** The lanes of each host together: all that they may call, and whether any of them is held or paused. */
const byHost = (lanes: ReadonlyArray<LaneStatus>): ReadonlyArray<Host> => {
  const hosts = new Map<string, Host>()
  for (const { ceiling, holds, lane, parked, paused, queued, rps, running, scheduled } of lanes) {
    const name = hostIn(lane)
    const known = hosts.get(name)
    hosts.set(name, {
      lane: name,
      scheduled: scheduled + (known?.scheduled ?? 0),
      queued: queued + (known?.queued ?? 0),
      parked: parked + (known?.parked ?? 0),
      running: running + (known?.running ?? 0),
      rps: Math.min(rps + (known?.rps ?? 0), ceiling?.rps ?? Number.POSITIVE_INFINITY),
      isHeld: holds.length > 0 || known?.isHeld === true,
      isPaused: paused !== undefined || known?.isPaused === true
    })
  }
  return [...hosts.values()]
}
