/** Makes a world that breaks a law as small as it can be and still breaks it: delta debugging over faults, schedules and jobs. */
import { allOf, type Kept, run, type Shape } from "./Simulation.ts"

export interface Shrunk {
  readonly law: string
  readonly kept: Kept
  readonly runs: number
}

/** The smallest world found within so many runs; `undefined` where the seed breaks no law. */
export const shrink = (seed: number, shape: Shape, mostRuns = 250): Shrunk | undefined => {
  let runs = 0
  const lawOf = (kept: Kept): string | undefined => {
    runs++
    return run(seed, shape, kept).findings[0]?.law
  }
  let kept = allOf(shape)
  const law = lawOf(kept)
  if (law === undefined) return undefined
  const still = (smaller: Kept): boolean => runs < mostRuns && lawOf(smaller) === law
  // what is gone with the first round may make more of the others needless
  for (let before = -1; before !== sizeOf(kept);) {
    before = sizeOf(kept)
    for (const part of ["faults", "schedules", "jobs"] as const) {
      kept = { ...kept, [part]: fewest<number | string>(kept[part], (some) => still({ ...kept, [part]: some })) }
    }
  }
  return { law, kept, runs }
}

const sizeOf = ({ faults, jobs, schedules }: Kept): number => faults.length + jobs.length + schedules.length

/** Leaves out parts that are not needed, large ones first. */
const fewest = <A>(all: ReadonlyArray<A>, isEnough: (some: ReadonlyArray<A>) => boolean): ReadonlyArray<A> => {
  let left = all
  let parts = 2
  while (left.length > 0) {
    const size = Math.ceil(left.length / parts)
    const smaller = without(left, size).find(isEnough)
    if (smaller !== undefined) {
      left = smaller
      parts = Math.max(parts - 1, 2)
    } else if (parts >= left.length) return left
    else parts = Math.min(left.length, parts * 2)
  }
  return left
}

/** What remains without each part of this size. */
const without = <A>(all: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, part) => [
    ...all.slice(0, part * size),
    ...all.slice((part + 1) * size)
  ])
