/** What a door is, and how it says that an answer is none of those that it gives. */

/** A way in. */
export interface Door {
  readonly name: string
  /** Input that others are made of. A character is a byte. */
  readonly seeds: ReadonlyArray<string>
  /** What means something here. */
  readonly words: ReadonlyArray<string>
  /** What became of an input, in a few words. */
  readonly open: (input: string) => string
}

const WRONG = "wrong: "

/** An answer that should not have been given. */
export const wrong = (problem: string): string => WRONG + problem

/** What is wrong with an answer, if anything. */
export const wrongIn = (answer: string): string | undefined =>
  answer.startsWith(WRONG) ? answer.slice(WRONG.length) : undefined
