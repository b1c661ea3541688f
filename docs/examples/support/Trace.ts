/** How an attempt reads in one row. */
import type { History, Observer, Step } from "ezthrottle-effect"
import type { Row } from "./Printer.ts"

/** The row of an attempt that has ended. */
export const rowOf = ({ attempt, step }: Extract<Observer.Event, { readonly _tag: "Ended" }>): Row => ({
  kind: attempt.kind === "start" ? (attempt.path === 0 ? "call" : "fallback") : attempt.kind,
  what: target(step),
  place: attempt.kind === "forward" ? "EZThrottle" : attempt.region,
  result: resultOf(attempt),
  took: attempt.latency,
  note: [pauseOf(attempt), askedOf(attempt)].filter((said) => said !== "").join(", ")
})

/** Keeps a line that says what is under way. */
export const waitingFor = (show: (text: string) => void): ((event: Observer.Event) => void) => {
  const open = new Set<string>()
  return ({ _tag, attempt, step }) => {
    const name = `${target(step)}${attempt.region === undefined ? "" : ` in ${attempt.region}`}`
    if (_tag === "Started") open.add(name)
    else open.delete(name)
    show(open.size === 0 ? "…" : `… ${[...open].join(", ")}`)
  }
}

const pauseOf = ({ pause }: History.Attempt): string => (pause > 0 ? `after a pause of ${Math.round(pause)} ms` : "")

const askedOf = ({ ending }: History.Attempt): string => {
  if (ending._tag === "Failed")
    return ending.failure._tag === "ConnectionFailed" ? "no connection" : ending.failure.message
  return ending._tag === "Answered" && ending.retryAfter !== undefined
    ? `Retry-After: ${ending.retryAfter / 1000} s`
    : ""
}

const target = ({ request }: Step.Step): string => `${request.method} ${new URL(request.url).pathname}`

const resultOf = ({ ending, kind }: History.Attempt): string => {
  switch (ending._tag) {
    case "Answered":
      return kind !== "forward" ? String(ending.status) : ending.status === 200 ? "known" : "accepted"
    case "Failed":
      return ending.failure._tag === "ConnectionFailed" ? ending.failure.kind : "no answer"
    case "Interrupted":
      return "interrupted"
  }
}

/** The statuses of a history, in order. */
export const statuses = (history: History.History): ReadonlyArray<number> =>
  history.flatMap(({ ending }) => (ending._tag === "Answered" ? [ending.status] : []))
