/**
 * Counts the connections that an undici agent opens, which is how a call learns that it went over an older one: undici
 * does not say on which connection it sends.
 */
import { Agent, type Dispatcher } from "undici"

/** How many connections a dispatcher has opened so far; `undefined` where that cannot be told. */
export const countOf = (dispatcher: Dispatcher): (() => number) | undefined => {
  if (!(dispatcher instanceof Agent)) return undefined
  const known = counts.get(dispatcher)
  if (known !== undefined) return known
  let opened = 0
  const count = () => opened
  dispatcher.on("connect", () => void opened++)
  counts.set(dispatcher, count)
  return count
}

const counts = new WeakMap<Dispatcher, () => number>()
