/** Jobs at times: when each schedule fires next, what came of the last firing, and what stops or hastens it. */
import { Schedule as Shape, ScheduleList } from "../dam/api/ScheduleViews.ts"
import { count, millis, plainUrl } from "./Format.ts"
import { useAnswered, useAsked } from "./Hooks.ts"
import { Cell, Failed, JobLink, Nothing, State, Table, Time } from "./Parts.tsx"

type Schedule = typeof Shape.Type

export const Schedules = () => {
  const { again, problem, value } = useAsked(ScheduleList, "/api/v1/schedules", "numbers")
  return (
    <section aria-labelledby="schedules-title">
      <h1 id="schedules-title" tabIndex={-1}>
        Schedules
      </h1>
      <Failed problem={problem} />
      {value === undefined || value.schedules.length === 0 ? (
        <Nothing loading={value === undefined && problem === undefined}>{value && "No schedule is defined."}</Nothing>
      ) : (
        <Table caption="Schedules" columns={["Schedule", "When", "State", "Next", "Fired", "Last", "Do"]}>
          {value.schedules.map((one) => (
            <Row key={one.name} one={one} again={again} />
          ))}
        </Table>
      )}
    </section>
  )
}

const Row = ({ again, one }: { readonly one: Schedule; readonly again: () => void }) => {
  const { act, busy, problem } = useAnswered(Shape, again)
  const [first, ...later] = one.next
  const button = (verb: string, name: string) => (
    <button
      aria-disabled={busy}
      aria-label={`${name} ${one.name}`}
      onClick={() => void act(`/api/v1/schedules/${encodeURIComponent(one.name)}/${verb}`)}
    >
      {name}
    </button>
  )
  return (
    <tr>
      <Cell name="Schedule" wide>
        {one.name} <small class="faint">{plainUrl(one.request.url)}</small>
      </Cell>
      <Cell name="When">{one.cron === null ? `every ${millis(one.every_ms ?? 0)}` : `${one.cron} ${one.zone}`}</Cell>
      <Cell name="State">
        <State name={one.state} />
      </Cell>
      <Cell name="Next">
        <Time at={first} />
        {later.length > 0 && (
          <details>
            <summary>then</summary>
            {later.map((at) => (
              <span class="line" key={at}>
                <Time at={at} />
              </span>
            ))}
          </details>
        )}
      </Cell>
      <Cell name="Fired">
        {count(one.fired)}
        {one.missed > 0 && <span class="line">{count(one.missed)} missed</span>}
        {one.skipped > 0 && <span class="line">{count(one.skipped)} skipped</span>}
      </Cell>
      <Cell name="Last">{one.last === null ? "–" : <JobLink id={one.last.job_id} />}</Cell>
      <Cell name="Do">
        {one.state === "paused" ? button("resume", "Resume") : button("pause", "Pause")}
        {button("run", "Run now")}
        <Failed problem={problem} />
      </Cell>
    </tr>
  )
}
