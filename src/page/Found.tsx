/** What a lane has found of its upstream's pace, and the quotas that its answers tell of. */
import type { Lane } from "./Api.ts"
import { away, count } from "./Format.ts"
import { Fact } from "./Parts.tsx"

interface FoundOptions {
  readonly lane: Lane
}

/** The pace that is kept now: what was set, or what was found below it. */
export const paceNow = ({ found, rps }: Lane): number => Math.min(rps, found?.rps ?? rps)

export const Found = ({ lane }: FoundOptions) => {
  const { finds, found, max_concurrent: most, rps } = lane
  if (found === null) return null
  const isBelow = found.rps < rps || found.max_concurrent < most
  return (
    <>
      {(finds || isBelow) && (
        <Fact name={finds ? "Pace found" : "Slowed down to"} isLong>
          {count(Number(found.rps.toPrecision(3)))} per second, {count(found.max_concurrent)} at once
          <small class="faint line">
            {found.asking
              ? "it was refused; one call at a time asks"
              : finds
                ? "the limit is a ceiling"
                : "by what its answers say"}
          </small>
        </Fact>
      )}
      {found.quotas.map(({ limit, name, remaining, resets_at: at }) => (
        <Fact key={name} name={name === "" ? "Quota" : `Quota: ${name}`} isLong>
          {count(remaining)} left{limit !== null && ` of ${count(limit)}`}
          {at !== null && <small class="faint line">renewed {away(at)}</small>}
        </Fact>
      ))}
    </>
  )
}
