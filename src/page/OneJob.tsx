/** One job: why it waits, what happened to it, what was sent and answered. */
import { Explanation, JobView } from "../dam/api/JobShapes.ts"
import type { Job } from "./Api.ts"
import { away, count, laneHref, plainHeader, plainUrl } from "./Format.ts"
import { useAction, useAsked } from "./Hooks.ts"
import { Fact, Failed, Nothing, State, Time } from "./Parts.tsx"
import { Waterfall } from "./Waterfall.tsx"

const ended = ["succeeded", "failed", "cancelled"]
const waiting = ["scheduled", "parked"]

export const OneJob = ({ id }: { readonly id: string }) => {
  const path = `/api/v1/jobs/${encodeURIComponent(id)}`
  const { again, problem, value: job } = useAsked(JobView, path, id, "any job", "deliveries")
  return (
    <section aria-labelledby="job-title">
      <p class="way">
        <a href="#/jobs">Jobs</a>
      </p>
      <h1 id="job-title" tabIndex={-1}>
        {job === undefined ? id : `${job.method} ${plainUrl(job.url)}`}
      </h1>
      <Failed problem={problem} />
      {job === undefined ? (
        problem === undefined && <Nothing loading>{null}</Nothing>
      ) : (
        <>
          <Facts job={job} />
          <Actions job={job} again={again} />
          {!ended.includes(job.status) && <Why path={path} />}
          <h2>What happened</h2>
          <Waterfall job={job} />
          <h2>Request</h2>
          <Message
            first={`${job.request.method} ${plainUrl(job.request.url)}`}
            headers={job.request.headers}
            body={job.request.body}
            left={(job.request.body_bytes ?? 0) - new TextEncoder().encode(job.request.body ?? "").length}
          />
          <h2>Response</h2>
          {job.response === null || job.response === undefined ? (
            <p>{job.error ?? "None yet."}</p>
          ) : (
            <Message
              first={String(job.response.status_code)}
              headers={job.response.headers}
              body={job.response.body_base64 === undefined ? job.response.body : "(not text)"}
              left={0}
            />
          )}
        </>
      )}
    </section>
  )
}

const Facts = ({ job }: { readonly job: Job }) => (
  <dl class="facts">
    <Fact name="State">
      <State name={job.status} />
    </Fact>
    <Fact name="Webhooks">{job.delivery_status}</Fact>
    <Fact name="Lane" isLong>
      <a href={laneHref(job.lane)}>{job.lane}</a>
    </Fact>
    <Fact name="Accepted">
      <Time at={job.created_at} />
    </Fact>
    <Fact name="Ended">
      <Time at={job.finished_at} />
    </Fact>
    <Fact name="Attempts">{count(job.attempts_made)}</Fact>
    <Fact name="Id" isLong>
      <code>{job.job_id}</code>
    </Fact>
    <Fact name="Key" isLong>
      <code>{job.idempotent_key}</code>
    </Fact>
  </dl>
)

const Actions = ({ again, job }: { readonly job: Job; readonly again: () => void }) => {
  const { act, busy, problem } = useAction(again)
  const path = `/api/v1/jobs/${encodeURIComponent(job.job_id)}`
  return (
    <p class="actions">
      {ended.includes(job.status) ? (
        <button aria-disabled={busy} onClick={() => void act(`${path}/rerun`)}>
          Run again as a new job
        </button>
      ) : (
        <button aria-disabled={busy} onClick={() => void act(`${path}/cancel`)}>
          Cancel
        </button>
      )}
      {waiting.includes(job.status) && (
        <button aria-disabled={busy} onClick={() => void act(`${path}/run-now`)}>
          Run now
        </button>
      )}
      <Failed problem={problem} />
    </p>
  )
}

const Why = ({ path }: { readonly path: string }) => {
  const { problem, value } = useAsked(Explanation, `${path}/explain`, "numbers")
  return (
    <section class="why" aria-live="polite" aria-labelledby="why-title">
      <h2 id="why-title">Why is it waiting?</h2>
      <Failed problem={problem} />
      <ul>
        {value?.reasons.map(({ kind, message, until }) => (
          <li key={kind}>
            {message}
            {until !== null && <span class="faint"> ({away(until)})</span>}
          </li>
        ))}
      </ul>
      {typeof value?.estimated_start === "number" && (
        <p>
          It should start {away(value.estimated_start)} <span class="faint">({value.confidence})</span>.
        </p>
      )}
    </section>
  )
}

const Message = ({
  body,
  first,
  headers,
  left
}: {
  readonly first: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly left: number
}) => (
  <pre class="message" tabIndex={0}>
    {first}
    {"\n"}
    {Object.entries(headers).map(([name, value]) => `${name}: ${plainHeader(name, value)}\n`)}
    {body !== undefined && body !== "" && `\n${body}`}
    {left > 0 && `\n… ${count(left)} more bytes`}
  </pre>
)
