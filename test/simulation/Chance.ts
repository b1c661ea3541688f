/**
 * Chance from a seed, drawn for each thing by its name: what is left out of a run changes nothing of the rest, so a run
 * that fails can be made smaller.
 */

/** Draws from 0 up to 1. */
export type Chance = () => number

/** The chance of one thing of a seed. The generator is sfc32. */
export const chanceOf = (seed: number, name: string): Chance => {
  let a = hashOf(name, seed)
  let b = hashOf(`${name}/b`, seed)
  let c = hashOf(`${name}/c`, seed)
  let count = 1
  const next = () => {
    const sum = (((a + b) | 0) + count) | 0
    count = (count + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return (sum >>> 0) / 4294967296
  }
  for (let warm = 0; warm < 12; warm++) next()
  return next
}

export const between = (chance: Chance, least: number, most: number): number => least + chance() * (most - least)

/** A whole number from 0 up to below a bound. */
export const below = (chance: Chance, bound: number): number => Math.floor(chance() * bound)

/** One of several; there must be one. */
export const oneOf = <A>(chance: Chance, items: readonly [A, ...ReadonlyArray<A>]): A =>
  items[below(chance, items.length)] ?? items[0]

// FNV-1a, mixed once more so that names which differ in their last letter have nothing in common
const hashOf = (text: string, seed: number): number => {
  let hash = 2166136261 ^ seed
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 16777619)
  hash = Math.imul(hash ^ (hash >>> 15), 2246822507)
  return (hash ^ (hash >>> 13)) >>> 0
}
