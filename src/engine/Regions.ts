/**
 * Which regions a path starts from, and which are left to go to.
 *
 * @since 0.1.0
 */
import type { Step } from "../step/StepModel.ts"

/**
 * Where a path starts, all at once, and where it may go afterwards, in order. `undefined` is the transport's default.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegionPlan {
  readonly starts: readonly [string | undefined, ...ReadonlyArray<string | undefined>]
  readonly spare: ReadonlyArray<string>
}

/**
 * Plans the regions of a path. Under `strict` only the step's own; under `fallback` the transport's other healthy ones
 * are spare. Names that leave from the same place count once; healthy ones come first.
 *
 * @category decisions
 * @since 0.1.0
 */
export const plan = (
  step: Pick<Step, "regions" | "regionPolicy">,
  healthy: ReadonlyArray<string>,
  egress: (region: string) => string | undefined = itself
): RegionPlan => {
  if (step.regions.length === 0 && healthy.length === 0) return anywhere
  const places = new Set<string>()
  const own: Array<string> = []
  const byHealth =
    healthy.length === 0
      ? step.regions
      : [
          ...step.regions.filter((region) => healthy.includes(region)),
          ...step.regions.filter((region) => !healthy.includes(region))
        ]
  for (const region of byHealth) {
    const place = egress(region)
    if (place === undefined || places.has(place)) continue
    places.add(place)
    own.push(region)
  }
  const others: Array<string> = []
  if (step.regionPolicy === "fallback" || own.length === 0) {
    for (const region of healthy) {
      const place = egress(region)
      if (place === undefined || places.has(place)) continue
      places.add(place)
      others.push(region)
    }
  }
  const [first, ...rest] = own
  if (first !== undefined) return { starts: [first, ...rest], spare: others }
  return { starts: [others[0]], spare: others.slice(1) }
}

const itself = (region: string): string => region

const anywhere: RegionPlan = { starts: [undefined], spare: [] }
