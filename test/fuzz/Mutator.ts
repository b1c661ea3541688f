/** Inputs made of others: what is changed, and how much, is drawn from a seed. */
import { below, type Chance, oneOf } from "../simulation/Chance.ts"

/** Bytes that a reader may stumble over, whatever it reads. */
const awkward: ReadonlyArray<string> = [
  ["", " ", "\t", "\r\n", "\n", "\0", "\u007f", "\u00ff", "\u00c3", "\u00ed\u00a0\u0080", "\u00ef\u00bb\u00bf"],
  '-1 0 1e999 -0 9007199254740993 1.5 NaN null true [] {} "" \\u0000 \\ud800'.split(" "),
  '{ } [ ] " \\ : , ; = / * % %00 & # | << .. __proto__'.split(" ")
].flat()

type Change = (chance: Chance, input: string, others: ReadonlyArray<string>, words: ReadonlyArray<string>) => string

const put = (input: string, from: number, to: number, text: string): string =>
  input.slice(0, from) + text + input.slice(to)

/** A piece, as long as a word or as all there is. */
const span = (chance: Chance, { length }: string): readonly [from: number, to: number] => {
  const from = below(chance, length + 1)
  return [from, Math.min(length, from + below(chance, chance() < 0.8 ? 8 : length + 1))]
}

const changes: readonly [Change, ...ReadonlyArray<Change>] = [
  (chance, input) => {
    const at = below(chance, input.length)
    return put(input, at, at + 1, String.fromCharCode(input.charCodeAt(at) ^ (1 << below(chance, 8))))
  },
  (chance, input) => put(input, ...span(chance, input), ""),
  (chance, input) => put(input, ...span(chance, input), pick(chance, awkward)),
  (chance, input, _, words) => put(input, ...span(chance, input), pick(chance, words)),
  (chance, input) => {
    const piece = input.slice(...span(chance, input))
    const at = below(chance, input.length + 1)
    return put(input, at, at, piece.repeat(1 + below(chance, chance() < 0.95 ? 3 : 200)))
  },
  // a number of another size
  (chance, input) => {
    const numbers = [...input.matchAll(/\d+/g)]
    if (numbers.length === 0) return input
    const found = numbers[below(chance, numbers.length)]
    const size = oneOf(chance, ["0", "1", "59", "60", "86400", "2147483648", "8640000000000001", "1".repeat(30)])
    return found === undefined ? input : put(input, found.index, found.index + found[0].length, size)
  },
  (chance, input, others) => {
    const other = pick(chance, others)
    return input.slice(0, below(chance, input.length + 1)) + other.slice(below(chance, other.length + 1))
  },
  (chance, input, others) => put(input, ...span(chance, input), pick(chance, others)),
  (chance, input) => {
    const [first, second] = [below(chance, input.length), below(chance, input.length)]
    const [from, to] = first < second ? [first, second] : [second, first]
    return put(put(input, to, to + 1, input[from] ?? ""), from, from + 1, input[to] ?? "")
  }
]

const pick = (chance: Chance, texts: ReadonlyArray<string>): string => texts[below(chance, texts.length)] ?? ""

/** What an input may become at most, in bytes. */
const longest = 65_536

/**
 * Changes an input once or several times. `others` are inputs to take pieces of, `words` those that mean something where it
 * goes. A character is a byte.
 */
export const mutated = (
  chance: Chance,
  input: string,
  others: ReadonlyArray<string>,
  words: ReadonlyArray<string>
): string => {
  let text = input
  const times = 1 + below(chance, 1 + below(chance, 6))
  for (let n = 0; n < times; n++) text = oneOf(chance, changes)(chance, text, others, words).slice(0, longest)
  return text
}
