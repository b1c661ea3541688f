/** One world from one seed: clients, a dam that dies, whoever it calls, and a judge at the end. */
import { chanceOf } from "./Chance.ts"
import * as Clients from "./Clients.ts"
import * as Dam from "./Dam.ts"
import { Disk } from "./Disk.ts"
import * as Faults from "./Faults.ts"
import { type Finding, judge } from "./Judge.ts"
import * as Ledger from "./Ledger.ts"
import { epoch, Loop } from "./Loop.ts"
import * as Network from "./Network.ts"
import * as Place from "./Place.ts"
import * as SeededCrypto from "./SeededCrypto.ts"
import { mount, unmount } from "./Vfs.ts"

/** What kind of world it is. */
export interface Shape extends Faults.Trouble {
  readonly jobs: number
  /** Milliseconds in which jobs come and things go wrong. */
  readonly span: number
  /** The share of it in which jobs come. */
  readonly comeWithin: number
  readonly schedules: number
  readonly receivers: number
  readonly cancels: number
}

/** Many jobs and many faults in half a minute: what goes wrong, goes wrong in crowds. */
export const crowded: Shape = {
  jobs: 200,
  span: 30_000,
  comeWithin: 0.7,
  crashes: 8,
  power: true,
  diskFaults: 1,
  clockJumps: 0,
  pauses: 3,
  schedules: 2,
  receivers: 30,
  cancels: 0.1
}

/** Few jobs and few faults over ten minutes. */
export const calm: Shape = { ...crowded, span: 600_000, crashes: 3, clockJumps: 2, schedules: 0 }

/** Few jobs, long over when the last faults come: nothing that was forgotten is found by what comes later. */
export const ebbing: Shape = { ...crowded, jobs: 25, comeWithin: 0.2, crashes: 4, pauses: 1, receivers: 100 }

/** A few jobs and no fault: what is overlooked is found by nothing that happens later. */
export const still: Shape = { ...ebbing, jobs: 3, crashes: 0, power: false, diskFaults: 0, pauses: 0, schedules: 0 }

/** What Node's own SQLite can be tried with too: nothing but killed processes. */
export const killed: Shape = { ...crowded, jobs: 100, power: false, diskFaults: 0 }

export const shapes: Readonly<Record<string, Shape>> = { crowded, calm, ebbing, still, killed }

/** What of a world is left, while it is made smaller: numbers of jobs and of schedules, names of faults. */
export interface Kept {
  readonly jobs: ReadonlyArray<number>
  readonly schedules: ReadonlyArray<number>
  readonly faults: ReadonlyArray<string>
}

export const allOf = (shape: Shape): Kept => ({
  jobs: numbers(shape.jobs),
  schedules: numbers(shape.schedules),
  faults: Faults.namesOf(shape)
})

const numbers = (length: number) => Array.from({ length }, (_, number) => number)

export interface Run {
  readonly seed: number
  /** Equal for equal runs: of every event, and every byte on the disk. */
  readonly hash: string
  readonly events: number
  readonly findings: ReadonlyArray<Finding>
  readonly ledger: Ledger.Ledger
  readonly lines: ReadonlyArray<string>
}

/** Whether `Seams.ts` has left Node's SQLite where it is. */
const isReal = process.env["SQLITE"] === "node"

/** Milliseconds without faults until a world ends: every result has been told by then. */
const quiet = 6 * 3_600_000

/** Lets a world run to its end. `keepsLines`: the trace is kept, not only its hash. */
export const run = (seed: number, shape: Shape, kept: Kept = allOf(shape), keepsLines = false): Run => {
  const loop = new Loop()
  const ledger = Ledger.empty()
  const trace = new Ledger.Trace(loop, keepsLines)
  const disk = new Disk(chanceOf(seed, "disk"))
  const diskName = "world"
  const place = isReal ? Place.real() : Place.simulated(diskName)
  mount(diskName, disk, { chance: chanceOf(seed, "SQLite"), now: () => epoch + loop.now })
  SeededCrypto.seed(chanceOf(seed, "crypto"))
  const network = Network.make(seed, { ledger, loop, trace })
  const dam = Dam.make({
    loop,
    disk,
    place,
    trace,
    ledger,
    network,
    chance: chanceOf(seed, "dam"),
    pauses: chanceOf(seed, "pauses"),
    longestPause: Math.min(15_000, shape.span / 20)
  })
  const parts = { seed, loop, disk, dam, ledger, trace, power: shape.power, within: shape.span }
  for (const number of kept.jobs) {
    Clients.want(parts, Clients.wantedBy(seed, number, { ...shape, within: shape.span * shape.comeWithin }))
  }
  for (const number of kept.schedules) Clients.schedule(parts, number, shape.span)
  for (const name of kept.faults) Faults.plan(parts, name)

  loop.run(shape.span)
  Faults.end(parts)
  network.calm()
  loop.run(shape.span + 20_000)
  Faults.resumeAll(parts)
  loop.run(shape.span + quiet)
  const findings = judge(ledger, dam.current(), loop)
  const hash = trace.hash(disk)
  dam.end()
  place.remove()
  unmount(diskName)
  return { seed, hash, events: trace.events, findings, ledger, lines: trace.lines }
}
