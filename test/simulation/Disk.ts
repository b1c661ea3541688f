/**
 * A disk in memory. What was written and not synced is lost, kept or torn when the power goes; a process that is killed
 * leaves all it has written.
 */
import { between, type Chance } from "./Chance.ts"

/** Bytes that a disk writes whole or not at all. */
const sector = 512

/** What stood there before a write that is not synced; written back, newest first, it undoes them. */
interface Undo {
  readonly at: number
  /** How many bytes were written; 0 where the file was cut. */
  readonly length: number
  readonly before: Uint8Array
  readonly size: number
}

export class DiskFile {
  bytes = new Uint8Array(64 * 1024)
  size = 0
  /** Whether its name would be found after a power loss. */
  isNameDurable = false
  #undo: Array<Undo> = []

  write(at: number, bytes: Uint8Array): void {
    const end = at + bytes.length
    this.#undo.push({
      at,
      length: bytes.length,
      before: this.bytes.slice(at, Math.min(end, this.size)),
      size: this.size
    })
    this.#grow(end)
    if (at > this.size) this.bytes.fill(0, this.size, at)
    this.bytes.set(bytes, at)
    this.size = Math.max(this.size, end)
  }

  cut(size: number): void {
    if (size >= this.size) return
    this.#undo.push({ at: size, length: 0, before: this.bytes.slice(size, this.size), size: this.size })
    this.size = size
  }

  /** A new file is named durably with its first sync, as journaling file systems do. */
  sync(): void {
    this.#undo = []
    this.isNameDurable = true
  }

  /** Keeps what has reached the disk of itself, which differs from one power loss to the next. */
  losePower(chance: Chance): void {
    const fate = chance()
    const undo = this.#undo
    this.#undo = []
    // all of it is there
    if (fate < 0.15) return
    const written = undo.map(({ at, length }) => this.bytes.slice(at, at + length))
    for (const step of undo.toReversed()) this.#undoOne(step)
    // none of it is
    if (fate < 0.4) return
    undo.forEach((step, index) => this.#redoSome(step, written[index] ?? nothing, chance))
  }

  /** Later writes over the same place make `written` what was there last, which a torn disk may well have kept. */
  #redoSome({ at, length }: Undo, written: Uint8Array, chance: Chance): void {
    const fate = chance()
    if (fate < 0.4) return
    if (length === 0) {
      this.size = Math.min(this.size, at)
      return
    }
    this.#grow(at + written.length)
    if (at > this.size) this.bytes.fill(0, this.size, at)
    this.size = Math.max(this.size, at + written.length)
    for (let from = 0; from < written.length; from += sector) {
      if (fate < 0.8 || chance() < 0.5) this.bytes.set(written.subarray(from, from + sector), at + from)
    }
  }

  #undoOne({ at, before, size }: Undo): void {
    this.#grow(size)
    this.bytes.set(before, at)
    this.size = size
  }

  #grow(size: number): void {
    if (size <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(size, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.size))
    this.bytes = grown
  }
}

const nothing = new Uint8Array(0)

/** What a disk answers to a write or a sync. */
export type Verdict = "done" | "full" | "failed"

export class Disk {
  readonly files = new Map<string, DiskFile>()
  /** Bytes that it takes. */
  capacity = Number.POSITIVE_INFINITY
  /** Nothing reaches it any more: whoever wrote to it is dead. */
  isDead = false
  /** Asked before each write, and before each sync; tells of faults. */
  onWrite: (() => Verdict) | undefined
  onSync: (() => Verdict) | undefined
  readonly #chance: Chance

  constructor(chance: Chance) {
    this.#chance = chance
  }

  open(name: string): DiskFile {
    const known = this.files.get(name)
    if (known !== undefined) return known
    const made = new DiskFile()
    this.files.set(name, made)
    return made
  }

  get used(): number {
    let sum = 0
    for (const { size } of this.files.values()) sum += size
    return sum
  }

  write(file: DiskFile, at: number, bytes: Uint8Array): Verdict {
    if (this.isDead) return "failed"
    const verdict = this.onWrite?.() ?? "done"
    if (verdict !== "done") return verdict
    if (this.used + Math.max(0, at + bytes.length - file.size) > this.capacity) return "full"
    file.write(at, bytes)
    return "done"
  }

  sync(file: DiskFile): Verdict {
    if (this.isDead) return "failed"
    const verdict = this.onSync?.() ?? "done"
    if (verdict === "done") file.sync()
    return verdict
  }

  /** What a killed process has written stays, for the next power loss as unsafe as before. */
  losePower(): void {
    for (const [name, file] of this.files) {
      file.losePower(this.#chance)
      if (!file.isNameDurable && this.#chance() < 0.5) this.files.delete(name)
    }
  }

  /** How long a group of writes takes it, in milliseconds: most are quick, a few are not. */
  latency(): number {
    return this.#chance() < 0.002 ? 1500 : between(this.#chance, 0.1, 3)
  }
}
