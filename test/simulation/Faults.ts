/** What goes wrong in a world, drawn for each fault by its number: crashes at any place, disks that fail, clocks that are set. */
import * as Effect from "effect/Effect"
import { below, between, type Chance, chanceOf, oneOf } from "./Chance.ts"
import type { Dam } from "./Dam.ts"
import type { Disk } from "./Disk.ts"
import type { Ledger, Trace } from "./Ledger.ts"
import type { Loop } from "./Loop.ts"
import type { targets } from "./Network.ts"

/** How many of each. */
export interface Trouble {
  readonly crashes: number
  /** Whether the power goes, and disks stop in the middle of a write; else processes are killed only. */
  readonly power: boolean
  readonly diskFaults: number
  readonly clockJumps: number
  /** Times that an operator pauses a lane for a while. */
  readonly pauses: number
}

interface Parts {
  readonly seed: number
  readonly loop: Loop
  readonly disk: Disk
  readonly dam: Dam
  readonly ledger: Ledger
  readonly trace: Trace
  readonly power: boolean
  /** Milliseconds within which things go wrong. */
  readonly within: number
}

/** Names of all the faults there are to be. */
export const namesOf = ({ clockJumps, crashes, diskFaults, pauses }: Trouble): ReadonlyArray<string> => [
  ...numbered("crash", crashes),
  ...numbered("disk", diskFaults),
  ...numbered("clock", clockJumps),
  ...numbered("pause", pauses)
]

const numbered = (kind: string, count: number) => Array.from({ length: count }, (_, number) => `${kind}-${number}`)

/** Has a fault come at its moment. */
export const plan = (parts: Parts, name: string): void => {
  const chance = chanceOf(parts.seed, name)
  const at = between(chance, Math.min(500, parts.within / 100), parts.within)
  const happen = kinds[name.split("-")[0] ?? ""] ?? (() => undefined)
  parts.loop.at(at, () => happen(parts, chance))
}

/** Ends all that goes wrong. Whoever is dead is started again. */
export const end = ({ dam, disk, loop }: Parts): void => {
  loop.after = undefined
  disk.onWrite = undefined
  disk.onSync = undefined
  disk.capacity = Number.POSITIVE_INFINITY
  dam.current().atGroup = undefined
  if (disk.isDead) dam.kill("power")
  dam.setClock(0)
}

/** In the middle of its own work, in the middle of a write, or beside a commit. */
const crash = (parts: Parts, chance: Chance): void => {
  const { dam, disk, loop, power } = parts
  const victim = dam.current()
  if (!victim.alive) return
  const how = chance() < 0.5 || !power ? "process" : "power"
  const kill = () => {
    if (dam.current() === victim) dam.kill(how)
  }
  const where = chance()
  if (where < 0.3) {
    let left = below(chance, 40)
    loop.after = () => {
      if (left-- > 0) return
      loop.after = undefined
      kill()
    }
  } else if (where < 0.6 && power) {
    let left = 1 + below(chance, 12)
    disk.onWrite = () => {
      if (--left > 0) return "done"
      disk.isDead = true
      loop.task(kill)
      return "failed"
    }
  } else {
    let left = below(chance, 10)
    const place = chance() < 0.5 ? "before" : "after"
    victim.atGroup = (when) => {
      if (when === place && left-- <= 0) kill()
    }
  }
}

const failDisk = ({ disk, ledger, loop, trace }: Parts, chance: Chance): void => {
  ledger.diskFaults.push(loop.now)
  if (chance() < 0.4) {
    trace.note("the disk does not sync")
    disk.onSync = () => "failed"
    loop.in(3000, () => {
      disk.onSync = undefined
    })
  } else {
    trace.note("the disk is full")
    disk.capacity = disk.used + 8192
    loop.in(5000, () => {
      disk.capacity = Number.POSITIVE_INFINITY
    })
  }
}

/** An hour forward or back, as a time server may set it. */
const setClock = ({ dam, ledger, loop, trace }: Parts, chance: Chance): void => {
  const offset = Math.round(between(chance, -1, 1) * 3_600_000)
  trace.note(`the clock is ${offset} ms ahead`)
  ledger.clockSetAt = Math.min(ledger.clockSetAt, loop.now)
  dam.setClock(offset)
}

/** An operator pauses a lane, and takes it up again unless the dam has died meanwhile: then the end of all trouble does. */
const pause = (parts: Parts, chance: Chance): void => {
  const lane = `${oneOf(chance, lanes)}:443`
  steer(parts, lane, { _tag: "Pause", note: undefined })
  parts.loop.in(between(chance, 500, 20_000), () => steer(parts, lane, { _tag: "Resume" }))
}

const lanes = ["fast.example", "flaky.example", "limit.example", "narrow.example"] as const satisfies ReadonlyArray<
  keyof typeof targets
>

type Action = { readonly _tag: "Pause"; readonly note: undefined } | { readonly _tag: "Resume" }

const steer = ({ dam, ledger, loop, trace }: Parts, lane: string, action: Action): void => {
  const { _tag } = action
  const { alive, fork, up } = dam.current()
  if (!alive || up === undefined) return
  // from when it was asked for, and for those that were confirmed meanwhile, from when it is done
  if (_tag === "Resume") endPauses(ledger, lane, loop.now)
  fork(
    Effect.match(up.engine.steering.change(lane, "operator", action), {
      onFailure: (error) => trace.note(`${_tag} of ${lane}: ${error.message}`),
      onSuccess: () => {
        trace.note(`${_tag} of ${lane}`)
        if (_tag === "Resume") endPauses(ledger, lane, loop.now)
        else ledger.pauses.push({ lane, from: loop.now, until: Number.POSITIVE_INFINITY })
      }
    })
  )
}

const endPauses = ({ pauses }: Ledger, lane: string, now: number): void => {
  for (const pause of pauses) if (pause.lane === lane) pause.until = Math.min(pause.until, now)
}

/** Takes every lane up again. */
export const resumeAll = (parts: Parts): void => {
  for (const lane of lanes) steer(parts, `${lane}:443`, { _tag: "Resume" })
}

const kinds: Readonly<Record<string, (parts: Parts, chance: Chance) => void>> = {
  crash,
  disk: failDisk,
  clock: setClock,
  pause
}
