/** What fails, by host, status and reason, with how often and since when. */
import { type FailureGroup, Failures as Found } from "../dam/api/FailureShapes.ts"
import { query } from "./Api.ts"
import { Choice, Filters, Typed } from "./Filters.tsx"
import { count, laneHref, moment, now } from "./Format.ts"
import { useAsked, useTyped } from "./Hooks.ts"
import { Cell, Failed, JobLink, Nothing, Table, TimeCell } from "./Parts.tsx"

const hour = 3_600_000

const ranges: Readonly<Record<string, string>> = {
  "": "at any time",
  "1h": "in the last hour",
  "24h": "in the last 24 hours",
  "7d": "in the last 7 days"
}
const lengths: Readonly<Record<string, number>> = { "1h": hour, "24h": 24 * hour, "7d": 168 * hour }
const orders: Readonly<Record<string, string>> = { "": "newest first", largest: "most jobs first" }

export const Failures = ({ parameters }: { readonly parameters: URLSearchParams }) => {
  const host = parameters.get("host") ?? ""
  const since = parameters.get("since") ?? ""
  const sort = parameters.get("sort") ?? ""
  const [typed, setTyped] = useTyped(host)
  const length = lengths[since]
  // to the minute, so that what is asked for stays the same while it is asked for again
  const from = length === undefined ? undefined : Math.floor(now() / 60_000) * 60_000 - length
  const { problem, value } = useAsked(Found, `/api/v1/failures${query({ host, from, sort, limit: 100 })}`, "jobs")
  const go = (changed: Readonly<Record<string, string>>) => {
    location.hash = `/failures${query({ host: typed.trim(), since, sort, ...changed })}`
  }
  return (
    <section aria-labelledby="failures-title">
      <h1 id="failures-title" tabIndex={-1}>
        Failures
      </h1>
      <Filters label="Filter failures" onAsk={() => go({})}>
        <Typed name="Host" value={typed} placeholder="api.example.com" onType={setTyped} />
        <Choice name="Failed" value={since} options={ranges} onChoose={(chosen) => go({ since: chosen })} />
        <Choice name="Order" value={sort} options={orders} onChoose={(chosen) => go({ sort: chosen })} />
        <button type="submit">Filter</button>
      </Filters>
      <Failed problem={problem} />
      {value === undefined || value.failures.length === 0 ? (
        problem === undefined && (
          <Nothing loading={value === undefined}>
            {host === "" && since === "" ? (
              "No job has failed. One that does stands here with all that ended the same way."
            ) : (
              <>
                Nothing that fits has failed. <a href="#/failures">Show all failures</a>
              </>
            )}
          </Nothing>
        )
      ) : (
        <>
          <Seen {...value} />
          <Table
            caption="Failed jobs by what they have in common"
            columns={["Host", "Status", "Reason", "Jobs", "First seen", "Last seen", "Newest"]}
          >
            {value.failures.map((group) => (
              <Row key={keyOf(group)} group={group} />
            ))}
          </Table>
        </>
      )}
    </section>
  )
}

type Group = typeof FailureGroup.Type

const keyOf = ({ error_kind: kind, error_tag: tag, lane, response_status: status }: Group): string =>
  [lane, status, tag, kind].join(" ")

/** How many groups there are, and how far back the dam has looked. */
const Seen = ({ failures, groups, seen }: typeof Found.Type) => (
  <p class="matches">
    {failures.length < groups && `${count(failures.length)} of `}
    {count(groups)} {groups === 1 ? "group" : "groups"}
    {!seen.is_exact &&
      seen.since !== null &&
      ` among the ${count(seen.jobs)} newest failures, all that are after ${moment(seen.since)}`}
  </p>
)

const Row = ({ group }: { readonly group: Group }) => (
  <tr>
    <Cell name="Host" wide>
      <a href={laneHref(group.lane)}>{group.lane}</a>
    </Cell>
    <Cell name="Status">{group.response_status ?? <span class="none">–</span>}</Cell>
    <Cell name="Reason" wide>
      {group.error_tag ?? "–"}
      {group.error_kind !== undefined && ` (${group.error_kind})`}
      {group.error !== null && (
        <span class="faint line" title={group.error}>
          {group.error.length > 160 ? `${group.error.slice(0, 160)}…` : group.error}
        </span>
      )}
    </Cell>
    <Cell name="Jobs">
      <a href={`#/jobs${query({ status: "failed", lane: group.lane })}`}>{count(group.jobs)}</a>
    </Cell>
    <TimeCell name="First seen" at={group.first_seen} />
    <TimeCell name="Last seen" at={group.last_seen} />
    <Cell name="Newest">
      <JobLink id={group.newest_job_id} />
    </Cell>
  </tr>
)
