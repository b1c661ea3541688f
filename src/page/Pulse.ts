/**
 * Whether the dam is there: a feed that is open says nothing while nothing happens, and nothing either when the dam is
 * frozen. After a while of silence the dam is asked; where it does not answer, what is shown is what it said last.
 */
import { Session } from "../dam/api/SystemShapes.ts"
import { ask, Problem } from "./Api.ts"

/** Silence that means nothing, */
const quiet = 5000
/** how often it is looked at, */
const every = 1000
/** and how long an answer may take. */
const patience = 4000

let heardAt = Date.now()
let isSilent = false
let isAsking = false
let told = () => {}

export const silentSince = (): number | undefined => (isSilent ? heardAt : undefined)

const setSilent = (now: boolean): void => {
  if (isSilent === now) return
  isSilent = now
  document.documentElement.classList.toggle("gone", now)
  told()
}

/** Says that the dam is there. */
export const heard = (): void => {
  heardAt = Date.now()
  setSilent(false)
}

/** Asks the dam for the smallest thing there is. */
export const feel = async (): Promise<void> => {
  if (isAsking) return
  isAsking = true
  try {
    await ask(Session, "/session", { signal: AbortSignal.timeout(patience) })
    heard()
  } catch (cause) {
    // an answer, whatever it says, is one
    if (cause instanceof Problem && cause.status !== 0) heard()
    else setSilent(true)
  } finally {
    isAsking = false
  }
}

/** Looks after the dam while the page is looked at. */
export const watch = (onChange: () => void): (() => void) => {
  told = onChange
  const timer = setInterval(() => {
    if (!document.hidden && Date.now() - heardAt > quiet) void feel()
  }, every)
  return () => clearInterval(timer)
}
