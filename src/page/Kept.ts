/** What this browser remembers between visits; where it does not want to, nothing. */
import { useState } from "preact/hooks"

const prefix = "ezthrottle "

const read = (name: string): string => {
  try {
    return localStorage.getItem(prefix + name) ?? ""
  } catch {
    return ""
  }
}

const write = (name: string, value: string): void => {
  try {
    if (value === "") localStorage.removeItem(prefix + name)
    else localStorage.setItem(prefix + name, value)
  } catch {
    // it holds until the page is closed
  }
}

/** A text that is kept under a name; the empty one is none. */
export const useKept = (name: string): readonly [string, (value: string) => void] => {
  const [value, setValue] = useState(() => read(name))
  return [
    value,
    (next) => {
      write(name, next)
      setValue(next)
    }
  ]
}
