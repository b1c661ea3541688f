/** The upstreams of the table, by name. */
import { seeded, type Chance } from "./Chance.ts"
import type { Setting } from "./Network.ts"
import * as Upstream from "./Upstream.ts"

export interface Kind {
  readonly name: string
  readonly make: (seed: number, roundTrip: number, chance: Chance) => Upstream.Upstream
  /** Calls per second, on average. */
  readonly rps: number
  readonly maxConcurrent?: number
  /** Whether it is a limit of calls per time, which answers can tell. */
  readonly isTold?: boolean
  /** What a call costs. Defaults to 1. */
  readonly cost?: (chance: Chance) => number
  /** Whether there is something to send. Defaults to always. */
  readonly hasWork?: NonNullable<Setting["hasWork"]>
}

const minute = 60_000

export const kinds: ReadonlyArray<Kind> = [
  { name: "fixed 100/min", make: (_s, _r, chance) => Upstream.fixed(100, minute, chance), rps: 100 / 60 },
  { name: "fixed 5/10 s", make: (_s, _r, chance) => Upstream.fixed(5, 10_000, chance), rps: 0.5 },
  { name: "fixed 1000/h", make: (_s, _r, chance) => Upstream.fixed(1000, 60 * minute, chance), rps: 1000 / 3600 },
  { name: "bucket 10/s, 20", make: () => Upstream.bucket(10, 20), rps: 10 },
  { name: "bucket 5/min, 5", make: () => Upstream.bucket(5 / 60, 5), rps: 5 / 60 },
  { name: "sliding 100/min", make: () => Upstream.sliding(100, minute), rps: 100 / 60 },
  { name: "leaky 40, 2/s", make: () => Upstream.bucket(2, 40), rps: 2 },
  {
    name: "concurrency 5",
    make: (_, roundTrip) => Upstream.concurrency(5, 300, roundTrip + 20),
    rps: 40,
    maxConcurrent: 5,
    isTold: false
  },
  {
    name: "10/s and 500/min",
    make: (_s, _r, chance) => {
      const slow = Upstream.fixed(500, minute, chance)
      return Upstream.both(Upstream.fixed(10, 1000, chance), slow, slow)
    },
    rps: 500 / 60
  },
  { name: "GCRA 5/s, 5", make: () => Upstream.bucket(5, 5), rps: 5 },
  { name: "GCRA 2/s, 1", make: () => Upstream.bucket(2, 1), rps: 2 },
  { name: "counts refused 20/10 s", make: () => Upstream.sliding(20, 10_000, true), rps: 2 },
  { name: "block 60 s, 100/min", make: () => Upstream.blocking(100, minute, minute), rps: 100 / 60 },
  {
    name: "100/min, half shared",
    make: (seed, _, chance) => Upstream.shared(Upstream.fixed(100, minute, chance), 50, seed),
    rps: 50 / 60
  },
  { name: "latency, 4 at once of 400 ms", make: () => Upstream.loaded(4, 400), rps: 10, isTold: false }
]

const named = (name: string, upstream: Upstream.Upstream) => ({ ...upstream, name })

const several = (short: Upstream.Upstream, long: Upstream.Upstream): Upstream.Upstream =>
  Upstream.both(short, long, long, [named("short", short), named("long", long)])

const upToFive = (chance: Chance): number => 1 + Math.floor(5 * chance())

/** Thirty calls more each minute. */
const inBursts: NonNullable<Setting["hasWork"]> = (now, sent) => {
  const minutes = Math.floor(now / minute) + 1
  return { isWaiting: sent < 30 * minutes, until: minutes * minute }
}

/** What the first table leaves open: several quotas in one answer, calls of other costs than 1, queues that run dry. */
export const furtherKinds: ReadonlyArray<Kind> = [
  {
    name: "two quotas, 20 per 10 s and 80/min",
    make: (_s, _r, chance) => several(Upstream.fixed(20, 10_000, chance), Upstream.fixed(80, minute, chance)),
    rps: 80 / 60
  },
  {
    name: "two quotas, bucket 5/s and 1000/h",
    make: (_s, _r, chance) => several(Upstream.bucket(5, 10), Upstream.fixed(1000, 60 * minute, chance)),
    rps: 1000 / 3600
  },
  {
    name: "fixed 300 units/min, calls of 1 to 5",
    make: (_s, _r, chance) => Upstream.fixed(300, minute, chance),
    rps: 100 / 60,
    cost: upToFive
  },
  {
    name: "bucket 15 units/s, 60, calls of 1 to 5",
    make: () => Upstream.bucket(15, 60),
    rps: 5,
    cost: upToFive
  },
  {
    name: "fixed 60000 units/min, calls of 100 to 900",
    make: (_s, _r, chance) => Upstream.fixed(60_000, minute, chance),
    rps: 2,
    cost: (chance) => 100 + Math.floor(800 * chance())
  },
  {
    name: "fixed 100/min, bursts of 30 a minute",
    make: (_s, _r, chance) => Upstream.fixed(100, minute, chance),
    rps: 0.5,
    hasWork: inBursts
  }
]

/** The upstream of a seed, how far away it is, and the chance that goes on from there. */
export const place = (kind: Kind, seed: number) => {
  const chance = seeded(seed)
  const roundTrip = 20 + 130 * chance()
  chance()
  return { upstream: kind.make(seed, roundTrip, chance), roundTrip, chance }
}
