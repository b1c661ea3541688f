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
 * are spare. Names that leave from the same place count once; healthy ones come first. A step without regions starts at
 * `home`, where the transport has such a place.
 *
 * @category decisions
 * @since 0.1.0
 */
export const plan = (
  step: Pick<Step, "regions" | "regionPolicy">,
  healthy: ReadonlyArray<string>,
  egress: (region: string) => string = itself,
  home?: string
): RegionPlan => {
  if (step.regions.length === 0 && healthy.length === 0) return anywhere
  const isAtHome = step.regions.length === 0 && home !== undefined
  const places = new Set(isAtHome ? [home] : [])
  const isNew = (region: string): boolean => {
    const place = egress(region)
    return !places.has(place) && places.add(place) !== undefined
  }
  const isHealthy = (region: string): boolean => healthy.length === 0 || healthy.includes(region)
  const byHealth = [...step.regions.filter(isHealthy), ...step.regions.filter((region) => !isHealthy(region))]
  const [first, ...rest] = byHealth.filter(isNew)
  const spare = step.regionPolicy === "fallback" ? healthy.filter(isNew) : []
  if (isAtHome) return { starts: [undefined], spare }
  if (first !== undefined) return { starts: [first, ...rest], spare }
  return { starts: [spare[0]], spare: spare.slice(1) }
}

const itself = (region: string): string => region

const anywhere: RegionPlan = { starts: [undefined], spare: [] }
