/** Where a database stands: on the simulated disk, or for comparison in a folder of this machine, as Node's SQLite has it. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface Place {
  readonly path: () => string
  /** The process that had it open is dead: the next one finds what it has written. */
  readonly leave: () => void
  readonly remove: () => void
}

export const simulated = (diskName: string): Place => ({
  path: () => `/${diskName}/jobs.db`,
  leave: () => undefined,
  remove: () => undefined
})

/** A process that lives on cannot let a file go as a dead one does, so each one has a copy of the one before. */
export const real = (): Place => {
  const folder = mkdtempSync(join(tmpdir(), "simulated-"))
  let count = 0
  const path = () => join(folder, `${count}.db`)
  return {
    path,
    leave: () => {
      const before = path()
      count++
      for (const part of ["", "-wal"]) {
        if (existsSync(`${before}${part}`)) copyFileSync(`${before}${part}`, `${path()}${part}`)
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
