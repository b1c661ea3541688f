/** What processes and all that came of them have used, as Linux tells it. */
import { readdirSync, readFileSync } from "node:fs"

interface Stat {
  readonly pid: number
  readonly parent: number
  readonly ticks: number
}

/** Linux counts processor time in hundredths of a second. */
const microsOfTick = 10_000

const read = (path: string) => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    // it has ended meanwhile
    return undefined
  }
}

const stats = (): ReadonlyArray<Stat> =>
  readdirSync("/proc").flatMap((pid) => {
    const stat = /^\d+$/.test(pid) ? read(`/proc/${pid}/stat`) : undefined
    if (stat === undefined) return []
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number)
    // own, kernel, and both of the children that have ended
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + each, 0)
    return [{ pid: Number(pid), parent: fields[1] ?? 0, ticks }]
  })

const treeOf = (roots: ReadonlyArray<number>): ReadonlyArray<Stat> => {
  const all = stats()
  const within = new Set(roots)
  for (let before = 0; before < within.size;) {
    before = within.size
    for (const { parent, pid } of all) if (within.has(parent)) within.add(pid)
  }
  return all.filter(({ pid }) => within.has(pid))
}

/** Microseconds of processor time of these processes and their children. */
export const microsOf = (roots: ReadonlyArray<number>): number =>
  treeOf(roots).reduce((sum, { ticks }) => sum + ticks, 0) * microsOfTick

/** Mebibytes that they hold now; what they share counts once. */
const mebibytesOf = (roots: ReadonlyArray<number>): number =>
  treeOf(roots).reduce((sum, { pid }) => {
    const [, kibibytes = "0"] = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "") ?? []
    return sum + Number(kibibytes) / 1024
  }, 0)

/** Looks at their memory until it is asked for the most there was. */
export const watchMemory = (roots: ReadonlyArray<number>): (() => number) => {
  let most = mebibytesOf(roots)
  const look = () => void (most = Math.max(most, mebibytesOf(roots)))
  const timer = setInterval(look, 500)
  return () => {
    clearInterval(timer)
    look()
    return most
  }
}
