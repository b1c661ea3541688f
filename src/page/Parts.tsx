/** Small things that several views show. */
import type { ComponentChildren } from "preact"
import { type Hold, type Job, type Problem, query } from "./Api.ts"
import { away, count, exactly, jobHref, moment, shortId } from "./Format.ts"

export const State = ({ name }: { readonly name: string }) => (
  <span class={`state state-${name}`}>{name.replaceAll("_", " ")}</span>
)

export const Time = ({ at }: { readonly at: number | null | undefined }) =>
  at === null || at === undefined ? (
    <span class="faint">–</span>
  ) : (
    <time dateTime={exactly(at)} title={exactly(at)}>
      {moment(at)}
    </time>
  )

/** What a caller wrote on a job; one leads to all that have the same. */
export const Metadata = ({ of }: { readonly of: Job["metadata"] }) => (
  <span class="tags">
    {Object.entries(of).map(([name, value]) => {
      const text = typeof value === "string" ? value : JSON.stringify(value)
      return (
        <a key={name} class="tag" href={`#/jobs${query({ metadata: `${name}:${text}` })}`}>
          <span class="faint">{name}</span> {text.length > 40 ? `${text.slice(0, 40)}…` : text}
        </a>
      )
    })}
  </span>
)

export const Failed = ({ problem }: { readonly problem: Problem | string | undefined }) =>
  problem === undefined ? null : (
    <p class="problem" role="alert">
      {typeof problem === "string" ? problem : problem.message}
    </p>
  )

/** What stands where nothing is: still loading, or nothing to show. */
export const Nothing = ({ loading, children }: { readonly loading: boolean; readonly children: ComponentChildren }) => (
  <p class="nothing">{loading ? "Loading…" : children}</p>
)

/** Leads to a job by the end of its id. */
export const JobLink = ({ id }: { readonly id: string }) => (
  <a href={jobHref(id)} aria-label={`Job ${shortId(id)}`} title={id}>
    <code>{shortId(id)}</code>
  </a>
)

/** What stands where nothing is yet: how to begin. */
export const Example = ({ said }: { readonly said: string }) => (
  <section class="nothing" aria-label="How to begin">
    <p>
      {said} <a href="#/submit">Submit one here</a>, or from a program:
    </p>
    <pre class="message" tabIndex={0} role="region" aria-label="An example">
      {`curl ${location.origin}/api/v1/jobs -H 'content-type: application/json' \\
  -d '{"url":"https://example.com/","metadata":{"order":"4711"}}'`}
    </pre>
  </section>
)

export const Fact = ({
  name,
  children,
  isBad = false,
  isLong = false
}: {
  readonly name: string
  readonly children: ComponentChildren
  readonly isBad?: boolean
  readonly isLong?: boolean
}) => (
  <div class={`fact${isBad ? " bad" : ""}${isLong ? " long" : ""}`}>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

/** A table that becomes a list of cards on a phone: each cell carries its column's name. */
export const Table = ({
  caption,
  columns,
  children
}: {
  readonly caption: string
  readonly columns: ReadonlyArray<string>
  readonly children: ComponentChildren
}) => (
  <table class={`rows rows-${columns[0]?.toLowerCase()}`}>
    <caption class="unseen">{caption}</caption>
    <thead>
      <tr>
        {columns.map((name) => (
          <th scope="col" key={name}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>{children}</tbody>
  </table>
)

export const Cell = ({
  name,
  children,
  wide = false
}: {
  readonly name: string
  readonly children: ComponentChildren
  readonly wide?: boolean
}) => (
  <td data-name={name} class={wide ? "wide" : undefined}>
    <div>{children}</div>
  </td>
)

export const TimeCell = ({ name, at }: { readonly name: string; readonly at: number | null | undefined }) => (
  <Cell name={name}>
    <Time at={at} />
  </Cell>
)

/** Where a pace comes from. */
export const sources: Readonly<Record<string, string>> = {
  default: "default",
  configured: "configured",
  learnt: "learnt",
  operator: "set by hand"
}

/** How fast a lane goes, beside how fast it may. */
export const Rate = ({
  limit,
  rate,
  source
}: {
  readonly rate: number | undefined
  readonly limit: number
  readonly source: string
}) => (
  <span class="rate">
    <span>
      {rate === undefined ? "…" : count(rate)} of {count(limit)} <span class="faint">per second</span>
    </span>
    <meter min={0} max={limit} value={Math.min(limit, rate ?? 0)} aria-hidden="true" />
    <small class="faint">{sources[source] ?? source}</small>
  </span>
)

const reasons: Readonly<Record<string, string>> = {
  retry_after: "asked to wait",
  rate_limit: "its limit is used up",
  refused: "refused",
  shortage: "this machine lacks what a call needs",
  breaker: "most calls failed"
}

/** Why nothing is sent, until when, and the job whose answer said so. */
export const HoldReason = ({ hold: { account, job_id: job, reason, status, until } }: { readonly hold: Hold }) => (
  <span class="held">
    {reasons[reason] ?? reason}
    {status !== null && ` (${status})`}
    {account !== undefined && `, account ${account}`}
    {`, ends ${away(until)}`}
    {job !== null && (
      <>
        {", by "}
        <a href={`#/jobs/${encodeURIComponent(job)}`}>this job</a>
      </>
    )}
  </span>
)
