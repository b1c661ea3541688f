/** What is asked for behind a path. */

export type Query = Readonly<Record<string, string | number | ReadonlyArray<string> | undefined>>

/** Its text with the question mark, or none; a list says its name once for each entry. */
export const queryText = (query: Query = {}): string => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one))
  }
  const text = parameters.toString()
  return text === "" ? "" : `?${text}`
}
