/** What of jobs that are sorted by a moment is past. */

/** Those that are past by a column they are sorted by, and when the next is. */
export const pastIn = (
  rows: ReadonlyArray<Readonly<Record<string, unknown>>>,
  column: string,
  { limit, now }: { readonly now: number; readonly limit: number }
) => {
  const past = rows.slice(0, limit).filter((row) => Number(row[column]) <= now)
  const after = rows[past.length]?.[column]
  return { ids: past.map(({ id }) => String(id)), nextAt: typeof after === "number" ? after : Infinity }
}
