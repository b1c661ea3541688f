/** What is known of the targets that are called, in bounded memory. */
import type * as Hedge from "../engine/Hedge.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"

/** What hedging knows of the targets that are called over one transport, the one that was called last at the end. */
export type Targets = Map<string, Hedge.Target>

/** The targets of a transport: who calls over the same one learns from each other. */
export const targetsOf = (transport: Exchanging): Targets => {
  const known = books.get(transport)
  if (known !== undefined) return known
  const made: Targets = new Map()
  books.set(transport, made)
  return made
}

const books = new WeakMap<Exchanging, Targets>()

/** Targets that are remembered: each takes about a kilobyte. */
const most = 500

/** One target, as it stands and as it goes on. */
export interface Keeping<A> {
  readonly now: () => A
  readonly change: (next: (self: A) => A) => void
}

/** The target of a URL: its origin. One that is not known is as it is given. */
export const keeping = <A>(targets: Map<string, A>, url: string, unknown: A): Keeping<A> => {
  const { origin } = new URL(url)
  const now = () => targets.get(origin) ?? unknown
  return {
    now,
    change: (next) => {
      const target = next(now())
      targets.delete(origin)
      targets.set(origin, target)
      const [oldest] = targets.size > most ? targets.keys() : []
      if (oldest !== undefined) targets.delete(oldest)
    }
  }
}
