/** A simulated file is not moved. Stands in the place of `src/dam/sqlite/Standing.ts` (`Seams.ts`). */
export const of = () => () => undefined

export const taken = {
  kind: "lost",
  detail: "another dam has taken its file over; this one must be stopped",
  local: false
}
