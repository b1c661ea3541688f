/** Options as verbs are given them, checked: a misspelt one would be lost in silence. */
import { InvalidStep } from "./InvalidStep.ts"

/** The options as they are, if they have no other names than these. */
export const optionsOf = <A extends object>(
  field: string,
  value: A,
  known: ReadonlyArray<Extract<keyof A, string>>
): A => {
  for (const key of Object.keys(anObject(field, value))) {
    if (!known.some((name) => name === key)) {
      throw new InvalidStep({ field: `${field}.${key}`, problem: `is not known here; expected ${known.join(", ")}` })
    }
  }
  return value
}

/** An object, for whoever writes JavaScript: they get the name of the field too, not a TypeError. */
export const anObject = <A extends object>(field: string, value: A): A => {
  if (typeof value === "object" && value !== null) return value
  throw new InvalidStep({ field, problem: "Expected an object" })
}
