/** What operators have said, by lane: as the store has it. */
import { hostIn } from "../job/LaneName.ts"
import type { StoredSteering } from "../store/LaneRecords.ts"

/** What operators have said, by lane. */
export type Settings = Map<string, StoredSteering>

/** What an operator has said of a lane, and where that is nothing of its host. */
export const steeredOf = (settings: Settings, lane: string): Partial<StoredSteering> => {
  const own = settings.get(lane)
  const host = settings.get(hostIn(lane))
  return own === host
    ? (own ?? {})
    : {
        rps: own?.rps ?? host?.rps,
        maxConcurrent: own?.maxConcurrent ?? host?.maxConcurrent,
        find: own?.find ?? host?.find,
        paused: own?.paused ?? host?.paused
      }
}
