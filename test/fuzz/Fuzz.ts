/**
 * Throws made-up input at a door, and sees to it that each is answered as is said of the door, in under a second.
 *
 * What is answered in a way that was not seen before is kept and changed further, so the inputs go on to wherever an answer
 * shows that there is something behind.
 */
import { below, chanceOf } from "../simulation/Chance.ts"
import { type Door, wrong, wrongIn } from "./Door.ts"
import { mutated } from "./Mutator.ts"

/** What came of it. */
export interface Report {
  readonly door: string
  readonly inputs: number
  /** How often each answer was given. */
  readonly answers: ReadonlyMap<string, number>
  /** The longest that one took, in milliseconds. */
  readonly slowest: number
  readonly findings: ReadonlyArray<Finding>
}

/** An input that was not answered as it should be, as small as it could be made. */
export interface Finding {
  readonly problem: string
  readonly input: string
}

/** How long it is tried: so many inputs, or so many milliseconds. */
export interface Effort {
  readonly seed: number
  readonly inputs?: number | undefined
  readonly millis?: number | undefined
}

const tooSlow = 1000
const keptAtMost = 2000
const findingsAtMost = 5

/** Tries a door. */
export const fuzz = (door: Door, { inputs = Number.POSITIVE_INFINITY, millis, seed }: Effort): Report => {
  const chance = chanceOf(seed, door.name)
  const until = millis === undefined ? Number.POSITIVE_INFINITY : performance.now() + millis
  const kept = [...door.seeds]
  const answers = new Map<string, number>()
  const findings = new Map<string, Finding>()
  let slowest = 0
  let tried = 0
  while (tried < inputs && findings.size < findingsAtMost && (millis === undefined || performance.now() < until)) {
    const from = kept[below(chance, kept.length)] ?? ""
    const input = tried < door.seeds.length ? (door.seeds[tried] ?? "") : mutated(chance, from, kept, door.words)
    const { answer, took } = ask(door, input)
    tried++
    slowest = Math.max(slowest, took)
    const problem = problemOf(answer, took)
    if (problem !== undefined) {
      const first = findings.get(problem)
      if (first === undefined) findings.set(problem, { problem, input: smaller(door, input, problem) })
      continue
    }
    const count = answers.get(answer) ?? 0
    answers.set(answer, count + 1)
    if (count === 0 && kept.length < keptAtMost) kept.push(input)
  }
  return { door: door.name, inputs: tried, answers, slowest, findings: [...findings.values()] }
}

const ask = (door: Door, input: string): { readonly answer: string; readonly took: number } => {
  const start = performance.now()
  let answer: string
  try {
    answer = door.open(input)
  } catch (error) {
    answer = wrong(`thrown: ${error instanceof Error ? `${error.name}: ${error.message.slice(0, 120)}` : typeof error}`)
  }
  return { answer, took: performance.now() - start }
}

const problemOf = (answer: string, took: number): string | undefined => {
  return wrongIn(answer) ?? (took > tooSlow ? "takes more than a second" : undefined)
}

/** The same finding with less: pieces are left out as long as it stays one. */
const smaller = (door: Door, input: string, problem: string): string => {
  let text = input
  let left = 400
  for (let size = Math.ceil(text.length / 2); size > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < text.length && left > 0;) {
      const less = text.slice(0, at) + text.slice(at + size)
      const { answer, took } = ask(door, less)
      left--
      if (problemOf(answer, took) === problem) text = less
      else at += size
    }
  }
  return text
}
