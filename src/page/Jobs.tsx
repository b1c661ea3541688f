/** Jobs, filtered. */
import { useState } from "preact/hooks"
import { JobPage } from "../dam/api/JobShapes.ts"
import { type JobSummary, query } from "./Api.ts"
import { Choice, Filters, Typed } from "./Filters.tsx"
import { laneHref, plainUrl } from "./Format.ts"
import { useAsked } from "./Hooks.ts"
import { Cell, Failed, Nothing, State, Table, Time } from "./Parts.tsx"

/** None at all, or one of these. */
const choices = (names: ReadonlyArray<string>): Readonly<Record<string, string>> => ({
  "": "all",
  ...Object.fromEntries(names.map((name) => [name, name]))
})

const states = choices(["scheduled", "queued", "running", "parked", "succeeded", "failed", "cancelled"])

const deliveries = choices(["none", "pending", "delivered", "undelivered"])

const names = ["status", "delivery_status", "lane", "metadata", "cursor"] as const

export const Jobs = ({ parameters }: { readonly parameters: URLSearchParams }) => {
  const given = Object.fromEntries(names.map((name) => [name, parameters.get(name) ?? ""]))
  const [lane, setLane] = useState(given["lane"] ?? "")
  const [metadata, setMetadata] = useState(given["metadata"] ?? "")
  const { problem, value } = useAsked(JobPage, `/api/v1/jobs${query({ ...given, limit: 50 })}`, "jobs", "deliveries")
  const go = (changed: Readonly<Record<string, string>>) => {
    location.hash = `/jobs${query({ ...given, lane, metadata, cursor: "", ...changed })}`
  }
  return (
    <section aria-labelledby="jobs-title">
      <h1 id="jobs-title" tabIndex={-1}>
        Jobs
      </h1>
      <Filters label="Filter jobs" onAsk={() => go({})}>
        <Choice name="State" value={given["status"]} options={states} onChoose={(status) => go({ status })} />
        <Choice
          name="Webhooks"
          value={given["delivery_status"]}
          options={deliveries}
          onChoose={(status) => go({ delivery_status: status })}
        />
        <Typed name="Lane" value={lane} placeholder="api.example.com:443" onType={setLane} />
        <Typed name="Metadata" value={metadata} placeholder="name:value" onType={setMetadata} />
        <button type="submit">Filter</button>
      </Filters>
      <Failed problem={problem} />
      {value === undefined || value.jobs.length === 0 ? (
        problem === undefined && <Nothing loading={value === undefined}>No job fits.</Nothing>
      ) : (
        <Table
          caption="Jobs, the newest first"
          columns={["State", "Call", "Lane", "Attempts", "Answer", "Webhooks", "Accepted"]}
        >
          {value.jobs.map((job) => (
            <Row key={job.job_id} job={job} />
          ))}
        </Table>
      )}
      <nav class="pages" aria-label="Pages of jobs">
        {given["cursor"] !== "" && <button onClick={() => go({})}>First page</button>}
        {typeof value?.cursor === "string" && (
          <button onClick={() => go({ cursor: value.cursor ?? "" })}>Older jobs</button>
        )}
      </nav>
    </section>
  )
}

const Row = ({ job }: { readonly job: JobSummary }) => (
  <tr>
    <Cell name="State">
      <State name={job.status} />
    </Cell>
    <Cell name="Call" wide>
      <a href={`#/jobs/${job.job_id}`}>
        {job.method} {plainUrl(job.url)}
      </a>
    </Cell>
    <Cell name="Lane" wide>
      <a href={laneHref(job.lane)}>{job.lane}</a>
    </Cell>
    <Cell name="Attempts">{job.attempts_made}</Cell>
    <Cell name="Answer">{job.response_status ?? "–"}</Cell>
    <Cell name="Webhooks">{job.delivery_status}</Cell>
    <Cell name="Accepted">
      <Time at={job.created_at} />
    </Cell>
  </tr>
)
