/** What is known of hosts before they are called: by presets, and by what somebody has set. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as HostRules from "../../presets/HostRules.ts"
import * as LaneRule from "../../presets/LaneRule.ts"
import { LaneChoice } from "../../presets/Preset.ts"
import type { PresetOptions } from "../../presets/Presets.ts"
import * as Places from "../../step/Places.ts"
import { isReceiverLane } from "../job/LaneName.ts"
import type { PacingOptions } from "../lane/Dial.ts"

interface Known {
  readonly rules: NonNullable<PacingOptions["rules"]>
  readonly lanes: NonNullable<PacingOptions["lanes"]>
}

/** What presets know of lanes, and of how calls find them. A receiver of webhooks is nobody's API. */
export const knownBy = (presets: PresetOptions | undefined): Known => {
  const known = HostRules.make(presets)
  const rules = (lane: string) => (isReceiverLane(lane) ? undefined : known(lane))
  return {
    rules,
    lanes: (lane) => {
      const preset = rules(lane)?.preset
      return (
        preset && {
          parts: LaneRule.partsOf(preset),
          credential: preset.credential ?? ["authorization"],
          by: `preset ${preset.name}`
        }
      )
    }
  }
}

/** What is wrong with how the calls to some hosts are to find their lanes. */
export const laneProblems = (pacing: unknown): ReadonlyArray<Places.Problem> =>
  Object.entries(fieldOf(pacing, "hosts") ?? {}).flatMap(([host, setting]) => {
    const lane: unknown = fieldOf(setting, "lane")
    return lane === undefined
      ? []
      : Result.match(decodeLane(lane), {
          onFailure: ({ issue }) => Places.problemsOf(issue, `pacing.hosts["${host}"].lane`),
          onSuccess: () => []
        })
  })

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined

const decodeLane = Schema.decodeUnknownResult(LaneChoice, { errors: "all", onExcessProperty: "error" })
