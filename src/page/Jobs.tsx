/** Jobs, filtered. */
import type { ComponentChildren } from "preact"
import { useMemo } from "preact/hooks"
import { JobPage } from "../dam/api/JobShapes.ts"
import type { JobSummary } from "./Api.ts"
import { count, jobHref, laneHref, millis, now, plainUrl, shortId } from "./Format.ts"
import { useAsked } from "./Hooks.ts"
import { hrefOf, JobFilters } from "./JobFilters.tsx"
import { columns, columnsIn, isNarrowed, orders, pathOf, type Wanted, wantedIn } from "./JobQuery.ts"
import { Cell, Example, Failed, Metadata, Nothing, State, Table, Time } from "./Parts.tsx"

export const Jobs = ({ parameters }: { readonly parameters: URLSearchParams }) => {
  const place = parameters.toString()
  const wanted = useMemo(() => wantedIn(parameters), [place])
  const path = useMemo(() => pathOf(wanted), [wanted])
  const { problem, value } = useAsked(JobPage, path, "jobs", "deliveries")
  const shown = columnsIn(wanted)
  const go = (cursor: string) => {
    location.hash = hrefOf({ ...wanted, cursor })
  }
  return (
    <section aria-labelledby="jobs-title">
      <h1 id="jobs-title" tabIndex={-1}>
        Jobs{wanted.view !== "" && `: ${wanted.view}`}
      </h1>
      <JobFilters wanted={wanted} />
      <Failed problem={problem} />
      {value?.matches !== undefined && <Matches {...value.matches} isNarrowed={isNarrowed(wanted)} />}
      {value === undefined || value.jobs.length === 0 ? (
        problem === undefined && (
          <NoJobs wanted={wanted} loading={value === undefined} isCut={typeof value?.cursor === "string"} />
        )
      ) : (
        <Table
          caption={`Jobs, the ${orders[wanted.sort] ?? orders[""]}`}
          columns={["State", "Call", ...shown.map((name) => columns[name] ?? name)]}
        >
          {value.jobs.map((job) => (
            <Row key={job.job_id} job={job} shown={shown} />
          ))}
        </Table>
      )}
      <nav class="pages" aria-label="Pages of jobs">
        {wanted.cursor !== "" && <button onClick={() => go("")}>First page</button>}
        {typeof value?.cursor === "string" && (
          <button onClick={() => go(value.cursor ?? "")}>{wanted.sort === "oldest" ? "Newer" : "Older"} jobs</button>
        )}
      </nav>
    </section>
  )
}

interface MatchesOptions {
  readonly jobs: number
  /** Whether these are all. */
  readonly is_exact: boolean
  readonly isNarrowed: boolean
}

/** The dam counts no further than matters. */
const Matches = ({ isNarrowed, is_exact: isExact, jobs }: MatchesOptions) => (
  <p class="matches">
    {isExact ? "" : "At least "}
    {count(jobs)} {jobs === 1 ? "job" : "jobs"}
    {isNarrowed && (jobs === 1 ? " fits" : " fit")}
  </p>
)

interface NoJobsOptions {
  readonly wanted: Wanted
  readonly loading: boolean
  /** Whether there are jobs that were not looked at yet. */
  readonly isCut: boolean
}

const NoJobs = ({ isCut, loading, wanted }: NoJobsOptions) => {
  if (loading) return <Nothing loading>{null}</Nothing>
  if (isCut)
    return (
      <Nothing loading={false}>
        No job of those looked at so far fits. {wanted.sort === "oldest" ? "Newer" : "Older"} ones may.
      </Nothing>
    )
  return isNarrowed(wanted) ? (
    <Nothing loading={false}>
      No job fits. <a href="#/jobs">Show all jobs</a>
    </Nothing>
  ) : (
    <Example said="Nobody has submitted a job yet." />
  )
}

/** How long it took from acceptance to its end, or has taken so far. */
const Took = ({ job: { created_at: from, finished_at: to } }: { readonly job: JobSummary }) =>
  to === null ? (
    <span class="faint" title="so far">
      {millis(Math.max(0, now() - from))} …
    </span>
  ) : (
    <>{millis(to - from)}</>
  )

const none = <span class="none">–</span>

/** What stands in each column. */
const said: Readonly<Record<string, (job: JobSummary) => ComponentChildren>> = {
  metadata: ({ metadata }) => <Metadata of={metadata} />,
  lane: ({ lane }) => <a href={laneHref(lane)}>{lane}</a>,
  attempts: (job) => job.attempts_made,
  answer: (job) => job.response_status ?? none,
  webhooks: (job) => (job.delivery_status === "none" ? none : job.delivery_status),
  accepted: (job) => <Time at={job.created_at} />,
  took: (job) => <Took job={job} />
}

const Row = ({ job, shown }: { readonly job: JobSummary; readonly shown: ReadonlyArray<string> }) => (
  <tr>
    <Cell name="State">
      <State name={job.status} />
    </Cell>
    <Cell name="Call" wide>
      <a class="clamped" href={jobHref(job.job_id)} title={plainUrl(job.url)}>
        {job.method} {plainUrl(job.url)}
      </a>
      <code class="faint">{shortId(job.job_id)}</code>
      {job.parent !== null && <small class="faint"> started by {shortId(job.parent.job_id)}</small>}
      {job.rerun_of !== null && <small class="faint"> again, after {shortId(job.rerun_of)}</small>}
    </Cell>
    {shown.map((name) => (
      <Cell key={name} name={columns[name] ?? name}>
        {said[name]?.(job)}
      </Cell>
    ))}
  </tr>
)
