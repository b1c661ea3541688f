/** What a step draws on, in one order: steps that say the same are equal, whatever was said first. */
import type { Draw } from "./StepModel.ts"

/** With one more; one of the same name and key takes the place of that before it. */
export const adding = (self: ReadonlyArray<Draw>, draw: Draw): ReadonlyArray<Draw> =>
  inOrder([...self.filter((one) => !isSame(one, draw)), draw])

/** By name, then by key. */
export const inOrder = (draws: ReadonlyArray<Draw>): ReadonlyArray<Draw> =>
  draws.length < 2 ? draws : draws.toSorted((a, b) => compare(a.name, b.name) || compare(a.key, b.key))

/** Whether two calls draw on the same to the same amount; both stand in order. */
export const areSame = (one: ReadonlyArray<Draw>, other: ReadonlyArray<Draw>): boolean =>
  one === other ||
  (one.length === other.length &&
    one.every((draw, place) => {
      const beside = other[place]
      return beside !== undefined && isSame(draw, beside) && draw.cost === beside.cost
    }))

/** The place of the first that draws on what one before it draws on already; below 0 where there is none. */
export const repeated = (draws: ReadonlyArray<Pick<Draw, "name"> & { readonly key?: string }>): number =>
  draws.findIndex(({ key = "", name }, place) =>
    draws.slice(0, place).some((before) => before.name === name && (before.key ?? "") === key)
  )

const isSame = (one: Draw, other: Draw): boolean => one.name === other.name && one.key === other.key

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
