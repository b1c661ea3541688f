/** What is done with all jobs of a list at once: into a file, cancelled, or run again, with how many and how far it is. */
import { useEffect, useRef, useState } from "preact/hooks"
import { type Problem, problemOf } from "./Api.ts"
import { count } from "./Format.ts"
import { ended } from "./JobActions.tsx"
import type { Wanted } from "./JobQuery.ts"
import { doAll, find, formats, type Progress, save, type Verb } from "./ManyJobs.ts"
import { takes, usePace } from "./Pace.tsx"
import { Failed } from "./Parts.tsx"

/** More than these are for the command line. */
const mostDone = 10_000
const mostExported = 100_000

const verbs: Readonly<Record<Verb, { readonly ask: string; readonly means: string; readonly done: string }>> = {
  cancel: { ask: "Cancel", means: "They will not be called any more.", done: "cancelled" },
  rerun: { ask: "Run again", means: "Each becomes a new job.", done: "run again" }
}

/** One thing at a time, which can be stopped, and is when the page is left. */
const useUnderWay = () => {
  const [progress, setProgress] = useState<Progress>()
  const [said, setSaid] = useState("")
  const [problem, setProblem] = useState<Problem>()
  const running = useRef<AbortController>(undefined)
  useEffect(() => () => running.current?.abort(), [])
  const start = async (act: (signal: AbortSignal) => Promise<string>) => {
    if (running.current !== undefined) return
    const controller = new AbortController()
    running.current = controller
    setSaid("")
    setProblem(undefined)
    try {
      setSaid(await act(controller.signal))
    } catch (cause) {
      if (controller.signal.aborted) setSaid("It was stopped.")
      else setProblem(problemOf(cause))
    } finally {
      running.current = undefined
      setProgress(undefined)
    }
  }
  return { progress, said, problem, start, setProgress, stop: () => running.current?.abort() }
}

export const AllThatFit = ({ wanted }: { readonly wanted: Wanted }) => {
  const pace = usePace()
  const { problem, progress, said, setProgress, start, stop } = useUnderWay()
  const isBusy = progress !== undefined
  const exported = (format: string) =>
    start(async (signal) => {
      setProgress({ done: 0, total: undefined, refused: 0 })
      const { isWhole, jobs } = await find(wanted, mostExported, { signal, onProgress: setProgress })
      save(`jobs.${format}`, formats[format]?.(jobs) ?? "")
      return `${count(jobs.length)} jobs are in jobs.${format}${isWhole ? "." : "; there are more: ezthrottle jobs export writes them all."}`
    })
  const done = (verb: Verb) =>
    start(async (signal) => {
      setProgress({ done: 0, total: undefined, refused: 0 })
      const { rps } = pace
      const found = await find(wanted, mostDone, { signal, onProgress: setProgress })
      const jobs = found.jobs.filter(({ status }) => ended.includes(status) === (verb === "rerun"))
      if (jobs.length === 0) return `None of the ${count(found.jobs.length)} jobs that fit can be ${verbs[verb].done}.`
      const many = `${count(jobs.length)} ${jobs.length === 1 ? "job" : "jobs"}`
      const more = found.isWhole ? "" : ` Of the first ${count(mostDone)} that fit.`
      if (!confirm(`${verbs[verb].ask} ${many}? ${verbs[verb].means}${more}\n\n${takes(jobs.length, rps)}`))
        return "Nothing was done."
      setProgress({ done: 0, total: jobs.length, refused: 0 })
      const { done, refused } = await doAll(jobs, { verb, rps, signal, onProgress: setProgress })
      return `${count(done - refused)} ${verbs[verb].done}${refused === 0 ? "." : `, ${count(refused)} could not be.`}`
    })
  return (
    <details>
      <summary>All that fit</summary>
      <p class="actions">
        <button aria-disabled={isBusy} onClick={() => void exported("csv")}>
          Export as CSV
        </button>
        <button aria-disabled={isBusy} onClick={() => void exported("ndjson")}>
          Export as JSON lines
        </button>
        <button aria-disabled={isBusy} onClick={() => void done("rerun")}>
          Run all again …
        </button>
        <button class="danger" aria-disabled={isBusy} onClick={() => void done("cancel")}>
          Cancel all …
        </button>
        {pace.field}
      </p>
      {progress !== undefined && <HowFar {...progress} onStop={stop} />}
      <p class="done" role="status">
        {said}
      </p>
      <Failed problem={problem} />
    </details>
  )
}

const HowFar = ({ done, onStop, refused, total }: Progress & { readonly onStop: () => void }) => (
  <p class="actions">
    <progress aria-label="How far it is" value={total === undefined ? undefined : done} max={total} />
    <span>
      {total === undefined ? `${count(done)} found …` : `${count(done)} of ${count(total)}`}
      {refused > 0 && `, ${count(refused)} could not be done`}
    </span>
    <button onClick={onStop}>Stop</button>
  </p>
)
