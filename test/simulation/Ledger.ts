/** What everybody outside of the dam wrote down, and the trace of a run. */
import { createHash } from "node:crypto"
import type { Step } from "../../src/step/StepModel.ts"
import type { Disk } from "./Disk.ts"
import type { Loop } from "./Loop.ts"

/** A job that a client wants to be done. */
export interface Wanted {
  readonly number: number
  readonly step: Step
  readonly key: string
  readonly at: number
  /** Milliseconds after which somebody cancels it, once it is acknowledged. */
  readonly cancelAfter: number | undefined
  /** Milliseconds after its acknowledgement at which its client submits it once more. */
  readonly again: number | undefined
}

/** What a client was answered. */
export interface Acknowledged {
  readonly wanted: Wanted
  readonly id: string
  readonly at: number
}

/** A call to a target, or to a receiver of results. */
export interface Call {
  readonly number: number
  readonly isWebhook: boolean
  /** The job it is made for, or whose result it tells. */
  readonly job: string
  readonly lane: string
  readonly url: string
  readonly at: number
  /** The incarnation of the dam that made it. */
  readonly incarnation: number
  readonly body: string
  /** When it was answered, cut off or given up. */
  ended: number | undefined
  status: number | undefined
  /** Whether the dam was there to be answered. */
  isSeen: boolean
  /** Seconds to wait, as it was answered. */
  retryAfter: number | undefined
}

/** What is called again and again: every so many milliseconds, from when it was confirmed, up to an end. */
export interface Scheduled {
  readonly name: string
  readonly every: number
  readonly from: number
  readonly end: number
}

export interface Crash {
  readonly at: number
  readonly how: "process" | "power"
}

export interface Ledger {
  readonly wanted: Array<Wanted>
  readonly acknowledged: Array<Acknowledged>
  readonly schedules: Array<Scheduled>
  readonly calls: Array<Call>
  readonly crashes: Array<Crash>
  /** When a disk failed for a while. */
  readonly diskFaults: Array<number>
  /** Lanes that an operator paused: since when for sure, and until when. */
  readonly pauses: Array<{ readonly lane: string; readonly from: number; until: number }>
  /** When the clock was set for the first time. */
  clockSetAt: number
  /** Jobs that were cancelled, and since when they have been for sure. */
  readonly cancels: Map<string, number | undefined>
}

export const empty = (): Ledger => ({
  wanted: [],
  acknowledged: [],
  schedules: [],
  calls: [],
  crashes: [],
  diskFaults: [],
  pauses: [],
  clockSetAt: Number.POSITIVE_INFINITY,
  cancels: new Map()
})

/** Every event of a run in its order, as a number that differs where a run does. */
export class Trace {
  /** The events themselves, where they are kept. */
  readonly lines: Array<string> = []
  events = 0
  readonly #loop: Loop
  readonly #isKept: boolean
  #first = 1
  #second = 2

  constructor(loop: Loop, isKept: boolean) {
    this.#loop = loop
    this.#isKept = isKept
  }

  note(text: string): void {
    const line = `${this.#loop.now} ${text}`
    this.events++
    if (this.#isKept) this.lines.push(line)
    for (let at = 0; at < line.length; at++) {
      const code = line.charCodeAt(at)
      this.#first = Math.imul(this.#first ^ code, 16777619)
      this.#second = (Math.imul(this.#second ^ code, 2246822507) + at) | 0
    }
  }

  /** Of the events, and of every byte that the disk holds at the end. */
  hash(disk: Disk): string {
    const hash = createHash("sha256").update(`${this.#first} ${this.#second}`)
    for (const [name, { bytes, size }] of disk.files) hash.update(name).update(bytes.subarray(0, size))
    return hash.digest("hex").slice(0, 16)
  }
}
