/** How fast many are done something to at once. */
import { count, millis } from "./Format.ts"
import { useState } from "preact/hooks"

/** What is typed, as a number that is a pace, and the field that it is typed in. */
export const usePace = () => {
  const [typed, setTyped] = useState("10")
  const field = (
    <label class="inline">
      per second
      <input
        type="number"
        min="0.1"
        step="any"
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </label>
  )
  return { rps: Math.max(0.1, Number(typed) || 10), field }
}

/** Says how long so many take. */
export const takes = (many: number, rps: number): string =>
  `${count(rps)} a second, about ${millis((many * 1000) / rps)}.`
