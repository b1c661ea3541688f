/** Lists jobs by what a caller filters on, and counts them. */
import type { DatabaseSync } from "node:sqlite"
import type { JobCommands, Listing, LoadedJob } from "../rows/Commands.ts"
import { looker } from "./Look.ts"
import type { TextIndex } from "./TextIndex.ts"
import { walkOf } from "./Walk.ts"

/** Payloads of one page; a page of large jobs ends early, so that nobody has to hold 200 of them. */
const pageBytes = 8 * 1024 * 1024

/** So many are counted; whoever reads more does not count them. */
const countAtMost = 10_000

/** What listing needs. */
export interface Lists {
  readonly db: DatabaseSync
  readonly texts: TextIndex | undefined
  /** Reads one job whole. */
  readonly load: (seq: number) => LoadedJob
}

/** Makes the commands. */
export const listCommand = (self: Lists): Pick<JobCommands, "list" | "count"> => ({
  list: (filter) => {
    const { found, stoppedAt } = search(self, filter, filter.limit + 1)
    const jobs: Array<LoadedJob> = []
    let bytes = 0
    for (const seq of found.slice(0, filter.limit)) {
      if (bytes > pageBytes) break
      const job = self.load(seq)
      bytes += sizeOf(job)
      jobs.push(job)
    }
    return { jobs, next: jobs.length < found.length ? found[jobs.length - 1] : stoppedAt }
  },
  count: (filter) => {
    const { found, stoppedAt } = search(self, filter, countAtMost + 1)
    const jobs = Math.min(found.length, countAtMost)
    return { jobs, isExact: stoppedAt === undefined && jobs === found.length }
  }
})

interface Found {
  readonly found: ReadonlyArray<number>
  /** The job behind which to go on, where it was given up before there were enough. */
  readonly stoppedAt: number | undefined
}

/** The first `most` jobs of a filter, as far as they are found without reading too much. */
const search = ({ db, texts }: Lists, filter: Listing, most: number): Found => {
  const look = looker(db, filter)
  const next = walkOf(db, filter, { portion: look === undefined ? Math.min(most, largePortion) : portion, texts })
  const found: Array<number> = []
  while (found.length < most) {
    const seq = next()
    if (seq === undefined) break
    if (look === undefined || look.fits(seq)) found.push(seq)
    if (look?.isTired() === true && found.length < most) return { found, stoppedAt: seq }
  }
  return { found, stoppedAt: undefined }
}

/** Jobs that are looked at are read so many at a time: most searches end soon. */
const portion = 500

/** Every state is read by itself, so as many are read for each of them. */
const largePortion = 2000

const sizeOf = ({ attempts, job }: LoadedJob): number =>
  [job, ...attempts].flatMap((row) => Object.values(row)).reduce<number>((sum, value) => sum + lengthOf(value), 0)

const lengthOf = (value: unknown): number =>
  typeof value === "string" ? value.length : value instanceof Uint8Array ? value.byteLength : 0
