/** What can be done with a job, and what came of it. */
import { useState } from "preact/hooks"
import { JobView, Receipt } from "../dam/api/JobShapes.ts"
import type { Job } from "./Api.ts"
import { asCurl, asStep } from "./CopyAs.ts"
import { Copy } from "./Copy.tsx"
import { ranAgain } from "./Family.tsx"
import { jobHref, plainUrl } from "./Format.ts"
import { useAnswered } from "./Hooks.ts"
import { Failed } from "./Parts.tsx"

export const ended = ["succeeded", "failed", "cancelled"]
const waiting = ["scheduled", "parked"]

/** What came of it, and the job that it is about where that is another one. */
interface Done {
  readonly said: string
  readonly job?: string
}

export const JobActions = ({ again, job }: { readonly job: Job; readonly again: () => void }) => {
  const [done, setDone] = useState<Done>()
  const path = `/api/v1/jobs/${encodeURIComponent(job.job_id)}`
  const rerun = useAnswered(Receipt, ({ job_id: made }) => {
    setDone({ said: "It runs again as ", job: made })
    ranAgain()
  })
  const steer = useAnswered(JobView, ({ status }) => {
    setDone({ said: status === "cancelled" ? "It was cancelled." : `It goes at once: it is ${status}.` })
    again()
  })
  const busy = rerun.busy || steer.busy
  const call = `${job.method} ${plainUrl(job.url).slice(0, 200)}`
  const sure = (question: string, then: () => unknown) => {
    setDone(undefined)
    if (confirm(`${question}\n\n${call}`)) void then()
  }
  return (
    <>
      <p class="actions">
        {ended.includes(job.status) ? (
          <>
            <button
              aria-disabled={busy}
              onClick={() => sure("Run this call again, as a new job?", () => rerun.act(`${path}/rerun`))}
            >
              Run again as a new job
            </button>
            <a class="button" href={`#/submit?from=${encodeURIComponent(job.job_id)}`}>
              Edit and run again
            </a>
          </>
        ) : (
          <button
            class="danger"
            aria-disabled={busy}
            onClick={() => sure("Cancel this job? It will not be called any more.", () => steer.act(`${path}/cancel`))}
          >
            Cancel
          </button>
        )}
        {waiting.includes(job.status) && (
          <button aria-disabled={busy} onClick={() => void steer.act(`${path}/run-now`)}>
            Run now
          </button>
        )}
        <Copy name="Copy as curl" text={() => asCurl(job)} />
        <Copy name="Copy as a step" text={() => asStep(job)} />
      </p>
      <p class="done" role="status">
        {done?.said}
        {done?.job !== undefined && <a href={jobHref(done.job)}>{done.job}</a>}
      </p>
      <Failed problem={rerun.problem ?? steer.problem} />
    </>
  )
}
