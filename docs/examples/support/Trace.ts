/** How an attempt reads in one row. */
import type { Failure, History, Observer, Step } from "ezthrottle-effect"
import type { Row } from "./Printer.ts"

/** The row of an attempt that has ended; `service` is who takes steps over. */
export const rowOf = (
  { attempt, step }: Extract<Observer.Event, { readonly _tag: "Ended" }>,
  service: string
): Row => ({
  kind: attempt.kind === "start" ? (attempt.path === 0 ? "call" : "fallback") : attempt.kind,
  what: target(step),
  place: attempt.kind === "forward" ? service : attempt.region,
  result: resultOf(attempt),
  took: attempt.latency,
  note: [pauseOf(attempt), detailOf(attempt)].filter((said) => said !== "").join(", ")
})

/** Keeps a line that says what is under way. */
export const waitingFor = (show: (text: string) => void): ((event: Observer.Event) => void) => {
  const open: Array<{ readonly what: string; readonly region: string | undefined }> = []
  return ({ _tag, attempt: { region }, step }) => {
    const what = target(step)
    if (_tag === "Started") open.push({ what, region })
    else
      open.splice(
        open.findIndex((other) => other.what === what && other.region === region),
        1
      )
    const regions = open.flatMap((other) => other.region ?? [])
    const targets = [...new Set(open.map((other) => other.what))]
    show(`… ${targets.join(", ")}${regions.length === 0 ? "" : ` in ${regions.join(", ")}`}`)
  }
}

const pauseOf = ({ pause }: History.Attempt): string => (pause > 0 ? `after a pause of ${Math.round(pause)} ms` : "")

const detailOf = ({ ending }: History.Attempt): string => {
  if (ending._tag === "Answered") {
    return ending.retryAfter === undefined ? "" : `Retry-After: ${ending.retryAfter / 1000} s`
  }
  if (ending._tag === "Interrupted") return ""
  const { failure } = ending
  return failure._tag === "ConnectionFailed"
    ? "no connection"
    : failure._tag === "JobRefused"
      ? `status ${failure.status}`
      : failure.message
}

const target = ({ request }: Step.Step): string => `${request.method} ${new URL(request.url).pathname}`

const resultOf = ({ ending, kind }: History.Attempt): string => {
  switch (ending._tag) {
    case "Answered":
      return kind !== "forward" ? String(ending.status) : ending.status === 200 ? "known" : "accepted"
    case "Failed":
      return failedAs(ending.failure)
    case "Interrupted":
      return "interrupted"
  }
}

const failedAs = (failure: Failure.Failure): string => {
  switch (failure._tag) {
    case "ConnectionFailed":
      return failure.kind
    case "JobRefused":
    case "ServiceDenied":
      return "refused"
    default:
      return "no answer"
  }
}

/** The statuses of a history, in order. */
export const statuses = (history: History.History): ReadonlyArray<number> =>
  history.flatMap(({ ending }) => (ending._tag === "Answered" ? [ending.status] : []))
