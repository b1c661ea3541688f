/**
 * What a process wrote, as strace saw it, and disks as a loss of power may have left them: everything that was synced, and
 * of what was written since then any sectors, or none.
 */
import { readFileSync } from "node:fs"

export type Op =
  | { readonly kind: "write"; readonly file: string; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: "truncate"; readonly file: string; readonly size: number }
  | { readonly kind: "sync"; readonly file: string }
  /** Sent to whoever is connected. */
  | { readonly kind: "sent"; readonly text: string }

/** What strace is told: paths with every descriptor, everything that is text in hexadecimal digits, nothing cut short. */
export const command = (out: string): ReadonlyArray<string> => [
  "strace",
  // the process itself stays the child
  "-D",
  "-f",
  "-xx",
  "-y",
  "-s",
  "1000000",
  "-o",
  out,
  "-e",
  "trace=pwrite64,write,writev,fsync,fdatasync,ftruncate"
]

/** Reads a trace, in the order in which things were done. A write counts from its begin, a sync from its end. */
export const read = (path: string): ReadonlyArray<Op> => {
  const ops: Array<Op> = []
  const syncing = new Map<string, string>()
  for (const line of readFileSync(path, "latin1").split("\n")) {
    const resumed = /^(\d+) +<\.\.\. (?:fsync|fdatasync) resumed>\) += 0$/.exec(line)
    if (resumed !== null) {
      const file = syncing.get(resumed[1] ?? "")
      if (file !== undefined) ops.push({ kind: "sync", file })
      continue
    }
    const call = /^(\d+) +(\w+)\(\d+<([^>]*)>(.*)$/.exec(line)
    if (call === null) continue
    const [, thread = "", name = "", target = "", rest = ""] = call
    const file = textOf(target).toString()
    if (name === "fsync" || name === "fdatasync") {
      if (rest.includes("<unfinished")) syncing.set(thread, file)
      else if (rest.endsWith("= 0")) ops.push({ kind: "sync", file })
    } else if (name === "ftruncate") {
      ops.push({ kind: "truncate", file, size: Number(/^, (\d+)/.exec(rest)?.[1]) })
    } else if (name === "pwrite64") {
      const [, data = "", , at = ""] = /^, "([^"]*)", (\d+), (\d+)/.exec(rest) ?? []
      ops.push({ kind: "write", file, at: Number(at), bytes: textOf(data) })
    } else if (file.startsWith("socket:")) {
      const texts = Array.from(rest.matchAll(/"([^"]*)"/g), ([, data = ""]) => textOf(data).toString("latin1"))
      ops.push({ kind: "sent", text: texts.join("") })
    }
  }
  return ops
}

const textOf = (escaped: string): Buffer => Buffer.from(escaped.replaceAll("\\x", ""), "hex")

/** How much of a disk is written at once, in bytes. */
const sector = 512

/** What the files held after these steps, where power was lost then; `keeps` says of each sector whether it had arrived. */
export const after = (ops: ReadonlyArray<Op>, keeps: () => boolean): ReadonlyMap<string, Buffer> => {
  const files = new Map<string, Contents>()
  for (const op of ops) {
    if (op.kind === "sent") continue
    const file = files.get(op.file) ?? { bytes: Buffer.alloc(0), size: 0, since: [] }
    files.set(op.file, file)
    if (op.kind !== "sync") {
      file.since.push(op)
      continue
    }
    for (const done of file.since) apply(file, done)
    file.since = []
  }
  for (const file of files.values()) {
    for (const op of file.since) {
      for (const part of op.kind === "write" ? sectorsOf(op) : [op]) if (keeps()) apply(file, part)
    }
  }
  return new Map(Array.from(files, ([name, { bytes, size }]) => [name, bytes.subarray(0, size)]))
}

interface Contents {
  bytes: Buffer
  size: number
  /** What was done since it was synced. */
  since: Array<Op>
}

const sectorsOf = (op: Extract<Op, { readonly kind: "write" }>): ReadonlyArray<Op> => {
  const parts: Array<Op> = []
  let from = 0
  while (from < op.bytes.length) {
    const to = Math.min(op.bytes.length, from + sector - ((op.at + from) % sector))
    parts.push({ ...op, at: op.at + from, bytes: op.bytes.subarray(from, to) })
    from = to
  }
  return parts
}

const apply = (file: Contents, op: Op): void => {
  if (op.kind === "truncate") {
    if (op.size < file.size) file.bytes.fill(0, op.size, file.size)
    grow(file, op.size)
    file.size = op.size
  } else if (op.kind === "write") {
    const end = op.at + op.bytes.length
    grow(file, end)
    file.bytes.set(op.bytes, op.at)
    file.size = Math.max(file.size, end)
  }
}

const grow = (file: Contents, size: number): void => {
  if (size > file.bytes.length) file.bytes = Buffer.concat([file.bytes, Buffer.alloc(2 * size - file.bytes.length)])
}
