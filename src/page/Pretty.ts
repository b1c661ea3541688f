/** JSON with a line for each member. Only white space is changed: a number keeps its digits, a name its double. */

const opens = "{["
const closes = "}]"

const isJson = (text: string): boolean => {
  if (!/^\s*[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Where a string ends that begins here. */
const endOfString = (text: string, from: number): number => {
  let at = from + 1
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1
  return at + 1
}

/** `undefined` for what is no object and no list. */
export const pretty = (text: string): string | undefined => {
  if (!isJson(text)) return undefined
  const parts: Array<string> = []
  let depth = 0
  const line = () => `\n${"  ".repeat(depth)}`
  for (let at = 0; at < text.length; at++) {
    const one = text.charAt(at)
    if (one === '"') {
      const end = endOfString(text, at)
      parts.push(text.slice(at, end))
      at = end - 1
    } else if (opens.includes(one)) {
      const rest = /^\s*/.exec(text.slice(at + 1, at + 1000))?.[0].length ?? 0
      const next = text.charAt(at + 1 + rest)
      if (closes.includes(next) && next !== "") {
        parts.push(one, next)
        at += rest + 1
      } else {
        depth++
        parts.push(one, line())
      }
    } else if (closes.includes(one)) {
      depth--
      parts.push(line(), one)
    } else if (one === ",") parts.push(one, line())
    else if (one === ":") parts.push(": ")
    else if (!/\s/.test(one)) parts.push(one)
  }
  return parts.join("")
}

/** Pieces of about this length, which end where a line does: a browser lays out those that are looked at. */
export const pieces = (text: string, length: number): ReadonlyArray<string> => {
  const all: Array<string> = []
  for (let from = 0; from < text.length;) {
    const line = text.indexOf("\n", from + length)
    const to = line === -1 || line > from + 2 * length ? from + length : line + 1
    all.push(text.slice(from, to))
    from = to
  }
  return all
}
