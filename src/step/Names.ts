/** Names of options, checked: a misspelt one would be lost in silence. */

/** Says what is wrong with the first name that is not known, and which one is near. */
export const problemOf = (given: object, known: ReadonlyArray<string>, at = ""): string | undefined => {
  const name = Object.keys(given).find((one) => !known.includes(one))
  if (name === undefined) return undefined
  const near = nearest(name, known)
  return `${at}${name}: is not known here; ${near === undefined ? `expected ${known.join(", ")}` : `did you mean ${near}?`}`
}

/** The one that was probably meant. */
export const nearest = (name: string, known: ReadonlyArray<string>): string | undefined =>
  known
    .map((one) => ({ one, far: distance(plain(name), plain(one)) }))
    .filter(({ far, one }) => far <= Math.min(2, one.length / 3))
    .toSorted((a, b) => a.far - b.far)[0]?.one

/** `api_key`, `API-KEY` and `apikey` are `apiKey` to whoever reads them. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, "")

/** How many letters have to be put in, left out or changed to make one word of the other. */
export const distance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, place) => place)
  for (const [down, letter] of [...from].entries()) {
    const next = [down + 1]
    for (const [across, other] of [...to].entries()) {
      const [left = 0, above = 0, before = 0] = [next[across], row[across + 1], row[across]]
      next.push(Math.min(left + 1, above + 1, before + (letter === other ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
