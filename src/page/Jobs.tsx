/** Jobs, filtered. */
import { useState } from "preact/hooks"
import { type Jobs as Page, query } from "./Api.ts"
import { laneHref, plainUrl } from "./Format.ts"
import { useAsked } from "./Hooks.ts"
import { Cell, Failed, Nothing, State, Table, Time } from "./Parts.tsx"

const states = ["scheduled", "queued", "running", "parked", "succeeded", "failed", "cancelled"]

const deliveries = ["none", "pending", "delivered", "undelivered"]

const names = ["status", "delivery_status", "lane", "metadata", "cursor"] as const

export const Jobs = ({ parameters }: { readonly parameters: URLSearchParams }) => {
  const given = Object.fromEntries(names.map((name) => [name, parameters.get(name) ?? ""]))
  const [lane, setLane] = useState(given["lane"] ?? "")
  const [metadata, setMetadata] = useState(given["metadata"] ?? "")
  const { problem, value } = useAsked<Page>(`/api/v1/jobs${query({ ...given, limit: 50 })}`, "jobs", "deliveries")
  const go = (changed: Readonly<Record<string, string>>) => {
    location.hash = `/jobs${query({ ...given, lane, metadata, cursor: "", ...changed })}`
  }
  return (
    <section aria-labelledby="jobs-title">
      <h1 id="jobs-title" tabIndex={-1}>
        Jobs
      </h1>
      <form
        class="filters"
        role="search"
        aria-label="Filter jobs"
        onSubmit={(event) => {
          event.preventDefault()
          go({})
        }}
      >
        <label>
          State
          <select value={given["status"]} onChange={(event) => go({ status: event.currentTarget.value })}>
            <option value="">all</option>
            {states.map((state) => (
              <option key={state} value={state}>
                {state}
              </option>
            ))}
          </select>
        </label>
        <label>
          Webhooks
          <select
            value={given["delivery_status"]}
            onChange={(event) => go({ delivery_status: event.currentTarget.value })}
          >
            <option value="">all</option>
            {deliveries.map((state) => (
              <option key={state} value={state}>
                {state}
              </option>
            ))}
          </select>
        </label>
        <label>
          Lane
          <input
            value={lane}
            placeholder="api.example.com:443"
            onInput={(event) => setLane(event.currentTarget.value)}
          />
        </label>
        <label>
          Metadata
          <input
            value={metadata}
            placeholder="name:value"
            onInput={(event) => setMetadata(event.currentTarget.value)}
          />
        </label>
        <button type="submit">Filter</button>
      </form>
      <Failed problem={problem} />
      {value === undefined || value.jobs.length === 0 ? (
        problem === undefined && <Nothing loading={value === undefined}>No job fits.</Nothing>
      ) : (
        <Table
          caption="Jobs, the newest first"
          columns={["State", "Call", "Lane", "Attempts", "Answer", "Webhooks", "Accepted"]}
        >
          {value.jobs.map((job) => (
            <tr key={job.job_id}>
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
