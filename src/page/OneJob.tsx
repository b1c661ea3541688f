/** One job: where it comes from, why it waits, what happened to it, what was sent and answered. */
import { Explanation, JobView } from "../dam/api/JobShapes.ts"
import type { Job } from "./Api.ts"
import { cutFrom } from "./CopyAs.ts"
import { FamilyOf } from "./Family.tsx"
import { away, bytes, count, laneHref, millis, plainUrl } from "./Format.ts"
import { useAsked } from "./Hooks.ts"
import { ended, JobActions } from "./JobActions.tsx"
import { Message } from "./Message.tsx"
import { Fact, Failed, JobLink, Metadata, Nothing, State, Time } from "./Parts.tsx"
import { Trace } from "./Trace.tsx"
import { Waterfall } from "./Waterfall.tsx"

export const OneJob = ({ id }: { readonly id: string }) => {
  const path = `/api/v1/jobs/${encodeURIComponent(id)}`
  const { again, problem, value: job } = useAsked(JobView, path, id, "any job", "deliveries")
  return (
    <section aria-labelledby="job-title">
      <p class="way">
        <a href="#/jobs">Jobs</a>
      </p>
      <h1 id="job-title" class="clamped" tabIndex={-1}>
        {job === undefined ? id : `${job.method} ${plainUrl(job.url)}`}
      </h1>
      <Failed problem={problem} />
      {job === undefined ? (
        problem === undefined && <Nothing loading>{null}</Nothing>
      ) : (
        <>
          <Facts job={job} />
          <JobActions job={job} again={again} />
          {!ended.includes(job.status) && <Why path={path} />}
          <FamilyOf job={job} />
          <h2>What happened</h2>
          <Waterfall job={job} />
          <h2>Request</h2>
          <Message
            name="request"
            first={`${job.request.method} ${plainUrl(job.request.url)}`}
            headers={job.request.headers}
            body={job.request.body}
            left={cutFrom(job.request)}
          />
          <h2>Response</h2>
          <Response job={job} />
        </>
      )}
    </section>
  )
}

const Response = ({ job: { error, response } }: { readonly job: Job }) => {
  if (response === null || response === undefined) return <p>{error ?? "None yet."}</p>
  const { body, body_base64: raw, headers, status_code: status } = response
  return (
    <>
      <Message name="response" first={String(status)} headers={headers} body={body} />
      {raw !== undefined && <p class="faint">Its body is no text: {bytes(Math.floor((raw.length * 3) / 4))}.</p>}
    </>
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
      {job.finished_at !== null && <span class="faint"> after {millis(job.finished_at - job.created_at)}</span>}
    </Fact>
    {job.limits !== undefined && (
      <Fact name="Draws on" isLong>
        {job.limits
          .map(({ cost, key, name }) => `${name}${key === undefined ? "" : ` (${key})`}: ${count(cost)}`)
          .join(", ")}
      </Fact>
    )}
    <Fact name="Attempts">{count(job.attempts_made)}</Fact>
    {job.parent !== null && (
      <Fact name={job.parent.relation === "on_success" ? "Started by the success of" : "Started by the failure of"}>
        <JobLink id={job.parent.job_id} />
      </Fact>
    )}
    {job.rerun_of !== null && (
      <Fact name="Run again, after">
        <JobLink id={job.rerun_of} />
      </Fact>
    )}
    <Fact name="Id" isLong>
      <code>{job.job_id}</code>
    </Fact>
    <Fact name="Key" isLong>
      <code>{job.idempotent_key}</code>
    </Fact>
    {Object.keys(job.metadata).length > 0 && (
      <Fact name="Metadata" isLong>
        <Metadata of={job.metadata} />
      </Fact>
    )}
    {job.trace_id !== undefined && (
      <Fact name="Trace" isLong>
        <Trace id={job.trace_id} />
      </Fact>
    )}
  </dl>
)

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
