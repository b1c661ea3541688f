/**
 * Whether what is committed can be found again: the file stands where it was opened, and so does its log.
 *
 * A file that was deleted, renamed or replaced is written to as before, and nobody finds what was written. Two looks at
 * the folder for each group of commits (4 µs, where a commit takes a hundred times as much) tell.
 */
import { statSync } from "node:fs"
import type { Fault } from "../rows/Commands.ts"

/** Says what is wrong with where the database stands; `undefined` while nothing is. */
export type Standing = () => Fault | undefined

/** Remembers where a database stands now. */
export const of = (file: string): Standing => {
  const parts = [file, `${file}-wal`].map((path) => ({ path, place: placeOf(path) }))
  return () => (parts.every(({ path, place }) => placeOf(path) === place) ? undefined : moved)
}

const placeOf = (path: string): string | undefined => {
  const found = statSync(path, { throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}

const moved: Fault = {
  kind: "lost",
  detail: "its file was deleted, renamed or replaced while the dam ran; put it back, or stop the dam and start it anew",
  local: false
}

/** What the former owner finds once another dam has marked the file. */
export const taken: Fault = {
  kind: "lost",
  detail: "another dam has taken its file over; this one must be stopped",
  local: false
}
